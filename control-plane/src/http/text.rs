//! The one character that no text may hold: U+0000, which no text column takes.

use plinto_contract::problem::{Code, FieldError};

use crate::http::ApiError;

/// Refuses a JSON body that spells the character in one of its strings.
pub(super) fn check_json(bytes: &[u8]) -> Result<(), ApiError> {
    if is_in_json(bytes) {
        return Err(refusal(String::new()));
    }
    Ok(())
}

/// Refuses a query of which one value holds the character.
pub(super) fn check_pairs(pairs: &[(String, String)]) -> Result<(), ApiError> {
    match pairs.iter().find(|(_, value)| value.contains('\0')) {
        Some((name, _)) => Err(refusal(format!("?{name}"))),
        None => Ok(()),
    }
}

fn refusal(pointer: String) -> ApiError {
    let detail = "no text may hold the character U+0000";
    let error = FieldError::new(pointer, "invalid_value", detail);
    ApiError::fields(Code::ValidationFailed, vec![error])
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
