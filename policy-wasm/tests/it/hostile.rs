//! Policies and inputs that mean harm end as an answer or as a refusal, and cost no more than they may.

use std::{collections::BTreeMap, fmt::Write as _};

use plinto_contract::policy::EvaluationRequest;
use plinto_policy::engine::{Engine, Limits, input_of};

use super::fixtures::{manifest, source};

#[path = "../hostile/mod.rs"]
#[expect(
    clippy::format_collect,
    clippy::format_push_string,
    clippy::too_many_lines,
    reason = "texts that are long on purpose"
)]
mod cases;

use cases::Case;

/// How each ends; `UPDATE=1` writes it anew.
const OUTCOMES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile/outcomes.txt");

/// `not prepared`, `allowed`, or the reason of the refusal.
fn outcome(case: &Case) -> String {
    let module = case.module();
    let source = source(&[("app/authz.rego", &module)]);
    let Ok(engine) = Engine::prepare(&manifest(), &source) else {
        return "not prepared".to_owned();
    };
    let request: EvaluationRequest = serde_json::from_value(case.request.clone()).unwrap();
    let limits = Limits::default();
    let evaluation = engine.evaluate(input_of(&request), &limits);
    let again = engine.evaluate(input_of(&request), &limits);
    assert!(
        evaluation.steps <= limits.steps,
        "{}: {}",
        case.name,
        evaluation.steps
    );
    assert_eq!(evaluation.steps, again.steps, "{}", case.name);
    match evaluation.fault {
        None => "allowed".to_owned(),
        Some(fault) => fault.reason.as_str().to_owned(),
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the variable is how the test is told to write"
)]
fn every_hostile_policy_ends_within_its_steps() {
    let cases = cases::all();
    assert!(cases.len() >= 200);
    let outcomes: BTreeMap<&str, String> = cases
        .iter()
        .map(|case| (case.name.as_str(), outcome(case)))
        .collect();
    assert_eq!(outcomes.len(), cases.len(), "two cases have one name");
    let mut text = String::new();
    for (name, outcome) in outcomes {
        writeln!(text, "{outcome}: {name}").unwrap();
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(OUTCOMES, &text).unwrap();
    }
    let known = std::fs::read_to_string(OUTCOMES).unwrap_or_default();
    let changed: Vec<(&str, &str)> = known
        .lines()
        .zip(text.lines())
        .filter(|(known, found)| known != found)
        .collect();
    assert!(known == text, "changed: {changed:#?}");
}
