//! Small bundles to try things on.

use std::collections::BTreeMap;

use plinto_contract::bundle::{Answer, Manifest, Metadata, PlintoMetadata};
use plinto_policy::{
    bundle::Source,
    diagnostics::PolicyError,
    engine::{Engine, Evaluation, Limits, Value},
};

pub(crate) fn manifest() -> Manifest {
    Manifest {
        revision: String::new(),
        roots: vec!["app".to_owned(), "plinto".to_owned()],
        rego_version: 1,
        file_rego_versions: BTreeMap::new(),
        metadata: Metadata {
            plinto: PlintoMetadata {
                entrypoint: "app/authz/decision".to_owned(),
                answer: Answer::default(),
                strict_builtin_errors: false,
                activation: None,
            },
            other: BTreeMap::new(),
        },
    }
}

pub(crate) fn source(files: &[(&str, &str)]) -> Source {
    Source {
        files: files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect(),
    }
}

/// A bundle with one policy, whose package line is line 1.
pub(crate) fn policy(rules: &str) -> Source {
    let text = format!("package app.authz\n{rules}");
    source(&[("app/authz/policy.rego", &text)])
}

pub(crate) fn prepare(rules: &str) -> Result<Engine, PolicyError> {
    Engine::prepare(&manifest(), &policy(rules))
}

pub(crate) fn input(json: &str) -> Value {
    Value::from_json_text(json).unwrap()
}

pub(crate) fn evaluate(rules: &str, json: &str) -> Evaluation {
    let engine = prepare(rules).unwrap();
    engine.evaluate(input(json), &Limits::default())
}
