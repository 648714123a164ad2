//! Reading and writing JSON where a library would differ.

use super::*;

fn read(text: &str) -> Result<String, String> {
    Value::from_json_text(text)
        .map(|value| value.to_json_text())
        .map_err(|error| error.to_string())
}

#[test]
fn numbers_keep_their_text() {
    let text = "[1.0,1e3,-0,12345678901234567890.5,1E5,0.10]";
    assert_eq!(read(text).as_deref(), Ok(text));
}

#[test]
fn the_last_of_equal_names_counts() {
    assert_eq!(
        read(r#"{"b":1,"a":2,"b":3}"#).as_deref(),
        Ok(r#"{"a":2,"b":3}"#)
    );
}

#[test]
fn halves_of_surrogate_pairs_are_replaced() {
    let text =
        r#"["\ud83d\ude00","\ud83d","\ude00x","\ud83d\u0041","\ud83d\ud83d\ude00","\ud83d\n"]"#;
    let replaced = "[\"\u{1f600}\",\"\u{fffd}\",\"\u{fffd}x\",\"\u{fffd}A\",\"\u{fffd}\u{1f600}\",\"\u{fffd}\\n\"]";
    assert_eq!(read(text).as_deref(), Ok(replaced));
}

#[test]
fn errors_say_where() {
    for (text, wanted) in [
        (
            "",
            "the text ends where a value should be at line 1 column 1",
        ),
        ("[1,\n 2,]", "expected a value at line 2 column 4"),
        ("[1 2]", "expected `,` or `]` at line 1 column 4"),
        ("{\"é\" 1}", "expected `:` at line 1 column 6"),
        ("{a: 1}", "expected a name in quotes at line 1 column 2"),
        (
            "{\"a\": 1,}",
            "expected a name in quotes at line 1 column 9",
        ),
        (
            "01",
            "not a number, or one that is too large at line 1 column 1",
        ),
        (
            "1e99999",
            "not a number, or one that is too large at line 1 column 1",
        ),
        ("nul", "expected a value at line 1 column 1"),
        (
            "\"a\tb\"",
            "a control character in a text at line 1 column 3",
        ),
        ("\"ab", "a text without its end at line 1 column 4"),
        ("\"\\x\"", "an escape that is none at line 1 column 3"),
        (
            "\"\\u12\"",
            "expected four hexadecimal digits at line 1 column 4",
        ),
        (
            "\"\\u12é4\"",
            "expected four hexadecimal digits at line 1 column 4",
        ),
        ("1 1", "more than one value at line 1 column 3"),
        ("\u{feff}1", "expected a value at line 1 column 1"),
    ] {
        assert_eq!(read(text), Err(wanted.to_owned()), "{text}");
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(&nested(128)).is_ok());
    assert_eq!(
        read(&nested(129)),
        Err("nested deeper than 128 at line 1 column 129".to_owned())
    );
    assert!(read(&"[".repeat(1_000_000)).is_err());
}

#[test]
fn values_are_read_within_other_types() {
    let map: std::collections::BTreeMap<String, Value> =
        serde_json::from_str(r#"{"a": [1.0, {"b": 1e3}]}"#).unwrap();
    assert_eq!(map["a"].to_json_text(), r#"[1.0,{"b":1e3}]"#);
}

#[test]
fn keys_within_keys_do_not_explode() {
    let mut value = Value::from("\"");
    for _ in 0..200 {
        value = Value::object(vec![(value, Value::Null)]);
    }
    assert!(value.to_json_text().len() < 10_000);
}
