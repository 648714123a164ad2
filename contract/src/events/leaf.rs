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

/// The context as its digest is taken of it.
/// Errors: as [`canonical`].
pub fn canonical_context(context: &EventContext) -> Result<String, serde_json::Error> {
    canonical(&json!(context))
}

/// The one way to write a value. Source: RFC 8785.
/// Errors: a number that is none of JSON's.
pub fn canonical(value: &Value) -> Result<String, serde_json::Error> {
    serde_json_canonicalizer::to_string(value)
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
}
