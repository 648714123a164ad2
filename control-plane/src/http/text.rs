//! The one character that no text may hold: U+0000, which no text column takes.

use plinto_contract::problem::FieldError;

/// Whether a JSON document spells the character in one of its strings. Written as itself it is no
/// JSON at all, which the parser says.
pub(super) fn is_in_json(bytes: &[u8]) -> bool {
    let mut is_escape = false;
    for (index, byte) in bytes.iter().enumerate() {
        if is_escape
            && bytes
                .get(index..)
                .is_some_and(|rest| rest.starts_with(b"u0000"))
        {
            return true;
        }
        is_escape = !is_escape && *byte == b'\\';
    }
    false
}

/// What is said of a value that holds it.
pub(super) fn refusal(pointer: impl Into<String>) -> FieldError {
    let detail = "no text may hold the character U+0000";
    FieldError::new(pointer, "invalid_value", detail)
}

#[cfg(test)]
mod tests {
    use super::is_in_json;

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
