//! T4, T6, T12: what a header may say.

use plinto_jose::jwt::{self, Expectations};
use plinto_jose::{Algorithm, Error, Jwk, SigningKey};
use serde_json::json;

use crate::mint::{NOW_S, expectations, key, keys, verify, with_header, with_parameter};

/// T4: parameters that bring their own key or reading, and any `crit`.
#[test]
fn headers_that_steer_the_verifier_are_refused() {
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("jku", json!("https://attacker.example/jwks.json")),
        ("x5u", json!("https://attacker.example/cert.pem")),
        ("x5c", json!([])),
        ("jwk", key(Algorithm::Es256).public().to_value()),
    ] {
        assert_eq!(
            verify(&with_parameter(name, value)),
            Err(Error::HeaderParameter),
            "{name}"
        );
    }
    assert_eq!(
        verify(&with_header(
            r#"{"alg":"ES256","typ":"at+jwt","\u0063rit":["x"]}"#
        )),
        Err(Error::HeaderParameter),
        "escaped name"
    );
}

/// T4: other parameters are none of our business (RFC 7515 §4).
#[test]
fn unknown_parameters_are_ignored() {
    assert_eq!(verify(&with_parameter("x5t", json!("abc"))), Ok(()));
    assert_eq!(verify(&with_parameter("nonce", json!({"a": 1}))), Ok(()));
}

/// T6: every kind of token is refused by the verifiers of all others.
#[test]
fn each_kind_of_token_is_only_its_own() {
    let kinds = [
        "at+jwt",
        "JWT",
        "logout+jwt",
        "plinto-revocations+jwt",
        "dpop+jwt",
    ];
    for made in kinds {
        for typ in [
            made.to_owned(),
            format!("application/{made}"),
            made.to_ascii_uppercase(),
            format!("Application/{made}"),
        ] {
            let token = with_parameter("typ", json!(typ));
            for wanted in kinds {
                let expected = Expectations {
                    typ: wanted,
                    ..expectations()
                };
                let got = jwt::verify(&token, &keys(), &expected, NOW_S).map(|_| ());
                let want = if made == wanted {
                    Ok(())
                } else {
                    Err(Error::Type)
                };
                assert_eq!(got, want, "{typ} as {wanted}");
            }
        }
    }
}

/// T6: `typ` is exact but for its case, and must be there.
#[test]
fn near_misses_of_the_type_are_refused() {
    for typ in [
        "at+jwt ",
        "äpplication/at+jwt",
        "at+jwt;x=1",
        "",
        "application/",
        "text/at+jwt",
        "application/application/at+jwt",
    ] {
        assert_eq!(
            verify(&with_parameter("typ", json!(typ))),
            Err(Error::Type),
            "{typ:?}"
        );
    }
    assert_eq!(verify(&with_header(r#"{"alg":"ES256"}"#)), Err(Error::Type));
    assert_eq!(
        verify(&with_parameter("typ", json!(null))),
        Err(Error::Header)
    );
}

/// T12: a key id is a short plain name.
#[test]
fn key_ids_are_plain_names() {
    let longest = "k".repeat(64);
    for kid in ["a", "A-Z.a_z~09", longest.as_str()] {
        assert_eq!(
            verify(&with_parameter("kid", json!(kid))),
            Err(Error::UnknownKey),
            "{kid}"
        );
    }
    let too_long = "k".repeat(65);
    for kid in [
        "",
        too_long.as_str(),
        "../../etc/passwd",
        "a b",
        "a'--",
        "a\0",
        "ключ",
        "a/b",
        "a%2f",
    ] {
        assert_eq!(
            verify(&with_parameter("kid", json!(kid))),
            Err(Error::KeyId),
            "{kid:?}"
        );
        let mut jwk = key(Algorithm::Es256).public().to_value();
        jwk["kid"] = json!(kid);
        assert_eq!(
            Jwk::from_value(&jwk).map(|_| ()),
            Err(Error::KeyId),
            "{kid:?}"
        );
    }
    assert_eq!(
        verify(&with_parameter("kid", json!(["a"]))),
        Err(Error::Header)
    );
}

/// Without a key id exactly one key may answer.
#[test]
fn tokens_without_a_key_id_need_a_single_candidate() {
    let token = with_header(r#"{"alg":"ES256","typ":"at+jwt"}"#);
    assert_eq!(verify(&token), Ok(()));
    let mut two = keys();
    two.keys
        .push(SigningKey::generate(Algorithm::Es256).unwrap().public());
    let got = jwt::verify(&token, &two, &expectations(), NOW_S).map(|_| ());
    assert_eq!(got, Err(Error::UnknownKey));
}
