//! OPA's canonical JSON, over which it hashes structured files: members sorted by name, no white
//! space, numbers as they were written. Source: OPA, `bundle/hash.go`; Go, `encoding/json`.
//!
//! Bundles built here carry JSON files in this form, so the digest of the form is the digest of
//! the bytes, and a reader needs no second parser to check it.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Rewrites one JSON document.
/// `depth`: arrays and objects that may stand inside each other.
/// Errors: not JSON, a member twice, nested deeper than `depth`.
pub(crate) fn rewrite(text: &str, depth: usize) -> Result<String, serde_json::Error> {
    let document: &RawValue = serde_json::from_str(text)?;
    let mut output = String::with_capacity(text.len());
    write_value(document.get(), depth, &mut output)?;
    Ok(output)
}

/// Two documents in canonical form as one: objects member by member. `None`: both say something about
/// the same member that is no object.
pub(crate) fn merged(left: &str, right: &str) -> Option<String> {
    let mut output = String::with_capacity(left.len().saturating_add(right.len()));
    merge(left, right, &mut output)?;
    Some(output)
}

fn merge(left: &str, right: &str, output: &mut String) -> Option<()> {
    if !left.starts_with('{') || !right.starts_with('{') {
        return None;
    }
    let Members(mut members) = serde_json::from_str(left).ok()?;
    let Members(others) = serde_json::from_str(right).ok()?;
    let mut both = BTreeMap::new();
    for (name, other) in others {
        if let Some(value) = members.get(&name) {
            both.insert(name, (*value, other));
        } else {
            members.insert(name, other);
        }
    }
    output.push('{');
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            output.push(',');
        }
        write_string(name, output);
        output.push(':');
        match both.get(name) {
            Some((left, right)) => merge(left.get(), right.get(), output)?,
            None => output.push_str(value.get()),
        }
    }
    output.push('}');
    Some(())
}

fn write_value(text: &str, depth: usize, output: &mut String) -> Result<(), serde_json::Error> {
    match text.as_bytes().first() {
        Some(b'{' | b'[') if depth == 0 => Err(serde_json::Error::custom("nested too deeply")),
        Some(b'{') => {
            let Members(members) = serde_json::from_str(text)?;
            output.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                if index > 0 {
                    output.push(',');
                }
                write_string(name, output);
                output.push(':');
                write_value(value.get(), depth.saturating_sub(1), output)?;
            }
            output.push('}');
            Ok(())
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            output.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    output.push(',');
                }
                write_value(item.get(), depth.saturating_sub(1), output)?;
            }
            output.push(']');
            Ok(())
        }
        Some(b'"') => {
            let value: Cow<'_, str> = serde_json::from_str(text)?;
            write_string(&value, output);
            Ok(())
        }
        _ => {
            output.push_str(text);
            Ok(())
        }
    }
}

/// Writes a string as Go's encoder does without HTML escaping.
fn write_string(value: &str, output: &mut String) {
    output.push('"');
    for character in value.chars() {
        match character {
            '"' => output.push_str("\\\""),
            '\\' => output.push_str("\\\\"),
            '\n' => output.push_str("\\n"),
            '\r' => output.push_str("\\r"),
            '\t' => output.push_str("\\t"),
            '\u{8}' => output.push_str("\\b"),
            '\u{c}' => output.push_str("\\f"),
            '\u{2028}' => output.push_str("\\u2028"),
            '\u{2029}' => output.push_str("\\u2029"),
            control if u32::from(control) < 0x20 => {
                // Writing to a `String` cannot fail.
                let _written = write!(output, "\\u{:04x}", u32::from(control));
            }
            other => output.push(other),
        }
    }
    output.push('"');
}

/// The members of an object, each name once. Go and Rust both sort strings by their bytes.
struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    let value = map.next_value::<&RawValue>()?;
                    if members.insert(name.clone(), value).is_some() {
                        return Err(A::Error::custom(format!("member `{name}` appears twice")));
                    }
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_sorted_and_numbers_keep_their_digits() {
        let text = "{ \"b\" : [1.0, 1e3, -0, 12345678901234567890123],\n\"a\":{\"\":null} }";
        assert_eq!(
            rewrite(text, 8).unwrap(),
            r#"{"a":{"":null},"b":[1.0,1e3,-0,12345678901234567890123]}"#
        );
    }

    #[test]
    fn strings_are_escaped_as_go_escapes_them() {
        let text = r#""\u0041<>&\/\u2028\u0001\u001f\b\f\u007f é""#;
        assert_eq!(
            rewrite(text, 1).unwrap(),
            "\"A<>&/\\u2028\\u0001\\u001f\\b\\f\u{7f} é\""
        );
    }

    #[test]
    fn objects_are_merged_and_nothing_else() {
        assert_eq!(
            merged(r#"{"a":{"x":1.0},"c":1}"#, r#"{"a":{"b":2},"b":[]}"#).unwrap(),
            r#"{"a":{"b":2,"x":1.0},"b":[],"c":1}"#
        );
        assert_eq!(merged(r#"{"a":1}"#, r#"{"a":1}"#), None);
        assert_eq!(merged(r#"{"a":{"b":{}}}"#, r#"{"a":{"b":[]}}"#), None);
        assert_eq!(merged("1", "{}"), None);
    }

    #[test]
    fn a_member_twice_and_a_document_too_deep_are_refused() {
        assert!(rewrite(r#"{"a":1,"\u0061":2}"#, 8).is_err());
        assert!(rewrite("[[[]]]", 3).is_ok());
        assert!(rewrite("[[[]]]", 2).is_err());
        assert!(rewrite(r#"{"a":1} x"#, 8).is_err());
    }
}
