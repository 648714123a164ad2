//! jwt-simple as a second opinion: what one signs the other accepts, what is changed on the way
//! both refuse.

use jwt_simple::prelude::*;
use plinto_jose::jwt::{self, Expectations};
use plinto_jose::{Algorithm, Jwk, JwkSet};
use proptest::prelude::*;

use crate::mint::{AUDIENCE, ISSUER, NOW_S, claims, key};

/// How the other library sees a token.
type Check = Box<dyn Fn(&str) -> bool>;

fn options() -> VerificationOptions {
    VerificationOptions {
        artificial_time: Some(UnixTimeStamp::from_secs(NOW_S.unsigned_abs())),
        allowed_issuers: Some(HashSet::from_strings(&[ISSUER])),
        allowed_audiences: Some(HashSet::from_strings(&[AUDIENCE])),
        time_tolerance: Some(Duration::from_secs(0)),
        ..VerificationOptions::default()
    }
}

macro_rules! rsa_or_ec_check {
    ($key:ty, $jwk:expr) => {{
        let key = <$key>::from_jwk(&$jwk).unwrap();
        Box::new(move |token: &str| {
            key.verify_token::<NoCustomClaims>(token, Some(options()))
                .is_ok()
        })
    }};
}

fn their_check(algorithm: Algorithm, jwk: &Jwk) -> Check {
    let jwk = jwk.to_value().to_string();
    match algorithm {
        Algorithm::Rs256 => rsa_or_ec_check!(RS256PublicKey, jwk),
        Algorithm::Rs384 => rsa_or_ec_check!(RS384PublicKey, jwk),
        Algorithm::Rs512 => rsa_or_ec_check!(RS512PublicKey, jwk),
        Algorithm::Ps256 => rsa_or_ec_check!(PS256PublicKey, jwk),
        Algorithm::Es256 => rsa_or_ec_check!(ES256PublicKey, jwk),
        Algorithm::Es384 => rsa_or_ec_check!(ES384PublicKey, jwk),
        Algorithm::EdDsa => rsa_or_ec_check!(Ed25519PublicKey, jwk),
    }
}

fn our_check(token: &str, keys: &JwkSet) -> bool {
    let expected = Expectations {
        typ: "JWT",
        issuer: ISSUER,
        audience: AUDIENCE,
        algorithms: &Algorithm::ALL,
        leeway_s: 0,
    };
    jwt::verify(token, keys, &expected, NOW_S).is_ok()
}

fn our_token(algorithm: Algorithm) -> String {
    key(algorithm)
        .sign(Some("JWT"), claims().to_string().as_bytes())
        .unwrap()
}

fn their_claims() -> JWTClaims<NoCustomClaims> {
    let at = |seconds: i64| Some(UnixTimeStamp::from_secs(seconds.unsigned_abs()));
    let mut claims = Claims::create(Duration::from_secs(300))
        .with_issuer(ISSUER)
        .with_audience(AUDIENCE)
        .with_subject("user_1");
    claims.issued_at = at(NOW_S - 10);
    claims.invalid_before = at(NOW_S - 10);
    claims.expires_at = at(NOW_S + 300);
    claims
}

/// A key of theirs: a token and the public half as JSON.
fn their_token(algorithm: Algorithm) -> (String, String) {
    macro_rules! made_by {
        ($pair:expr) => {{
            let pair = $pair.with_key_id("theirs");
            (
                pair.sign(their_claims()).unwrap(),
                pair.public_key().to_jwk(),
            )
        }};
    }
    match algorithm {
        Algorithm::Rs256 => made_by!(RS256KeyPair::generate(2048).unwrap()),
        Algorithm::Rs384 => made_by!(RS384KeyPair::generate(2048).unwrap()),
        Algorithm::Rs512 => made_by!(RS512KeyPair::generate(2048).unwrap()),
        Algorithm::Ps256 => made_by!(PS256KeyPair::generate(2048).unwrap()),
        Algorithm::Es256 => made_by!(ES256KeyPair::generate()),
        Algorithm::Es384 => made_by!(ES384KeyPair::generate()),
        Algorithm::EdDsa => made_by!(Ed25519KeyPair::generate()),
    }
}

