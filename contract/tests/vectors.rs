//! The known answers in `vectors/` hold for the Rust types.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that can't go on should say where, and `UPDATE` is how it is told to write"
)]

use std::{fs, path::PathBuf};

use plinto_contract::{
    bundle::{Manifest, Route, Signatures},
    claims::AccessToken,
    ids::{SessionId, TenantId, UserId},
    policy::{Decision, EvaluationRequest},
    problem::{Code, Problem},
    revocation::Feed,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

fn vectors(file: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder().join(file)).unwrap()).unwrap()
}

fn cases<'a>(vectors: &'a Value, kind: &str) -> &'a [Value] {
    let cases = vectors[kind].as_array().unwrap();
    assert!(!cases.is_empty());
    cases
}

fn holds<T: DeserializeOwned + Serialize>(file: &str) {
    let vectors = vectors(file);
    for case in cases(&vectors, "valid") {
        let name = &case["name"];
        let value: T = serde_json::from_value(case["value"].clone())
            .unwrap_or_else(|error| panic!("{file}: {name} was refused: {error}"));
        let written = serde_json::to_value(&value).unwrap();
        if let Err(wrong) = same(&written, &as_written(case)) {
            panic!("{file}: {name}: {wrong}");
        }
    }
    for case in cases(&vectors, "invalid") {
        let read = serde_json::from_value::<T>(case["value"].clone());
        assert!(read.is_err(), "{file}: {} was accepted", case["name"]);
    }
}

/// The vector's value without the members that it says a reader passes over, and with those that it
/// says are written otherwise.
fn as_written(case: &Value) -> Value {
    let mut value = case["value"].clone();
    for name in case["ignored"].as_array().into_iter().flatten() {
        let ignored = value
            .as_object_mut()
            .unwrap()
            .remove(name.as_str().unwrap());
        assert!(ignored.is_some(), "{name} is not there to be ignored");
    }
    for (name, written) in case["written"].as_object().into_iter().flatten() {
        let members = value.as_object_mut().unwrap();
        members.insert(name.clone(), written.clone());
    }
    value
}

/// Whether what is written is what was read: nothing lost, nothing changed, and nothing added but
/// empty defaults.
fn same(written: &Value, read: &Value) -> Result<(), String> {
    let (Some(ours), Some(theirs)) = (written.as_object(), read.as_object()) else {
        let (Some(ours), Some(theirs)) = (written.as_array(), read.as_array()) else {
            let is_same = written == read;
            return is_same
                .then_some(())
                .ok_or_else(|| format!("{read} became {written}"));
        };
        if ours.len() != theirs.len() {
            return Err(format!("{read} became {written}"));
        }
        return ours.iter().zip(theirs).try_for_each(|(a, b)| same(a, b));
    };
    if let Some(lost) = theirs.keys().find(|name| !ours.contains_key(*name)) {
        return Err(format!("`{lost}` was lost"));
    }
    let empty = [json!(null), json!(false), json!(""), json!([]), json!({})];
    for (name, value) in ours {
        match theirs.get(name) {
            Some(read) => same(value, read)?,
            None if empty.contains(value) => {}
            None => return Err(format!("`{name}` was added: {value}")),
        }
    }
    Ok(())
}

#[test]
fn access_tokens() {
    holds::<AccessToken>("access_token.json");
}

#[test]
fn decisions() {
    holds::<Decision>("decision.json");
}

#[test]
fn evaluation_requests() {
    holds::<EvaluationRequest>("evaluation_request.json");
}

#[test]
fn signatures() {
    holds::<Signatures>("signatures.json");
}

#[test]
fn manifests() {
    holds::<Manifest>("manifest.json");
}

#[test]
fn routes() {
    holds::<Route>("route.json");
}

#[test]
fn revocation_feeds() {
    holds::<Feed>("revocation_feed.json");
}

#[test]
fn ids() {
    let vectors = vectors("ids.json");
    for case in cases(&vectors, "valid") {
        let text = case["value"].as_str().unwrap();
        let uuid = match case["prefix"].as_str().unwrap() {
            "user" => text.parse::<UserId>().unwrap().uuid(),
            "sess" => text.parse::<SessionId>().unwrap().uuid(),
            "tenant" => text.parse::<TenantId>().unwrap().uuid(),
            other => panic!("no kind {other} in this test"),
        };
        assert_eq!(uuid.to_string(), case["uuid"].as_str().unwrap());
    }
    for case in cases(&vectors, "invalid") {
        let text = case["value"].as_str().unwrap();
        assert!(text.parse::<UserId>().is_err(), "{text:?} was accepted");
    }
}

/// A code keeps its name, status and title: clients of every language switch on them.
/// `UPDATE=1` writes the table anew.
#[test]
fn problems() {
    let table: Vec<Value> = Code::ALL
        .iter()
        .map(|code| {
            json!({
                "code": code.as_str(),
                "status": code.status(),
                "title": code.title(),
                "retryable": code.is_retryable(),
            })
        })
        .collect();
    let mut example = Problem::new(
        "https://id.example.com/docs/errors",
        Code::PolicyDenied,
        "The policy does not let this request pass.",
    );
    example.instance = "/documents/7".to_owned();
    example.request_id = "req_01h455vb4pex5vsknk084sn02q".to_owned();
    example.reasons = vec!["only editors may write".to_owned()];
    let expected = json!({ "codes": table, "example": example });
    in_step(&folder().join("problem.json"), &expected);
}

/// The JSON Schemas in `schema/` are what the types say. `UPDATE=1` writes them anew.
#[test]
fn schemas_are_in_step() {
    let schemas = [
        ("access_token", schemars::schema_for!(AccessToken)),
        ("decision", schemars::schema_for!(Decision)),
        (
            "evaluation_request",
            schemars::schema_for!(EvaluationRequest),
        ),
        (
            "event",
            schemars::schema_for!(plinto_contract::events::Event),
        ),
        ("event_data", plinto_contract::events::data_schema()),
        ("manifest", schemars::schema_for!(Manifest)),
        ("problem", schemars::schema_for!(Problem)),
        ("revocation_feed", schemars::schema_for!(Feed)),
        ("route", schemars::schema_for!(Route)),
    ];
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schema");
    for (name, schema) in schemas {
        in_step(
            &folder.join(format!("{name}.json")),
            &serde_json::to_value(schema).unwrap(),
        );
    }
}

fn in_step(file: &std::path::Path, expected: &Value) {
    let text = format!("{}\n", serde_json::to_string_pretty(expected).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(file, &text).unwrap();
    }
    let found = fs::read_to_string(file).unwrap_or_default();
    assert!(
        found == text,
        "{} is out of step: run `make generate`",
        file.display()
    );
}
