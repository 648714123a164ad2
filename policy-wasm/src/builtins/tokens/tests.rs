//! Signatures that have no one answer to be compared with, made and checked; and how far hostile
//! arguments get.

use crate::{
    budget::Budget,
    builtins::{CallError, Context, find},
    value::Value,
};

/// All of an evaluation.
const STEPS: u64 = 40_000;

fn call(name: &str, arguments: &[Value], steps: u64) -> Result<Option<Value>, CallError> {
    let budget = Budget::new(steps);
    let context = Context {
        budget: &budget,
        now_ns: 1_795_867_200_000_000_000,
        patterns: &crate::builtins::Patterns::default(),
    };
    (find(name).unwrap().call)(&context, arguments)
}

/// The first key of that kind among the recorded calls.
fn key(marker: &str) -> String {
    let calls = include_str!("../../../conformance/calls/crypto.answers");
    let line = calls
        .lines()
        .find(|line| line.starts_with('{') && line.contains(marker));
    line.unwrap().to_owned()
}

fn signed(alg: &str, key: &str) -> String {
    let header = format!(r#"{{"alg": "{alg}"}}"#);
    let arguments = [header.as_str().into(), r#"{"a": 1}"#.into(), key.into()];
    let token = call("io.jwt.encode_sign_raw", &arguments, 10_000_000);
    token.unwrap().unwrap().as_str().unwrap().to_owned()
}

#[test]
fn what_is_signed_is_verified() {
    let curves = [
        ("ES256", "P-256", "io.jwt.verify_es256"),
        ("ES384", "P-384", "io.jwt.verify_es384"),
        ("ES512", "P-521", "io.jwt.verify_es512"),
        ("ES512", "P-256", "io.jwt.verify_es512"),
        ("ES256", "P-521", "io.jwt.verify_es256"),
        ("EdDSA", "Ed25519", "io.jwt.verify_eddsa"),
        ("PS256", "RSA", "io.jwt.verify_ps256"),
        ("PS384", "RSA", "io.jwt.verify_ps384"),
        ("RS512", "RSA", "io.jwt.verify_rs512"),
    ];
    for (alg, marker, verify) in curves {
        let key = key(&format!(r#""{marker}""#));
        let token = signed(alg, &key);
        assert_eq!(token, signed(alg, &key), "{alg}: the same again");
        let mut public: Value = Value::from_json_text(&key).unwrap();
        let members = public.as_object().unwrap().iter();
        let kept = members.filter(|(name, _)| {
            ["kty", "crv", "x", "y", "n", "e"].contains(&name.as_str().unwrap())
        });
        public = Value::object(kept.cloned().collect());
        let arguments = [token.as_str().into(), public.to_json_text().into()];
        let answer = call(verify, &arguments, 10_000_000);
        assert_eq!(answer, Ok(Some(true.into())), "{alg} with {marker}");
        let other = token.replacen("eyJhIjogMX0", "eyJhIjogMn0", 1);
        let arguments = [other.as_str().into(), public.to_json_text().into()];
        let answer = call(verify, &arguments, 10_000_000);
        assert_eq!(
            answer,
            Ok(Some(false.into())),
            "{alg} with {marker}, changed"
        );
        let constraints = Value::object(vec![("cert".into(), public.to_json_text().into())]);
        let answer = call(
            "io.jwt.decode_verify",
            &[token.into(), constraints],
            10_000_000,
        );
        let valid = answer.unwrap().unwrap();
        assert_eq!(valid.as_array().unwrap().get(0), Some(&true.into()));
    }
}

/// Arguments of a builtin that are all the same text, or of the kinds that it wants.
fn hostile(name: &str, text: &str) -> Vec<Vec<Value>> {
    let long: Value = text.into();
    let object = |key: &str| Value::object(vec![(key.into(), long.clone())]);
    let count = if name.starts_with("time.add_date") {
        4
    } else {
        3
    };
    let moment = Value::array(vec![0_i64.into(), "UTC".into(), long.clone()]);
    let zone = Value::array(vec![0_i64.into(), long.clone()]);
    vec![
        vec![long.clone(); count],
        vec![moment; count],
        vec![zone; count],
        vec![long.clone(), object("cert"), object("secret")],
        vec![object("alg"), object("a"), object("k")],
        vec![Value::array(vec![long.clone(); 1000]); count],
        vec![Value::set(vec![long.clone()]); count],
        vec![long.clone(), object("DNSName")],
    ]
}

/// However long its arguments are, a call stops soon.
#[test]
fn a_call_goes_no_further_than_its_steps() {
    let certificate = "-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n";
    let modulus = format!(
        r#"{{"kty": "RSA", "n": "{}", "e": "AQAB"}}"#,
        "_".repeat(1 << 17)
    );
    let texts = [
        "a".repeat(1 << 17),
        "1".repeat(1 << 17),
        ".".repeat(1 << 17),
        "-----BEGIN ".repeat(9_000),
        "\n-----END ".repeat(9_000),
        certificate.repeat(1_500),
        "e30.e30.e30".to_owned(),
        "é".repeat(1 << 16),
        "[".repeat(1 << 17),
        "1d".repeat(1 << 16),
        "Jan".repeat(1 << 15),
        "MIIB".repeat(1 << 15),
        modulus,
        "0.0.0.0/0".to_owned(),
        "::/0".to_owned(),
    ];
    let tables = crate::builtins::TABLES.iter().copied().flatten();
    let areas = ["time.", "net.", "crypto.", "io.jwt."];
    let own = tables.filter(|builtin| areas.iter().any(|area| builtin.name.starts_with(area)));
    for builtin in own {
        for text in &texts {
            for arguments in hostile(builtin.name, text) {
                drop(call(builtin.name, &arguments, STEPS));
            }
        }
    }
}