#[test]
fn our_tokens_pass_their_verifier() {
    for algorithm in Algorithm::ALL {
        let check = their_check(algorithm, &key(algorithm).public());
        assert!(check(&our_token(algorithm)), "{algorithm}");
    }
}

#[test]
fn their_tokens_pass_our_verifier() {
    for algorithm in Algorithm::ALL {
        let (token, jwk) = their_token(algorithm);
        let keys = JwkSet::from(vec![Jwk::parse(&jwk).unwrap()]);
        assert!(our_check(&token, &keys), "{algorithm}: {token}");
        // The same bytes through both thumbprints.
        let ours = keys.keys[0].thumbprint();
        assert_eq!(their_thumbprint(algorithm, &jwk), ours, "{algorithm}");
    }
}

fn their_thumbprint(algorithm: Algorithm, jwk: &str) -> String {
    match algorithm {
        Algorithm::Rs256 => RS256PublicKey::from_jwk(jwk).unwrap().jwk_thumbprint(),
        Algorithm::Rs384 => RS384PublicKey::from_jwk(jwk).unwrap().jwk_thumbprint(),
        Algorithm::Rs512 => RS512PublicKey::from_jwk(jwk).unwrap().jwk_thumbprint(),
        Algorithm::Ps256 => PS256PublicKey::from_jwk(jwk).unwrap().jwk_thumbprint(),
        Algorithm::Es256 => ES256PublicKey::from_jwk(jwk).unwrap().jwk_thumbprint(),
        Algorithm::Es384 => ES384PublicKey::from_jwk(jwk).unwrap().jwk_thumbprint(),
        Algorithm::EdDsa => Ed25519PublicKey::from_jwk(jwk).unwrap().jwk_thumbprint(),
    }
}

/// An expired, early, foreign or misaddressed token is refused by both.
#[test]
fn both_refuse_the_same_claims() {
    for (name, value) in [
        ("exp", serde_json::json!(NOW_S - 1)),
        ("nbf", serde_json::json!(NOW_S + 60)),
        ("iss", serde_json::json!("https://other.example")),
        ("aud", serde_json::json!("https://other.example")),
    ] {
        let mut claims = claims();
        claims[name] = value;
        let algorithm = Algorithm::Es256;
        let token = key(algorithm)
            .sign(Some("JWT"), claims.to_string().as_bytes())
            .unwrap();
        let keys = JwkSet::from(vec![key(algorithm).public()]);
        assert!(!our_check(&token, &keys), "{name}");
        assert!(
            !their_check(algorithm, &key(algorithm).public())(&token),
            "{name}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// One changed character anywhere, and neither accepts.
    #[test]
    fn both_refuse_changed_tokens(
        algorithm in prop::sample::select(Algorithm::ALL.to_vec()),
        place in any::<prop::sample::Index>(),
        with in prop::sample::select(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=".to_vec()
        ),
    ) {
        let token = our_token(algorithm);
        let mut bytes = token.clone().into_bytes();
        let at = place.index(bytes.len());
        prop_assume!(bytes[at] != with);
        bytes[at] = with;
        let changed = String::from_utf8(bytes).unwrap();
        let public = key(algorithm).public();
        prop_assert!(!their_check(algorithm, &public)(&changed), "theirs accepts {}", changed);
        prop_assert!(!our_check(&changed, &JwkSet::from(vec![public])), "ours accepts {changed}");
    }

    /// A part cut off, doubled or moved, and neither accepts.
    #[test]
    fn both_refuse_rearranged_tokens(order in prop::collection::vec(0_usize..3, 0..6)) {
        prop_assume!(order != [0, 1, 2]);
        let token = our_token(Algorithm::EdDsa);
        let parts: Vec<&str> = token.split('.').collect();
        let moved = order.iter().map(|i| parts[*i]).collect::<Vec<_>>().join(".");
        let public = key(Algorithm::EdDsa).public();
        prop_assert!(!their_check(Algorithm::EdDsa, &public)(&moved));
        let keys = JwkSet::from(vec![public]);
        prop_assert!(!our_check(&moved, &keys));
    }
}
