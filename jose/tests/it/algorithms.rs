//! T1, T2: which algorithm a token may name and a key may serve.

use plinto_jose::jwt::{self, Expectations};
use plinto_jose::{
    Algorithm, Error, Jwk, JwkSet, Jws, OkpCurve, PublicKey, SignatureJob, verify_with,
};
use serde_json::{Value, json};

use crate::mint::{
    NOW_S, claims, compact, encode, expectations, header, key, keys, verify, with_header,
    with_parameter, with_payload,
};
use crate::wycheproof::BACKENDS;

#[test]
fn a_good_token_passes_with_every_algorithm() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let token = key
            .sign(Some("at+jwt"), claims().to_string().as_bytes())
            .unwrap();
        let got = jwt::verify(&token, &keys(), &expectations(), NOW_S).unwrap();
        assert_eq!(Value::Object(got), claims(), "{algorithm}");
    }
}

/// T1: the algorithm's name is compared byte for byte.
#[test]
fn algorithm_names_are_exact() {
    for name in [
        "none", "None", "NONE", "noNE", "", "hs256", "HS256", "es256", "ES256 ", "ES512",
    ] {
        assert_eq!(
            verify(&with_parameter("alg", json!(name))),
            Err(Error::Algorithm),
            "{name:?}"
        );
    }
    for value in [json!(null), json!(["ES256"]), json!(256)] {
        assert_eq!(verify(&with_parameter("alg", value)), Err(Error::Header));
    }
    assert_eq!(
        verify(&with_header(r#"{"typ":"at+jwt"}"#)),
        Err(Error::Header)
    );
}

/// T1: an algorithm that the issuer doesn't use is refused though key and signature are good.
#[test]
fn algorithms_off_the_allow_list_are_refused() {
    for algorithm in Algorithm::ALL {
        let token = key(algorithm)
            .sign(Some("at+jwt"), claims().to_string().as_bytes())
            .unwrap();
        let others: Vec<Algorithm> = Algorithm::ALL
            .into_iter()
            .filter(|other| *other != algorithm)
            .collect();
        let expected = Expectations {
            algorithms: &others,
            ..expectations()
        };
        let got = jwt::verify(&token, &keys(), &expected, NOW_S).map(|_| ());
        assert_eq!(got, Err(Error::Algorithm), "{algorithm}");
    }
}

/// T1, T2: a key serves its own algorithm and no other; all pairs.
#[test]
fn one_key_has_one_algorithm() {
    for signer in Algorithm::ALL {
        for claimed in Algorithm::ALL {
            let mut header = header(key(signer));
            header["alg"] = json!(claimed.as_str());
            let token = compact(&header.to_string(), &claims().to_string(), key(signer));
            let got = verify(&token);
            if signer == claimed {
                assert_eq!(got, Ok(()), "{signer}");
            } else {
                assert_eq!(got, Err(Error::Algorithm), "{signer} as {claimed}");
            }
        }
    }
}

/// T2: an RSA key without `alg` serves RS256 only, not whatever the token asks for.
#[test]
fn a_key_without_alg_still_has_one_algorithm() {
    let mut public = key(Algorithm::Ps256).public();
    public.alg = None;
    public.kid = None;
    let keys = JwkSet::from(vec![public.clone()]);
    assert_eq!(public.algorithm(), Algorithm::Rs256);
    for claimed in [
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Es256,
    ] {
        assert!(!public.fits(claimed), "{claimed}");
        let header = json!({"alg": claimed.as_str(), "typ": "at+jwt"});
        let token = compact(
            &header.to_string(),
            &claims().to_string(),
            key(Algorithm::Ps256),
        );
        let got = jwt::verify(&token, &keys, &expectations(), NOW_S).map(|_| ());
        assert_eq!(got, Err(Error::UnknownKey), "{claimed}");
    }
}

/// T2: the classic confusion. A token "signed" with HMAC under the public key's own text has
/// nowhere to go: no name parses to HMAC.
#[test]
fn public_keys_are_never_hmac_secrets() {
    for name in ["HS256", "HS384", "HS512"] {
        assert_eq!(name.parse::<Algorithm>(), Err(Error::Algorithm));
    }
    let secret = key(Algorithm::Rs256).public().to_value().to_string();
    let input = format!(
        "{}.{}",
        encode(br#"{"alg":"HS256","typ":"at+jwt"}"#),
        encode(claims().to_string().as_bytes())
    );
    let mac_key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    let mac = aws_lc_rs::hmac::sign(&mac_key, input.as_bytes());
    let token = format!("{input}.{}", encode(mac.as_ref()));
    assert_eq!(verify(&token), Err(Error::Algorithm));
}

/// T16: signing twice never gives the same bytes to key a denylist by, ECDSA being randomised;
/// both spellings stay valid, so lists must go by `jti`.
#[test]
fn one_claims_set_has_many_signatures() {
    let payload = claims().to_string();
    let first = with_payload(&payload);
    let second = with_payload(&payload);
    assert_ne!(first, second);
    assert_eq!((verify(&first), verify(&second)), (Ok(()), Ok(())));
}

/// T1, T2: each gate on the way asks for itself, so none relies on another having been passed.
#[test]
fn every_gate_asks_whether_key_and_algorithm_fit() {
    // The same key material under two names; the signature is good for RS384.
    let signer = key(Algorithm::Rs384);
    let token = signer.sign(None, b"{}").unwrap();
    let jws = Jws::parse(&token).unwrap();
    let mut other = signer.public();
    other.alg = Some(Algorithm::Rs256);
    let keys = JwkSet::from(vec![other.clone()]);
    assert_eq!(keys.select(&jws.header), Err(Error::Algorithm));
    assert_eq!(jws.signature_job(&other).map(|_| ()), Err(Error::Algorithm));
    let own = signer.public();
    let job = jws.signature_job(&own).unwrap();
    for backend in BACKENDS {
        assert_eq!(verify_with(backend, &job), Ok(()));
        let job = SignatureJob { key: &other, ..job };
        assert_eq!(
            verify_with(backend, &job),
            Err(Error::Algorithm),
            "{backend:?}"
        );
    }
}

/// A job filled in by hand may hold anything; it is refused, not a panic.
#[test]
fn jobs_with_misshapen_keys_are_refused() {
    for length in [0, 1, 31, 33, 64] {
        let key = Jwk {
            kid: None,
            alg: None,
            key: PublicKey::Okp {
                crv: OkpCurve::Ed25519,
                x: vec![7; length],
            },
        };
        let signature = [0; 64];
        let job = SignatureJob {
            alg: Algorithm::EdDsa,
            key: &key,
            message: b"",
            signature: &signature,
        };
        for backend in BACKENDS {
            assert_eq!(
                verify_with(backend, &job),
                Err(Error::Key),
                "{backend:?} {length}"
            );
        }
    }
}

/// RFC 8017 §8.1.2 and §8.2.2: an RSA signature is a number below the modulus, written in full
/// length. `s + n` and a shorter or longer spelling of `s` are other signatures for the same
/// message, and not every backend minds.
#[test]
fn rsa_signatures_have_one_spelling() {
    for algorithm in [Algorithm::Rs256, Algorithm::Ps256] {
        let public = key(algorithm).public();
        let PublicKey::Rsa { n, .. } = &public.key else {
            panic!("{algorithm} keys are RSA");
        };
        // Some signatures leave room for n; which, changes with the payload.
        let (jws, raised) = (0..)
            .find_map(|i| {
                let payload = format!("{i}");
                let token = key(algorithm).sign(None, payload.as_bytes()).unwrap();
                let jws = Jws::parse(&token).unwrap();
                let raised = sum(&jws.signature, n)?;
                Some((jws, raised))
            })
            .unwrap();
        let job = jws.signature_job(&public).unwrap();
        let longer = [&[0], jws.signature.as_slice()].concat();
        let shorter = &jws.signature[1..];
        for backend in BACKENDS {
            assert_eq!(verify_with(backend, &job), Ok(()));
            for signature in [raised.as_slice(), longer.as_slice(), shorter, &[]] {
                let job = SignatureJob { signature, ..job };
                assert_eq!(
                    verify_with(backend, &job),
                    Err(Error::Signature),
                    "{backend:?}"
                );
            }
        }
        let mut jws = jws.clone();
        for signature in [&raised, &longer] {
            jws.signature.clone_from(signature);
            assert_eq!(
                jws.signature_job(&public).map(|_| ()),
                Err(Error::Signature)
            );
        }
    }
}

/// `a + b`, big-endian and of their common length, if it fits.
fn sum(a: &[u8], b: &[u8]) -> Option<Vec<u8>> {
    let mut carry = 0_u16;
    let mut digits: Vec<u8> = a
        .iter()
        .zip(b)
        .rev()
        .map(|(a, b)| {
            let digit = u16::from(*a) + u16::from(*b) + carry;
            carry = digit >> 8;
            digit.to_le_bytes()[0]
        })
        .collect();
    digits.reverse();
    (carry == 0).then_some(digits)
}
