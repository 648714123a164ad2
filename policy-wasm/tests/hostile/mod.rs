//! Policies and inputs that mean harm: each must end, soon, as an answer or as a refusal.
//!
//! [`written`] holds those that were written down, in `policies.rego`; the other files generate theirs.
//! The tests run them for their outcome, the bench for time and memory.

mod builtins;
mod evaluations;
mod texts;
mod values;
mod written;

use serde_json::{Value, json};

/// One policy: rules that define `p`, and an input.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub name: String,
    pub rules: String,
    pub request: Value,
}

impl Case {
    fn new(name: impl Into<String>, rules: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            rules: rules.into(),
            request: request(),
        }
    }

    /// The module, whose decision needs `p`.
    pub(super) fn module(&self) -> String {
        let rules = &self.rules;
        format!("package app.authz\n\ndecision := {{\"allow\": true}} if _ = p\n\n{rules}\n")
    }
}

/// All of them.
pub(super) fn all() -> Vec<Case> {
    let mut cases = written::cases();
    cases.extend(texts::cases());
    cases.extend(values::cases());
    cases.extend(evaluations::cases());
    cases.extend(builtins::cases());
    cases
}

/// As much as an input may hold: lists, a text, an object, something deep, a dense graph.
fn request() -> Value {
    let list: Vec<usize> = (1..=1000).collect();
    let texts: Vec<String> = (0..200)
        .map(|at| format!("a text of the input, {at}"))
        .collect();
    let object: Value = (0..300)
        .map(|at| (format!("name{at}"), json!(at)))
        .collect();
    let deep = (0..50).fold(json!(1), |below, _| json!([below]));
    let nodes: Vec<String> = (0..24).map(|at| format!("n{at}")).collect();
    let graph: Value = nodes
        .iter()
        .map(|node| (node.clone(), json!(nodes)))
        .collect();
    json!({
        "subject": {"type": "user", "id": "u", "properties": {"roles": ["a", "b"]}},
        "action": {"name": "read"},
        "resource": {"type": "document", "id": "7", "properties": {}},
        "context": {
            "list": list, "texts": texts, "object": object, "deep": deep, "graph": graph,
            "text": "a".repeat(10_000), "time": 1_794_387_660,
        },
    })
}

/// Rules `{name}0` to `{name}{times}`, each made of the one before, which stands for `@`.
fn grown(name: &str, first: &str, step: &str, times: usize) -> String {
    let mut rules = format!("{name}0 := {first}\n");
    for at in 1..=times {
        let step = step.replace('@', &format!("{name}{}", at - 1));
        rules.push_str(&format!("{name}{at} := {step}\n"));
    }
    rules
}
