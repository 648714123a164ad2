//! What of an event goes into the tree that proves the log: all of it, with a digest in place of what is
//! personal.

use serde_json::{Map, Value, json};

use super::{Event, EventContext};

/// The member that stands for the context.
pub const CONTEXT_DIGEST: &str = "context_digest";

/// The object that a leaf is made of: the event without its context.
/// `context_digest`: base64 of SHA-256 over the salt and the canonical context; absent when there is none.
pub fn leaf_object(event: &Event, context_digest: Option<String>) -> Map<String, Value> {
    let Value::Object(mut members) = json!(event) else {
        return Map::new();
    };
    members.remove("context");
    if let Some(digest) = context_digest {
        members.insert(CONTEXT_DIGEST.to_owned(), Value::String(digest));
    }
    members
}

/// 2^53: whole numbers up to here are the same in every program. Source: RFC 8785 §3.2.2.3.
const NUMBER_MAX: u64 = 1 << 53;

/// A number that no event has: a fraction, or one beyond 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("only whole numbers up to 2^53 are written in one way")]
pub struct NotCanonical;

/// The context as its digest is taken of it.
/// Errors: as [`canonical`].
pub fn canonical_context(context: &EventContext) -> Result<String, NotCanonical> {
    canonical(&json!(context))
}

/// The one way to write a value. Source: RFC 8785, for whole numbers only.
/// Errors: `NotCanonical`.
pub fn canonical(value: &Value) -> Result<String, NotCanonical> {
    let mut text = String::new();
    write(value, &mut text)?;
    Ok(text)
}

fn write(value: &Value, text: &mut String) -> Result<(), NotCanonical> {
    match value {
        Value::Number(number) => {
            let whole = number
                .as_i64()
                .filter(|whole| whole.unsigned_abs() <= NUMBER_MAX);
            text.push_str(&whole.ok_or(NotCanonical)?.to_string());
        }
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                separate(place, text);
                write(item, text)?;
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            // By UTF-16 code units: §3.2.3.
            members.sort_by_key(|(name, _)| name.encode_utf16().collect::<Vec<_>>());
            text.push('{');
            for (place, (name, value)) in members.into_iter().enumerate() {
                separate(place, text);
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(value, text)?;
            }
            text.push('}');
        }
        // Null, true, false, and texts with the escapes of §3.2.2.2.
        other => text.push_str(&other.to_string()),
    }
    Ok(())
}

fn separate(place: usize, text: &mut String) {
    if place > 0 {
        text.push(',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{catalogue, example};

    #[test]
    fn a_leaf_has_all_but_the_context() {
        let (kinds, _) = catalogue();
        for kind in &kinds {
            let written = example(kind);
            let event: Event = serde_json::from_value(written.clone()).unwrap();
            let leaf = Value::Object(leaf_object(&event, Some("d".to_owned())));
            let mut wanted = written;
            wanted.as_object_mut().unwrap().remove("context");
            wanted[CONTEXT_DIGEST] = json!("d");
            assert_eq!(leaf, wanted);
        }
    }

    /// Source: RFC 8785 §3.2.3.
    #[test]
    fn canonical_text_has_its_members_in_order_and_no_space() {
        let value = json!({
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control", "\u{f6}": "Latin Small O"
        });
        let text = canonical(&value).unwrap();
        let order = [
            "Carriage Return",
            "One",
            "Control",
            "Latin",
            "Euro",
            "Emoji",
            "Hebrew",
        ];
        let places: Vec<_> = order.iter().map(|name| text.find(name).unwrap()).collect();
        assert!(places.is_sorted(), "{text}");
    }

    /// Source: RFC 8785 §3.2.2, without its fractions.
    #[test]
    fn canonical_text_escapes_what_it_has_to_and_refuses_fractions() {
        let value = json!({
            "string": "\u{20ac}$\u{f}\nA'B\"\\\\\"/", "literals": [null, true, false], "numbers": [0, -1, 42]
        });
        assert_eq!(
            canonical(&value).unwrap(),
            "{\"literals\":[null,true,false],\"numbers\":[0,-1,42],\"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        );
        for number in [json!(0.5), json!(1e30), json!(9_007_199_254_740_993_i64)] {
            assert_eq!(canonical(&number), Err(NotCanonical), "{number}");
        }
    }
}
