//! The one character that no text may hold: U+0000, which no text column takes.

use plinto_contract::problem::{Code, FieldError};
use serde_json::Value;

use crate::http::{ApiError, input::escape};

/// Refuses a JSON body that spells the character in one of its strings.
pub(super) fn check_json(bytes: &[u8]) -> Result<(), ApiError> {
    if !is_in_json(bytes) {
        return Ok(());
    }
    // What is no JSON either is for the parser to say.
    let Ok(body) = serde_json::from_slice::<Value>(bytes) else {
        return Ok(());
    };
    let detail = "no text may hold the character U+0000";
    let pointer = place(&body, "").unwrap_or_default();
    let error = FieldError::new(pointer, "invalid_value", detail);
    Err(ApiError::fields(Code::ValidationFailed, vec![error]))
}

/// Where the first text with the character stands; a member whose name holds it is its object's.
fn place(value: &Value, pointer: &str) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(|| pointer.to_owned()),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, item)| place(item, &format!("{pointer}/{index}")))
        }
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            if name.contains('\0') {
                return Some(pointer.to_owned());
            }
            place(member, &format!("{pointer}/{}", escape(name)))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Written as itself it is no JSON at all, which the parser says.
fn is_in_json(bytes: &[u8]) -> bool {
    let mut is_escape = false;
    for (index, byte) in bytes.iter().enumerate() {
        let rest = bytes.get(index..).unwrap_or_default();
        if is_escape && rest.starts_with(b"u0000") {
            return true;
        }
        is_escape = !is_escape && *byte == b'\\';
    }
    false
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{is_in_json, place};

    #[test]
    fn the_text_that_holds_the_character_is_pointed_at() {
        let at = |body| place(&body, "");
        assert_eq!(at(json!({"a": ["b", "\0"]})).as_deref(), Some("/a/1"));
        assert_eq!(at(json!({"a": {"b/c\0": 1}})).as_deref(), Some("/a"));
        assert_eq!(at(json!("\0")).as_deref(), Some(""));
    }

    #[test]
    fn the_character_is_told_from_its_spelling() {
        for held in [r#"{"a":"\u0000"}"#, r#"["x\\\u0000"]"#, r#"{"\u0000":1}"#] {
            assert!(is_in_json(held.as_bytes()), "{held}");
        }
        for free in [r#"{"a":"\\u0000"}"#, r#"["u0000", "\u0001"]"#, r#""\"#, ""] {
            assert!(!is_in_json(free.as_bytes()), "{free}");
        }
    }
}
