//! The events as an `AsyncAPI` document. Source: `AsyncAPI` 3.0.0.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{
    Event, EventKind,
    data::{self, Described},
};

const EXAMPLE_MOMENT: &str = "2026-01-31T12:00:00.000Z";

/// The document: one channel, and a message for each kind of event.
pub fn asyncapi() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
    });
    let mut generator = settings.into_generator();
    let kinds = data::describe(&mut generator);
    let event = generator.subschema_for::<Event>();
    let messages: Map<_, _> = kinds
        .iter()
        .map(|kind| (kind.kind.as_str().to_owned(), message(kind, &event)))
        .collect();
    let in_channel: Map<_, _> = messages
        .keys()
        .map(|name| {
            (
                name.clone(),
                json!({"$ref": format!("#/components/messages/{name}")}),
            )
        })
        .collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Plinto events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What happens in a tenant, in one order without a gap.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "events": {
                "address": "/v1/events",
                "description": "Answers of `GET /v1/events` hold these messages in `data`.",
                "messages": in_channel,
            },
        },
        "operations": {
            "events": {
                "action": "send",
                "channel": {"$ref": "#/channels/events"},
                "summary": "Tell what happened.",
            },
        },
        "components": {
            "messages": messages,
            "schemas": generator.take_definitions(true),
        },
    })
}

fn message(kind: &Described, event: &schemars::Schema) -> Value {
    json!({
        "name": kind.kind.as_str(),
        "title": kind.kind.as_str(),
        "summary": kind.kind.description(),
        "payload": {
            "allOf": [event, {
                "type": "object",
                "properties": {
                    "type": {"const": kind.kind.as_str()},
                    "version": {"const": kind.version},
                    "data": kind.schema,
                },
            }],
        },
        "examples": [{"payload": example(kind)}],
    })
}

/// A whole event with the kind's example of data.
pub fn example(kind: &Described) -> Value {
    let actor = match kind.kind {
        EventKind::SignInFailed | EventKind::SessionCreated => json!({"type": "anonymous"}),
        _ => json!({"type": "api_key", "id": "key_01jd0000000000000000000000"}),
    };
    json!({
        "id": "evt_01jd0000000000000000000000",
        "seq": 42,
        "type": kind.kind.as_str(),
        "version": kind.version,
        "tenant_id": "tenant_01jd0000000000000000000000",
        "created_at": EXAMPLE_MOMENT,
        "result": kind.kind.result().as_str(),
        "actor": actor,
        "target": "user_01jd0000000000000000000000",
        "request_id": "req_01jd0000000000000000000000",
        "context": {"ip": "203.0.113.7", "user_agent": "Mozilla/5.0"},
        "data": kind.example,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_events() {
        let kinds = crate::events::catalogue().0;
        for kind in &kinds {
            let example = example(kind);
            let read: Event = serde_json::from_value(example.clone()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), example);
        }
    }
}
