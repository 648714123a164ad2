//! Tokens made to order: any header and any claims under a signature that is good, so that a
//! refusal can have no other reason than the one under test.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaKeyPair,
};
use base64ct::{Base64UrlUnpadded, Encoding};
use plinto_jose::jwt::{self, Expectations};
use plinto_jose::{Algorithm, Error, JwkSet, SigningKey};
use serde_json::{Value, json};

/// The test's present, in seconds.
pub(crate) const NOW_S: i64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://id.example/t/acme";
pub(crate) const AUDIENCE: &str = "https://api.example";

static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
    Algorithm::ALL
        .into_iter()
        .map(|algorithm| SigningKey::generate(algorithm).unwrap())
        .collect()
});

/// The one key of this run for `algorithm`.
pub(crate) fn key(algorithm: Algorithm) -> &'static SigningKey {
    KEYS.iter()
        .find(|key| key.algorithm() == algorithm)
        .unwrap()
}

/// The set with all keys of this run.
pub(crate) fn keys() -> JwkSet {
    JwkSet::from(KEYS.iter().map(SigningKey::public).collect::<Vec<_>>())
}

pub(crate) fn expectations() -> Expectations<'static> {
    Expectations {
        typ: "at+jwt",
        issuer: ISSUER,
        audience: AUDIENCE,
        algorithms: &Algorithm::ALL,
        leeway_s: 0,
    }
}

/// Claims that pass, to be spoiled one at a time.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "user_1",
        "iat": NOW_S - 10,
        "nbf": NOW_S - 10,
        "exp": NOW_S + 300,
    })
}

/// A header that passes, to be spoiled one at a time.
pub(crate) fn header(key: &SigningKey) -> Value {
    json!({"alg": key.algorithm().as_str(), "kid": key.public().kid, "typ": "at+jwt"})
}

/// Signs whatever it is given.
pub(crate) fn compact(header: &str, payload: &str, key: &SigningKey) -> String {
    let input = format!(
        "{}.{}",
        encode(header.as_bytes()),
        encode(payload.as_bytes())
    );
    let signature = signature(key, input.as_bytes());
    format!("{input}.{}", encode(&signature))
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(text).unwrap()
}

fn signature(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    let pkcs8 = key.to_pkcs8();
    let rsa = |encoding| {
        let pair = RsaKeyPair::from_pkcs8(&pkcs8).unwrap();
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &random, message, &mut signature)
            .unwrap();
        signature
    };
    let ecdsa = |algorithm| {
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, &pkcs8).unwrap();
        pair.sign(&random, message).unwrap().as_ref().to_vec()
    };
    match key.algorithm() {
        Algorithm::Rs256 => rsa(&RSA_PKCS1_SHA256),
        Algorithm::Rs384 => rsa(&RSA_PKCS1_SHA384),
        Algorithm::Rs512 => rsa(&RSA_PKCS1_SHA512),
        Algorithm::Ps256 => rsa(&RSA_PSS_SHA256),
        Algorithm::Es256 => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::Es384 => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8(&pkcs8)
            .unwrap()
            .sign(message)
            .as_ref()
            .to_vec(),
    }
}

/// What the verifier of access tokens says.
pub(crate) fn verify(token: &str) -> Result<(), Error> {
    jwt::verify(token, &keys(), &expectations(), NOW_S).map(|_| ())
}

/// Signs `payload` with a good header.
pub(crate) fn with_payload(payload: &str) -> String {
    let key = key(Algorithm::Es256);
    compact(&header(key).to_string(), payload, key)
}

/// Good but for one claim.
pub(crate) fn with_claim(name: &str, value: Value) -> String {
    let mut claims = claims();
    claims[name] = value;
    with_payload(&claims.to_string())
}

/// Good but for a claim that is not there.
pub(crate) fn without_claim(name: &str) -> String {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    with_payload(&claims.to_string())
}

/// Signs good claims with `header`.
pub(crate) fn with_header(header: &str) -> String {
    compact(header, &claims().to_string(), key(Algorithm::Es256))
}

/// Good but for one header parameter.
pub(crate) fn with_parameter(name: &str, value: Value) -> String {
    let mut header = header(key(Algorithm::Es256));
    header[name] = value;
    with_header(&header.to_string())
}
