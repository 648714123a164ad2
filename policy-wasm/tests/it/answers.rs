//! What a policy may answer, and what becomes of it: `contract/vectors/answers.json`.

use std::{fs, path::PathBuf};

use plinto_contract::{
    bundle::{Answer, Manifest},
    policy::{Decision, DenyReason},
};
use plinto_policy::engine::{Engine, Evaluation, Limits};
use serde::Deserialize;
use serde_json::Value;

use super::fixtures::{input, manifest, policy};

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    answer: Answer,
    /// The entrypoint's value.
    value: Value,
    decision: Decision,
    /// Where the decision is a fault's.
    #[serde(default)]
    fault: Option<DenyReason>,
}

fn asking(entrypoint: &str, answer: Answer) -> Manifest {
    let mut manifest = manifest();
    manifest.metadata.plinto.entrypoint = entrypoint.to_owned();
    manifest.metadata.plinto.answer = answer;
    manifest
}

fn answered(manifest: &Manifest, rules: &str, json: &str) -> Evaluation {
    let engine = Engine::prepare(manifest, &policy(rules)).unwrap();
    engine.evaluate(input(json), &Limits::default())
}

#[test]
fn every_answer_becomes_its_decision() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../contract/vectors/answers.json");
    let vectors: Vectors = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    for case in vectors.cases {
        let manifest = asking("app/authz/decision", case.answer);
        let found = answered(&manifest, &format!("decision := {}", case.value), "{}");
        let name = &case.name;
        assert_eq!(found.decision, case.decision, "{name}");
        assert_eq!(found.fault.map(|fault| fault.reason), case.fault, "{name}");
    }
}

#[test]
fn a_set_of_violations_allows_when_it_is_empty() {
    let manifest = asking("app/authz/deny", Answer::Violations);
    let rules =
        "deny contains msg if { input.n > 1; msg := sprintf(\"%d is too many\", [input.n]) }
        deny contains {\"msg\": \"no\", \"details\": {}} if input.no";
    let allowed = answered(&manifest, rules, r#"{"n":1}"#);
    assert!(allowed.decision.allow && allowed.fault.is_none());
    let refused = answered(&manifest, rules, r#"{"n":2,"no":true}"#);
    assert!(!refused.decision.allow && refused.fault.is_none());
    assert_eq!(refused.decision.reasons, ["2 is too many", "no"]);
}

#[test]
fn a_package_answers_with_its_members() {
    let rules = "default allow := false
        allow if input.user == \"kim\"
        reasons contains \"only kim\" if not allow
        obligations := {\"log\": true}
        helper(x) := x
        violation contains 1";
    let manifest = asking("app/authz", Answer::Allow);
    let allowed = answered(&manifest, rules, r#"{"user":"kim"}"#);
    assert!(allowed.decision.allow, "{allowed:?}");
    assert_eq!(allowed.decision.obligations["log"], true);
    let refused = answered(&manifest, rules, "{}");
    assert_eq!(refused.decision.reasons, ["only kim"]);

    let undefined = answered(&manifest, "allow if input.user\nother := 1", "{}");
    let fault = undefined.fault.unwrap();
    assert_eq!(fault.reason, DenyReason::Undefined);
    assert!(
        fault.detail.contains("`data.app.authz.allow`"),
        "{}",
        fault.detail
    );
}

#[test]
fn a_path_to_several_rules_is_an_entrypoint() {
    let rules = "default decision.allow := false
        decision.allow if input.yes
        decision.reasons := [\"why\"]";
    for answer in [Answer::Decision, Answer::Allow] {
        let manifest = asking("app/authz/decision", answer);
        let refused = answered(&manifest, rules, "{}");
        assert_eq!((refused.decision.allow, refused.fault), (false, None));
        assert_eq!(refused.decision.reasons, ["why"]);
        assert!(answered(&manifest, rules, r#"{"yes":true}"#).decision.allow);
    }
}

#[test]
fn an_entrypoint_must_be_able_to_answer_so() {
    for (answer, rule) in [
        (Answer::Boolean, "decision contains 1"),
        (Answer::Allow, "decision contains 1"),
        (Answer::Violations, "decision(x) := x"),
        (Answer::Boolean, "other := 1"),
    ] {
        let manifest = asking("app/authz/decision", answer);
        let error = Engine::prepare(&manifest, &policy(rule)).unwrap_err();
        assert_eq!(error.diagnostics[0].kind.as_str(), "entrypoint", "{rule}");
    }
}

#[test]
fn an_error_of_a_builtin_refuses_only_where_the_manifest_is_strict() {
    let rules = "decision := false if to_number(input.n) > 1
        decision := true if input.ok";
    let mut manifest = asking("app/authz/decision", Answer::Boolean);
    let asked = r#"{"n":"x","ok":true}"#;
    assert!(answered(&manifest, rules, asked).decision.allow);
    manifest.metadata.plinto.strict_builtin_errors = true;
    let refused = answered(&manifest, rules, asked);
    assert_eq!(refused.decision.reasons, ["evaluation_error"]);
    assert!(
        answered(&manifest, rules, r#"{"n":"1","ok":true}"#)
            .decision
            .allow
    );
}

#[test]
fn one_violation_refuses_however_many_there_are() {
    let manifest = asking("app/authz/deny", Answer::Violations);
    let rules = "deny contains sprintf(\"%d\", [n]) if some n in numbers.range(1, 200)";
    let found = answered(&manifest, rules, "{}");
    assert!(!found.decision.allow);
    assert_eq!(found.decision.reasons.len(), 64);
    let long = "deny contains x if x := concat(\"\", [\"y\" | some _ in numbers.range(1, 3000)])";
    assert!(!answered(&manifest, long, "{}").decision.allow);
}
