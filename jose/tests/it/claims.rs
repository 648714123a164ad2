//! T7, T8, T9: what claims must say.

use plinto_jose::Error;
use plinto_jose::jwt::{self, Expectations};
use serde_json::json;

use crate::mint::{
    AUDIENCE, ISSUER, NOW_S, expectations, keys, verify, with_claim, with_payload, without_claim,
};

/// T7: `exp` is required, and times are numbers from 0 that all parsers read alike.
#[test]
fn times_are_numbers_of_seconds() {
    assert_eq!(verify(&without_claim("exp")), Err(Error::Claim));
    assert_eq!(verify(&without_claim("nbf")), Ok(()));
    assert_eq!(verify(&without_claim("iat")), Ok(()));
    for name in ["exp", "nbf", "iat"] {
        for value in [
            json!("1800000300"),
            json!(null),
            json!(true),
            json!([NOW_S]),
            json!(-1),
            json!(i64::MIN),
            json!(-0.5),
            json!(9_007_199_254_740_993_i64),
            json!(9_007_199_254_740_994.0),
            json!(u64::MAX),
        ] {
            let got = verify(&with_claim(name, value.clone()));
            assert_eq!(got, Err(Error::Claim), "{name} = {value}");
        }
        for text in [
            "1e400",
            "1e16",
            "-0",
            "-0.0",
            "-1e-9",
            "01800000300",
            "+1800000300",
        ] {
            let payload = format!(
                r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","{}":1800000300,"{name}":{text}}}"#,
                if name == "exp" { "other" } else { "exp" },
            );
            let got = verify(&with_payload(&payload)).unwrap_err();
            assert!(
                matches!(got, Error::Claim | Error::Json),
                "{name} = {text}: {got}"
            );
        }
    }
    assert_eq!(
        verify(&with_claim("exp", json!(9_007_199_254_740_992_i64))),
        Ok(())
    );
}

