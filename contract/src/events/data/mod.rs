//! What an event says beside its target: a type for each kind, with an example.

mod directory;
mod identity;
mod policies;
mod tenancy;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use self::{directory::*, identity::*, policies::*, tenancy::*};
use super::EventKind;

/// The data of one kind of event: a JSON object without personal data and secrets.
pub trait EventData: Serialize {
    /// The only kind that it is the data of.
    const KIND: EventKind;
    /// Rises when a member changes its meaning or goes; a new member does not raise it.
    const VERSION: i64 = 1;
}

/// What there is to know of one kind of event.
#[derive(Debug)]
pub struct Described {
    /// Which kind.
    pub kind: EventKind,
    /// The version of the shape of its data.
    pub version: i64,
    /// The JSON Schema of its data.
    pub schema: Schema,
    /// Data that an event of this kind may have.
    pub example: Value,
}

/// Structs that are called as their kinds, and after each an example. In the file's `describe`.
macro_rules! data {
    ($($(#[$attribute:meta])+ $name:ident { $($fields:tt)* } like { $($example:tt)* })+) => {
        $(
            $(#[$attribute])+
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
            #[serde(deny_unknown_fields)]
            pub struct $name { $($fields)* }

            impl EventData for $name {
                const KIND: EventKind = EventKind::$name;
            }
        )+

        pub(super) fn describe(generator: &mut SchemaGenerator) -> Vec<Described> {
            vec![$(Described {
                kind: $name::KIND,
                version: $name::VERSION,
                schema: generator.subschema_for::<$name>(),
                example: json!({ $($example)* }),
            }),+]
        }

        #[cfg(test)]
        #[test]
        fn examples_are_data_of_their_kinds() {
            $(
                let example = json!({ $($example)* });
                let read: $name = serde_json::from_value(example.clone()).unwrap();
                assert_eq!(json!(read), example, "{:?}", $name::KIND);
            )+
        }
    };
}
use data;

/// Every kind, in the order of the table, and the definitions that their schemas refer to.
pub fn catalogue() -> (Vec<Described>, Map<String, Value>) {
    let mut generator = SchemaGenerator::default();
    let kinds = describe(&mut generator);
    (kinds, generator.take_definitions(true))
}

/// Every kind, in the order of the table; the generator has the definitions.
pub(super) fn describe(generator: &mut SchemaGenerator) -> Vec<Described> {
    let mut all = tenancy::describe(generator);
    all.extend(directory::describe(generator));
    all.extend(identity::describe(generator));
    all.extend(policies::describe(generator));
    let place = |kind| EventKind::ALL.iter().position(|known| *known == kind);
    all.sort_by_key(|described| place(described.kind));
    all
}

/// An object with a member for each kind, and the schema of its data in it.
pub fn data_schema() -> Schema {
    let mut generator = SchemaGenerator::default();
    let kinds: Map<_, _> = describe(&mut generator)
        .into_iter()
        .map(|described| (described.kind.as_str().to_owned(), described.schema.into()))
        .collect();
    json_schema!({
        "$schema": generator.settings().meta_schema,
        "title": "EventData",
        "description": "What `data` of an event holds, by its `type`.",
        "type": "object",
        "properties": kinds,
        "$defs": generator.definitions(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixMillis;

    #[test]
    fn what_is_absent_is_not_written() {
        let rotated = |retires_at| SigningKeyRotated {
            purpose: "token".to_owned(),
            kid: "k".to_owned(),
            retires_at,
        };
        assert_eq!(
            json!(rotated(None)),
            json!({"purpose": "token", "kid": "k"})
        );
        assert_eq!(
            json!(rotated(Some(UnixMillis(0)))),
            json!({"purpose": "token", "kid": "k", "retires_at": "1970-01-01T00:00:00.000Z"})
        );
        assert_eq!(json!(TenantSessionsRevoked {}), json!({}));
    }

    #[test]
    fn every_kind_is_described_once() {
        let (kinds, _) = catalogue();
        let described: Vec<_> = kinds.iter().map(|one| one.kind).collect();
        assert_eq!(described, EventKind::ALL);
    }
}
