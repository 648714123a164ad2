//! Every builtin beside OPA's answers, which `scripts/rego-calls.py` records.

use super::{CallError, Context, Patterns, find};
use crate::{
    budget::Budget,
    front::{constant, parse_term},
    value::Value,
};

/// 2026-11-28T12:00:00Z.
const NOW_NS: i64 = 1_795_867_200_000_000_000;

fn value_of(text: &str) -> Value {
    parsed(text).unwrap_or_else(|| panic!("{text} is no constant"))
}

fn parsed(text: &str) -> Option<Value> {
    constant(&parse_term(text).ok()?)
}

/// As the recorded answers say it.
fn answer(line: &str) -> String {
    let mut parts = line.split('\t');
    let name = parts.next().unwrap();
    let arguments: Vec<Value> = parts.map(value_of).collect();
    let Some(builtin) = find(name) else {
        return "missing".to_owned();
    };
    let budget = Budget::new(1_000_000);
    let context = Context {
        budget: &budget,
        now_ns: NOW_NS,
        patterns: &Patterns::default(),
    };
    match (builtin.call)(&context, &arguments) {
        Ok(Some(value)) => value.to_string().replace('\n', "\\n"),
        Ok(None) => "undefined".to_owned(),
        Err(CallError::Type(why)) => format!("! eval_type_error: {name}: {why}"),
        Err(CallError::Builtin(why)) => format!("! eval_builtin_error: {name}: {why}"),
        Err(CallError::Conflict(why)) => format!("! eval_conflict_error: {why}"),
        Err(CallError::Exhausted(why)) => format!("! {why}"),
    }
}

/// Errors are compared by their code: their words are for people.
fn is_same(found: &str, wanted: &str) -> bool {
    let code = |text: &str| text.split(": ").next().map(str::to_owned);
    match (found.starts_with("! "), wanted.starts_with("! ")) {
        (true, true) => code(found) == code(wanted),
        (false, false) => {
            found == wanted || parsed(found).is_some_and(|value| Some(value) == parsed(wanted))
        }
        _ => false,
    }
}

fn every_call_is_answered_as_opa_answers_it(calls: &str, answers: &str) {
    assert_eq!(calls.lines().count(), answers.lines().count());
    let mut wrong = Vec::new();
    for (call, wanted) in calls.lines().zip(answers.lines()) {
        let found = answer(call);
        if !is_same(&found, wanted) {
            wrong.push(format!("{call}\n  ours: {found}\n  OPA:  {wanted}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n{} differ",
        wrong.join("\n"),
        wrong.len()
    );
}

macro_rules! areas {
    ($($area:ident)*) => {$(
        #[test]
        fn $area() {
            every_call_is_answered_as_opa_answers_it(
                include_str!(concat!("../../conformance/calls/", stringify!($area), ".txt")),
                include_str!(concat!("../../conformance/calls/", stringify!($area), ".answers")),
            );
        }
    )*};
}

areas! { aggregates arrays bits comparison crypto encoding glob graph json json_paths json_schema net numbers objects regex semver sets sprintf strings templates time tokens types units uri uuid x509 yaml }
