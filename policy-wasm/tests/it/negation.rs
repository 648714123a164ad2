//! Where OPA answers "undefined", and a policy must not allow: `not` and `with`.

use plinto_contract::policy::DenyReason;
use plinto_policy::{
    cases,
    diagnostics::PolicyError,
    engine::{Engine, Limits},
};

use super::fixtures::*;

/// Runs a policy's own tests and names those that did not pass.
fn failing(policy: &str, tests: &str) -> Result<Vec<String>, PolicyError> {
    let policy = format!("package app.authz\n{policy}");
    let tests = format!("package app.authz_test\nimport data.app.authz\n{tests}");
    let files = [
        ("app/authz/policy.rego", policy.as_str()),
        ("app/authz/policy_test.rego", tests.as_str()),
    ];
    let report = cases::run(&manifest(), &source(&files), &Limits::default())?;
    assert!(!report.cases.is_empty());
    Ok(report.failures().map(|case| case.name.clone()).collect())
}

/// An argument that is undefined makes the whole expression undefined, its negation too.
#[test]
fn a_negated_call_without_its_argument_allows_nothing() {
    let policy = "decision := {\"allow\": ok}
default ok := false
ok if not from_kitchen(input.badge)
from_kitchen(badge) if startswith(badge, \"k-\")
builtin if not startswith(input.badge, \"k-\")
local if {
	parts := split(input.path, \"/\")
	not from_kitchen(parts[2])
}";
    let tests = "test_without_a_badge if not authz.decision.allow with input as {}
test_builtin if not authz.builtin with input as {}
test_local if not authz.local with input as {\"path\": \"a/b\"}
test_local_found if authz.local with input as {\"path\": \"a/b/c\"}
test_kitchen if not authz.decision.allow with input as {\"badge\": \"k-1\"}
test_office if authz.decision.allow with input as {\"badge\": \"o-1\"}";
    assert_eq!(failing(policy, tests).unwrap(), Vec::<String>::new());
    let evaluation = evaluate(policy, "{}");
    assert!(!evaluation.decision.allow && evaluation.fault.is_none());
    assert!(evaluate(policy, r#"{"badge":"o-1"}"#).decision.allow);
}

/// A rule that a `with` needs for its value is evaluated anew inside it.
#[test]
fn a_rule_behind_the_value_of_with_counts_inside_it_too() {
    let policy = "front := \"lobby\"
room := input.room
room := front if not input.room
decision := {\"allow\": ok}
default ok := false
ok if permitted with input as {\"room\": room}
default permitted := false
permitted if not closed
closed if input.room == front
seen := input.n";
    let tests = "test_named if not authz.decision.allow with input as {\"room\": \"lobby\"}
test_meant if not authz.decision.allow with input as {}
test_attic if authz.decision.allow with input as {\"room\": \"attic\"}
request := {\"n\": 9, \"room\": \"attic\"}
test_same_rule if authz.seen == request.n with input as request";
    assert_eq!(failing(policy, tests).unwrap(), Vec::<String>::new());
    assert!(!evaluate(policy, "{}").decision.allow);
    assert!(!evaluate(policy, r#"{"room":"lobby"}"#).decision.allow);
    assert!(evaluate(policy, r#"{"room":"attic"}"#).decision.allow);
}

/// An error of a builtin is undefined, so another rule may still allow. Source: OPA.
#[test]
fn an_error_of_a_builtin_is_undefined() {
    let policy = "decision := {\"allow\": ok}
default ok := false
ok if to_number(input.floor) <= 2
ok if input.boss
default limit := 2
limit := to_number(input.limit)
exempt := object.get(input.parameters, \"exempt\", [])";
    let tests =
        "test_boss if authz.decision.allow with input as {\"floor\": \"roof\", \"boss\": true}
test_roof if not authz.decision.allow with input as {\"floor\": \"roof\"}
test_limit if authz.limit == 2 with input as {\"limit\": \"none\"}
test_null if not authz.exempt with input as {\"parameters\": null}";
    assert_eq!(failing(policy, tests).unwrap(), Vec::<String>::new());
}

/// A limit that was reached is no "undefined", which a negation would make true.
#[test]
fn a_limit_behind_a_negation_allows_nothing() {
    let policy = "decision := {\"allow\": ok}
ok if not count([1 | some i in numbers.range(1, 400); some j in numbers.range(1, 400)]) == 0";
    let evaluation = evaluate(policy, "{}");
    assert!(!evaluation.decision.allow);
    let fault = evaluation.fault.unwrap();
    assert_eq!(fault.reason, DenyReason::LimitReached);
}

/// An error is told at its place, with that line.
#[test]
fn an_error_of_an_evaluation_tells_the_authors_line() {
    let policy = "package app.authz\n\ndecision := {\"allow\": ok}\n\nok if not f(input.a)\n\nf(a) := 1 if a\n\nf(a) := 2 if a\n";
    let source = source(&[("app/authz/policy.rego", policy)]);
    let engine = Engine::prepare(&manifest(), &source).unwrap();
    let evaluation = engine.evaluate(input(r#"{"a":0}"#), &Limits::default());
    let fault = evaluation.fault.unwrap();
    assert_eq!(fault.reason, DenyReason::EvaluationError);
    let detail = fault.detail;
    assert!(
        detail.contains("app/authz/policy.rego:9:1: eval_conflict_error"),
        "{detail}"
    );
    assert!(detail.contains("9 | f(a) := 2 if a"), "{detail}");
}

/// What OPA gives a value and a limit of ours does not ends the decision: undefined, it would turn a `not`
/// around it true.
#[test]
fn what_is_beyond_a_limit_is_not_undefined() {
    let deep = "[".repeat(300) + &"]".repeat(300);
    let token = "concat(\".\", [base64url.encode_no_pad(\"{\\\"alg\\\":\\\"none\\\"}\"), \
                 base64url.encode_no_pad(sprintf(\"{\\\"a\\\":%s}\", [input.deep])), \"\"])";
    let beyond = [
        "bits.lsh(1, 90000) > 1".to_owned(),
        "1e5000 + 1e5000 > 1".to_owned(),
        "product([1e3000, 1e3000]) > 1".to_owned(),
        "sum([1e5000, 1e5000]) > 1".to_owned(),
        "json.unmarshal(input.deep)".to_owned(),
        "yaml.unmarshal(input.deep)".to_owned(),
        "yaml.is_valid(input.deep)".to_owned(),
        "json.match_schema(input.deep, {})".to_owned(),
        "json.verify_schema(input.deep)".to_owned(),
        format!("io.jwt.decode({token})"),
        "io.jwt.verify_rs256(\"a.b.c\", input.deep)".to_owned(),
        "io.jwt.encode_sign_raw(sprintf(`{\"alg\":\"HS256\",\"a\":%s}`, [input.deep]), `{}`, \
         `{\"kty\":\"oct\",\"k\":\"AAAA\"}`)"
            .to_owned(),
    ];
    for call in beyond {
        let rules = format!(
            "decision := {{\"allow\": true}} if not is_blocked\nis_blocked if {{ {call} }}"
        );
        let input = serde_json::json!({ "deep": deep }).to_string();
        assert_eq!(
            evaluate(&rules, &input).fault.map(|fault| fault.reason),
            Some(DenyReason::LimitReached),
            "{call}"
        );
    }
}

/// A rule without a value that stands for a function ends the decision, too: in OPA `chk(x)` then holds.
#[test]
fn a_rule_without_a_value_replaces_no_function() {
    for expr in ["not chk(9)", "chk(9)", "not chk(1)", "count([1]) == 1"] {
        let rules = format!(
            "decision := {{\"allow\": true}} if {expr} with chk as never with count as never
chk(x) := true if x > 5
never if input.nope"
        );
        let fault = evaluate(&rules, "{}").fault.map(|fault| fault.reason);
        assert_eq!(fault, Some(DenyReason::EvaluationError), "{expr}");
    }
}
