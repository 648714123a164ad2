//! Arbitrary and mutated input: parsers return, and what they accept is what was said.

use plinto_jose::json::{self, Limits};
use plinto_jose::{Algorithm, Error, Jwk, JwkSet, Jws, jwt};
use proptest::prelude::*;
use serde_json::Value;

use crate::mint::{NOW_S, claims, encode, expectations, header, key, keys};

/// Any characters, and often those that JSON escapes.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), r#"[\x00-\x1f"/\\a-c]{0,12}"#]
}

/// Values without floats, so that two parsers can't differ by rounding.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

const WIDE: Limits = Limits {
    bytes: 1 << 20,
    depth: 64,
    members: 10_000,
};

proptest! {
    /// Any bytes at all, to every parser.
    #[test]
    fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = json::parse_object(&bytes);
        let _ = JwkSet::parse(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = Jws::parse(&text);
        let _ = Jwk::parse(&text);
        let _ = jwt::check_claims(&bytes, &expectations(), NOW_S);
        let _ = jwt::verify(&text, &keys(), &expectations(), NOW_S);
    }

    /// Text that nearly is JSON.
    #[test]
    fn no_near_json_panics(text in r#"[{}\[\]":,0-9eE+\-.\\utrfalsn \u{0}-\u{1f}\u{d7ff}é]{0,200}"#) {
        let ours = json::parse_object_within(text.as_bytes(), &WIDE);
        let theirs = serde_json::from_str::<serde_json::Map<String, Value>>(&text);
        // Stricter than the other parser, never laxer.
        if let Ok(ours) = ours {
            prop_assert_eq!(ours, theirs.unwrap());
        }
    }

    /// Good tokens with some bytes replaced: refused, or still the same claims.
    #[test]
    fn mutated_tokens_are_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..4),
    ) {
        let token = key(Algorithm::EdDsa).sign(Some("at+jwt"), claims().to_string().as_bytes()).unwrap();
        let mut characters: Vec<char> = token.chars().collect();
        for (place, with) in changes {
            let at = place.index(characters.len());
            characters[at] = with;
        }
        let changed: String = characters.into_iter().collect();
        prop_assume!(changed != token);
        prop_assert!(jwt::verify(&changed, &keys(), &expectations(), NOW_S).is_err());
    }

    /// Good keys with some bytes replaced parse to something or nothing, and check nothing.
    #[test]
    fn mutated_keys_do_not_panic(
        algorithm in prop::sample::select(Algorithm::ALL.to_vec()),
        place in any::<prop::sample::Index>(),
        with in any::<u8>(),
    ) {
        let token = key(algorithm).sign(None, b"{}").unwrap();
        let jws = Jws::parse(&token).unwrap();
        let mut bytes = key(algorithm).public().to_value().to_string().into_bytes();
        let at = place.index(bytes.len());
        bytes[at] = with;
        if let Ok(changed) = Jwk::parse(&String::from_utf8_lossy(&bytes))
            && changed.key != key(algorithm).public().key
            && let Ok(job) = jws.signature_job(&changed)
        {
            for backend in crate::wycheproof::BACKENDS {
                prop_assert!(plinto_jose::verify_with(backend, &job).is_err());
            }
        }
    }

    /// Any header and any claims, well signed: refused or read, never a panic.
    #[test]
    fn arbitrary_signed_objects_do_not_panic(header in json_value(), payload in json_value()) {
        let key = key(Algorithm::EdDsa);
        let token = crate::mint::compact(&header.to_string(), &payload.to_string(), key);
        prop_assert!(jwt::verify(&token, &keys(), &expectations(), NOW_S).is_err());
    }

    /// What one JSON parser writes, ours reads the same (T10: or finds a repeated name).
    #[test]
    fn json_reads_back(members in prop::collection::btree_map(text(), json_value(), 0..8)) {
        let object = Value::Object(members.into_iter().collect());
        let compact = json::parse_object_within(object.to_string().as_bytes(), &WIDE).unwrap();
        prop_assert_eq!(&Value::Object(compact), &object);
        let pretty = serde_json::to_string_pretty(&object).unwrap();
        let pretty = json::parse_object_within(pretty.as_bytes(), &WIDE).unwrap();
        prop_assert_eq!(&Value::Object(pretty), &object);
    }

    /// T10: whatever the name and however it is escaped, twice is once too often.
    #[test]
    fn any_repeated_name_is_found(name in any::<String>(), escape in any::<bool>()) {
        let first = Value::from(name.as_str()).to_string();
        let second = if escape {
            let units: Vec<String> = name.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
            format!("\"{}\"", units.concat())
        } else {
            first.clone()
        };
        let text = format!("{{{first}:1,\"-\":[],{second}:2}}");
        prop_assume!(name != "-");
        prop_assert_eq!(json::parse_object_within(text.as_bytes(), &WIDE), Err(Error::DuplicateMember));
    }
}

