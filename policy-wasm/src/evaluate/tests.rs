//! The plan's answers beside OPA's.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{Evaluation, Settings, Stop};
use crate::{
    budget::Budget,
    check::{CheckedModule, check},
    front::{Dialect, parse_as},
    plan,
    value::Value,
};

/// Small policies, one a package, whose answer is `p`.
const IDIOMS: &str = include_str!("../../conformance/idioms.rego");
const INPUT: &str = include_str!("../../conformance/idioms_input.json");
const DATA: &str = include_str!("../../conformance/idioms_data.json");
/// What OPA answers; `scripts/rego-answers.py` writes it.
const ANSWERS: &str = include_str!("../../conformance/idioms.json");
/// The same in the older Rego.
const OLDER: &str = include_str!("../../conformance/v0.rego");
const OLDER_ANSWERS: &str = include_str!("../../conformance/v0.json");
/// Where we answer otherwise, and why.
const KNOWN: [(&str, &str); 1] = [(
    "print_and_trace",
    "`trace` is refused: nothing reads its notes",
)];

#[derive(serde::Deserialize)]
struct Answers {
    answers: BTreeMap<String, Json>,
}

fn answer(dialect: Dialect, path: &[&str], module: &str) -> Json {
    let error = |error: &dyn std::fmt::Display| serde_json::json!({"error": error.to_string()});
    let module = match parse_as(dialect, module) {
        Ok(module) => module,
        Err(why) => return error(&why),
    };
    let checked = CheckedModule {
        path: "module.rego",
        text: "",
        module: &module,
    };
    if let Some(finding) = check(&[checked]).first() {
        return error(&finding.message);
    }
    let data = Value::from_json_text(DATA).unwrap();
    let plan = match plan::compile(&[("idiom.rego", &module)], &data) {
        Ok(plan) => plan,
        Err(errors) => return error(&errors[0].1.message),
    };
    let budget = Budget::new(100_000);
    let mut evaluation = Evaluation::new(Settings {
        plan: &plan,
        budget: &budget,
        input: Some(Value::from_json_text(INPUT).unwrap()),
        now_ns: 0,
        is_strict: false,
        hears_prints: false,
    });
    match evaluation.ask_path(path) {
        Ok(None) => Json::from("undefined"),
        Ok(Some(value)) => {
            let value: Json = serde_json::from_str(&value.to_json_text()).unwrap();
            serde_json::json!({"value": value})
        }
        Err(Stop::Error(why)) => error(&why.message),
        Err(Stop::Exhausted(why)) => error(&why),
    }
}

/// Compares every package that begins so with what OPA answers.
fn compare(dialect: Dialect, package: &str, modules: &str, answers: &str) {
    let answers: Answers = serde_json::from_str(answers).unwrap();
    let mut wrong = Vec::new();
    let mut seen = 0;
    let begin = format!("package {package}.");
    for text in modules.split(&begin).skip(1) {
        seen = usize::saturating_add(seen, 1);
        let name = text.lines().next().unwrap();
        let wanted = &answers.answers[name];
        let found = answer(dialect, &[package, name, "p"], &format!("{begin}{text}"));
        let is_same = *wanted == found || (!wanted["error"].is_null() && !found["error"].is_null());
        if is_same == KNOWN.iter().any(|(known, _)| *known == name) {
            let text = text.trim();
            wrong.push(format!("{text}\n  OPA: {wanted}\n  here: {found}"));
        }
    }
    assert_eq!(seen, answers.answers.len());
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n\n"), wrong.len());
}

/// OPA's answers are ours, first of all where something is undefined.
#[test]
fn every_idiom_is_answered_as_opa_answers_it() {
    compare(Dialect::V1, "idiom", IDIOMS, ANSWERS);
}

#[test]
fn rego_v0_is_answered_as_opa_answers_it() {
    compare(Dialect::V0, "older", OLDER, OLDER_ANSWERS);
}