/// T7: a time may have a fraction (RFC 7519 §2). A token then ends with the second its `exp` lies
/// in, and begins with the first whole second after its `nbf` and `iat`.
#[test]
fn a_time_with_a_fraction_is_a_time() {
    let now = 1_800_000_000.0;
    for (name, value, answer) in [
        ("iat", json!(now - 0.25), Ok(())),
        ("nbf", json!(now - 1.5), Ok(())),
        ("exp", json!(now + 600.5), Ok(())),
        ("exp", json!(now + 1.5), Ok(())),
        ("exp", json!(now + 0.5), Err(Error::Expired)),
        ("nbf", json!(now + 0.5), Err(Error::NotYetValid)),
        ("iat", json!(now + 0.5), Err(Error::NotYetValid)),
        ("iat", json!(0.5), Ok(())),
    ] {
        assert_eq!(
            verify(&with_claim(name, value.clone())),
            answer,
            "{name} {value}"
        );
    }
    // other spellings of whole seconds
    for text in ["1800000300.0", "18000003e2", "1.8000003E+9"] {
        let payload = format!(r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","exp":{text}}}"#);
        assert_eq!(verify(&with_payload(&payload)), Ok(()), "{text}");
    }
}

/// T7: nobody issues a token tomorrow; one that says so came from a clock nobody should trust.
#[test]
fn a_token_from_the_future_is_refused_beyond_the_leeway() {
    let at = |value: i64, leeway_s: i64| {
        let expected = Expectations {
            leeway_s,
            ..expectations()
        };
        jwt::verify(&with_claim("iat", json!(value)), &keys(), &expected, NOW_S).map(|_| ())
    };
    assert_eq!(at(NOW_S, 0), Ok(()));
    assert_eq!(at(NOW_S + 1, 0), Err(Error::NotYetValid));
    assert_eq!(at(NOW_S + 30, 30), Ok(()));
    assert_eq!(at(NOW_S + 31, 30), Err(Error::NotYetValid));
}

/// T7: `exp` is the first second that is too late, `nbf` the first that is early enough.
#[test]
fn the_clock_is_read_to_the_second() {
    let at = |name: &str, value: i64, leeway_s: i64| {
        let expected = Expectations {
            leeway_s,
            ..expectations()
        };
        jwt::verify(&with_claim(name, json!(value)), &keys(), &expected, NOW_S).map(|_| ())
    };
    assert_eq!(at("exp", NOW_S + 1, 0), Ok(()));
    assert_eq!(at("exp", NOW_S, 0), Err(Error::Expired));
    assert_eq!(at("exp", 0, 0), Err(Error::Expired));
    assert_eq!(at("nbf", NOW_S, 0), Ok(()));
    assert_eq!(at("nbf", NOW_S + 1, 0), Err(Error::NotYetValid));
    assert_eq!(at("exp", NOW_S - 4, 5), Ok(()));
    assert_eq!(at("exp", NOW_S - 5, 5), Err(Error::Expired));
    assert_eq!(at("nbf", NOW_S + 5, 5), Ok(()));
    assert_eq!(at("nbf", NOW_S + 6, 5), Err(Error::NotYetValid));
}

/// T7: nobody can configure more than 30 s of leeway, or less than none.
#[test]
fn leeway_is_bounded() {
    for (leeway_s, bound) in [
        (31, 30),
        (86_400, 30),
        (i64::MAX, 30),
        (-1, 0),
        (i64::MIN, 0),
    ] {
        let expected = Expectations {
            leeway_s,
            ..expectations()
        };
        let at = |exp: i64| {
            let token = with_claim("exp", json!(exp));
            jwt::verify(&token, &keys(), &expected, NOW_S).map(|_| ())
        };
        assert_eq!(at(NOW_S - bound + 1), Ok(()), "{leeway_s}");
        assert_eq!(at(NOW_S - bound), Err(Error::Expired), "{leeway_s}");
    }
}

/// T8: `iss` is one string, the issuer's, to the byte.
#[test]
fn the_issuer_is_exact() {
    for issuer in [
        "https://id.example/t/other",
        "https://id.example/t/acme/",
        "https://id.example/t/ACME",
        "https://id.example/t/acm",
        "",
    ] {
        assert_eq!(
            verify(&with_claim("iss", json!(issuer))),
            Err(Error::Issuer),
            "{issuer:?}"
        );
    }
    for value in [
        json!([ISSUER]),
        json!(null),
        json!({"iss": ISSUER}),
        json!(1),
    ] {
        assert_eq!(verify(&with_claim("iss", value)), Err(Error::Claim));
    }
    assert_eq!(verify(&without_claim("iss")), Err(Error::Claim));
}

/// Whoever is told of another issuer learns which, unless its name could be more than a name.
#[test]
fn another_issuer_is_named_if_it_can_be_shown() {
    let named = |issuer: serde_json::Value| {
        jwt::claimed_issuer(json!({ "iss": issuer }).to_string().as_bytes())
    };
    let other = "http://127.0.0.1:8788/t/demo";
    assert_eq!(named(json!(other)).as_deref(), Some(other));
    for hidden in [
        json!(""),
        json!(1),
        json!([other]),
        json!("a b"),
        json!("a\nb"),
        json!("a\"b"),
        json!("a`b"),
        json!("\u{1b}[31m"),
        json!("ä"),
        json!("x".repeat(201)),
    ] {
        assert_eq!(named(hidden.clone()), None, "{hidden}");
    }
    assert_eq!(jwt::claimed_issuer(b"not json"), None);
}

/// T9: the audience holds this service as a whole element.
#[test]
fn the_audience_is_a_whole_element() {
    assert_eq!(verify(&with_claim("aud", json!([AUDIENCE]))), Ok(()));
    assert_eq!(
        verify(&with_claim("aud", json!(["other", AUDIENCE]))),
        Ok(())
    );
    for value in [
        json!("https://api.example.attacker.example"),
        json!("https://api.exampl"),
        json!(format!("{AUDIENCE} other")),
        json!(format!("other,{AUDIENCE}")),
        json!([]),
        json!([format!("{AUDIENCE}/")]),
        json!(""),
    ] {
        assert_eq!(
            verify(&with_claim("aud", value.clone())),
            Err(Error::Audience),
            "{value}"
        );
    }
    for value in [
        json!(null),
        json!({"0": AUDIENCE}),
        json!([[AUDIENCE]]),
        json!([AUDIENCE, 1]),
    ] {
        assert_eq!(
            verify(&with_claim("aud", value.clone())),
            Err(Error::Claim),
            "{value}"
        );
    }
    assert_eq!(verify(&without_claim("aud")), Err(Error::Claim));
}