/// Texts on which JSON parsers are known to disagree: all refused.
#[test]
fn ill_formed_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "[]",
        "null",
        "1",
        "\"a\"",
        "{]",
        "{}x",
        "{} {}",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,\"a\":1}",
        "{\"a\":1 \"b\":2}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":'b'}",
        "{\"a\":1}/**/",
        "//\n{}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":-}",
        "{\"a\":+1}",
        "{\"a\":01}",
        "{\"a\":-01}",
        "{\"a\":1.}",
        "{\"a\":.1}",
        "{\"a\":1e}",
        "{\"a\":1e+}",
        "{\"a\":0x1}",
        "{\"a\":1e999}",
        "{\"a\":tru}",
        "{\"a\":TRUE}",
        "{\"a\":nulll}",
        "{\"a\":[1,]}",
        "{\"a\":[,1]}",
        "{\"a\":[1 2]}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\u+123\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00\"}",
        "{\"a\":\"\\ud800\\u0041\"}",
        "{\"a\":\"\\ud800x\"}",
        "{\"a\":\"\\\"}",
        "{\"a\":\"",
        "\u{feff}{}",
        "{\"a\":1}\0",
        "{\u{a0}\"a\":1}",
        "{\"a\":\"\\U0041\"}",
    ] {
        assert_eq!(
            json::parse_object(text.as_bytes()),
            Err(Error::Json),
            "{text:?}"
        );
    }
    for bytes in [
        &b"{\"a\":\"\xff\"}"[..],
        b"{\"a\":\"\xed\xa0\x80\"}",
        b"{\"a\":\"\xc0\xaf\"}",
        b"\xff\xfe{\0}\0",
    ] {
        assert_eq!(json::parse_object(bytes), Err(Error::Json), "{bytes:?}");
    }
}

/// And what is well-formed is read to the letter.
#[test]
fn well_formed_json_is_read() {
    let text = " {\t\"\\u0061\\/\\\"\\\\\\b\\f\\n\\r\\t\" : [ 1 , -2 , 0 , 0.5 , -1.25e+2 , 1E3 , true , false , \
        null , { } , [ ] , \"\\ud83d\\ude00\u{e9}\u{7f}\" , 18446744073709551615 ,\
        -9223372036854775808 ] }\r\n";
    let ours = json::parse_object(text.as_bytes()).unwrap();
    let theirs: serde_json::Map<String, Value> = serde_json::from_str(text).unwrap();
    assert_eq!(ours, theirs);
    assert_eq!(ours["a/\"\\\u{8}\u{c}\n\r\t"][11], "\u{1f600}\u{e9}\u{7f}");
}

/// T11: refusing a token of the largest size costs no more than reading it. Counted in the
/// parser's own terms: the deepest and the widest documents stop at their limits.
#[test]
fn limits_stop_deep_and_wide_documents() {
    let deep = format!("{{\"a\":{}", "[".repeat(8_000));
    assert_eq!(json::parse_object(deep.as_bytes()), Err(Error::TooDeep));
    let wide = format!(
        "{{{},\"z\":1}}",
        (0..900)
            .map(|i| format!("\"{i}\":1"))
            .collect::<Vec<_>>()
            .join(",")
    );
    assert_eq!(
        json::parse_object(wide.as_bytes()),
        Err(Error::TooManyMembers)
    );
    let header = header(key(Algorithm::EdDsa)).to_string();
    let token = format!(
        "{}.{}.{}",
        encode(header.as_bytes()),
        "A".repeat(7_900),
        "A".repeat(86)
    );
    assert_eq!(
        jwt::verify(&token, &keys(), &expectations(), NOW_S)
            .unwrap_err()
            .code(),
        "signature_invalid"
    );
}
