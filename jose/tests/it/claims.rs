//! T7, T8, T9: what claims must say.

use plinto_jose::Error;
use plinto_jose::jwt::{self, Expectations};
use serde_json::json;

use crate::mint::{
    AUDIENCE, ISSUER, NOW_S, expectations, keys, verify, with_claim, with_payload, without_claim,
};

/// T7: `exp` is required, and times are whole numbers of seconds that all parsers read alike.
#[test]
fn times_are_whole_seconds() {
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
            json!(1_800_000_300.5),
            json!(9_007_199_254_740_993_i64),
            json!(u64::MAX),
        ] {
            let got = verify(&with_claim(name, value.clone()));
            assert_eq!(got, Err(Error::Claim), "{name} = {value}");
        }
        for text in [
            "1800000300.0",
            "18000003e2",
            "1e400",
            "-0",
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
