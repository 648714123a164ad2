//! Patterns: what they cost, and that none costs more than there is.

use crate::{
    budget::{Budget, Exhausted},
    builtins::{CallError, Context, Patterns, find},
    value::Value,
};

/// Calls a builtin and counts its steps.
fn call(
    patterns: &Patterns,
    name: &str,
    arguments: &[&str],
) -> (Result<Option<Value>, CallError>, u64) {
    let budget = Budget::new(40_000);
    let context = Context {
        budget: &budget,
        now_ns: 0,
        patterns,
    };
    let arguments: Vec<Value> = arguments.iter().map(|text| Value::from(*text)).collect();
    let result = (find(name).unwrap().call)(&context, &arguments);
    (result, budget.spent())
}

fn is_match(pattern: &str, text: &str) -> Result<Option<Value>, CallError> {
    call(&Patterns::default(), "regex.match", &[pattern, text]).0
}

#[test]
fn a_pattern_costs_the_same_each_time() {
    let patterns = Patterns::default();
    let (_, first) = call(&patterns, "regex.match", &[r"^\w{1,200}$", "alice"]);
    let (_, second) = call(&patterns, "regex.match", &[r"^\w{1,200}$", "alice"]);
    assert_eq!(first, second);
}

#[test]
fn a_prepared_pattern_costs_only_its_use() {
    let mut patterns = Patterns::default();
    let pattern = Value::from(r"^\w{1,200}$");
    let (_, before) = call(&patterns, "regex.match", &[r"^\w{1,200}$", "alice"]);
    patterns.prepare("regex.match", &[Some(&pattern), None]);
    let (found, after) = call(&patterns, "regex.match", &[r"^\w{1,200}$", "alice"]);
    assert_eq!(found, Ok(Some(Value::from(true))));
    assert!(after < before && after < 200, "{after} of {before} steps");
}

#[test]
fn only_patterns_are_prepared() {
    let mut patterns = Patterns::default();
    let pattern = Value::from("*.example.com");
    let delimiters = Value::array(Vec::new());
    patterns.prepare("glob.match", &[Some(&pattern), Some(&delimiters), None]);
    patterns.prepare("regex.match", &[Some(&Value::from("(")), None]);
    patterns.prepare("regex.match", &[]);
    patterns.prepare("count", &[Some(&pattern)]);
}

#[test]
fn many_patterns_are_not_kept_for_ever() {
    let patterns = Patterns::default();
    for number in 0..1_000 {
        let pattern = format!("^{number}{{1,50}}$");
        let (found, _) = call(&patterns, "regex.match", &[&pattern, "7"]);
        assert!(found.is_ok());
    }
    assert!(format!("{patterns:?}").starts_with("Patterns"));
}

#[test]
fn hostile_patterns_end_with_the_budget() {
    let steps = Err(CallError::Exhausted(Exhausted::Steps));
    let deep = "(".repeat(100_000);
    assert!(matches!(
        is_match(&deep, ""),
        Err(CallError::Builtin(_) | CallError::Exhausted(_))
    ));
    let nested = format!("{}a{}", "(".repeat(990), ")".repeat(990));
    assert_eq!(is_match(&nested, "a"), Ok(Some(Value::from(true))));
    let nested = format!("{}a{}", "(".repeat(1_000), ")".repeat(1_000));
    assert!(matches!(is_match(&nested, "a"), Err(CallError::Builtin(_))));
    assert!(matches!(
        is_match("(a{1000}){1000}", "a"),
        Err(CallError::Builtin(_))
    ));
    let large = "a{1000}".repeat(200);
    assert!(matches!(is_match(&large, "a"), Err(CallError::Builtin(_))));
    assert_eq!(is_match(&r"\pL{1000}".repeat(100), "a"), steps);
    assert_eq!(is_match(&r"\pL".repeat(10_000), "a"), steps);
    assert_eq!(is_match(&"[[:".repeat(300_000), "a"), steps);
    assert_eq!(is_match(&"{".repeat(1_000_000), "a"), steps);
    assert_eq!(
        is_match("(a*)*(a*)*(a|b){1,900}$", &"a".repeat(100_000)),
        steps
    );
    assert_eq!(is_match("(x+x+)+y", &"x".repeat(1_000_000)), steps);
    let captures = "(a)".repeat(5_000);
    let found = call(&Patterns::default(), "regex.find_n", &[&captures, "a"]).0;
    assert!(matches!(
        found,
        Err(CallError::Type(_) | CallError::Exhausted(_))
    ));
}

#[test]
fn hostile_replacements_and_globs_end_with_the_budget() {
    let patterns = Patterns::default();
    let steps = Err(CallError::Exhausted(Exhausted::Steps));
    let text = "a".repeat(10_000);
    let replacement = "$0".repeat(10_000);
    assert_eq!(
        call(&patterns, "regex.replace", &[&text, "a+|", &replacement]).0,
        steps
    );
    let one = "a*b*".repeat(250);
    let other = "[ab]*c*".repeat(250);
    let found = call(&patterns, "regex.globs_match", &[&one, &other]).0;
    assert!(matches!(
        found,
        Err(CallError::Exhausted(_) | CallError::Builtin(_))
    ));
    let glob = "*a".repeat(1_000);
    let budget = Budget::new(40_000);
    let context = Context {
        budget: &budget,
        now_ns: 0,
        patterns: &patterns,
    };
    let arguments = [
        Value::from(glob),
        Value::Null,
        Value::from("a".repeat(100_000)),
    ];
    assert_eq!(
        (find("glob.match").unwrap().call)(&context, &arguments),
        steps
    );
}
