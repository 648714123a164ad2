//! Which rules are tests, and how each comes out. Source: OPA, "Policy Testing"; what `opa test -v`
//! says of the same rules.

use plinto_policy::{
    cases::{self, Case, Outcome, Report},
    engine::Limits,
};

use super::fixtures::{manifest, source};

fn report(files: &[(&str, &str)]) -> Report {
    let mut manifest = manifest();
    manifest.metadata.plinto.entrypoint = String::new();
    cases::run_aloud(&manifest, &source(files), &Limits::default()).unwrap()
}

fn of(rules: &str) -> Report {
    report(&[("app/rules.rego", &format!("package app.rules\n{rules}"))])
}

fn outcome(case: &Case) -> &'static str {
    match case.outcome {
        Outcome::Passed => "pass",
        Outcome::Failed(_) => "fail",
        Outcome::Errored(_) => "error",
        Outcome::Skipped => "skip",
    }
}

fn outcomes(report: &Report) -> Vec<(&str, &'static str)> {
    let cases = report.cases.iter();
    cases
        .map(|case| (case.name.as_str(), outcome(case)))
        .collect()
}

#[test]
fn rules_of_one_name_are_tests_of_their_own() {
    let report = of("test_a if { false }
        test_a if { true }
        default test_d := false
        test_d if true
        test_chain if { true } { false }");
    assert_eq!(
        outcomes(&report),
        [
            ("test_a", "fail"),
            ("test_a#01", "pass"),
            ("test_d", "fail"),
            ("test_d#01", "pass"),
            ("test_chain", "pass"),
            ("test_chain#01", "fail"),
        ]
    );
}

#[test]
fn only_true_passes() {
    let report = of("test_one := 1
        test_false := false
        test_set contains 1
        test_object[\"foo\"] if { true }
        test_text := \"true\"
        test_function(x) := true
        test_true := true
        foo.test_nested.bar if true
        foo.test_plain if true");
    assert_eq!(
        outcomes(&report),
        [
            ("test_one", "fail"),
            ("test_false", "fail"),
            ("test_set", "fail"),
            ("test_object", "fail"),
            ("test_text", "fail"),
            ("test_function", "error"),
            ("test_true", "pass"),
            ("foo.test_nested", "fail"),
            ("foo.test_plain", "pass"),
        ]
    );
}

#[test]
fn todo_is_skipped_and_neither_passed_nor_failed() {
    let report = of("todo_test_later if false\ntest_now if true\ntodo_foo.test_z if true");
    assert_eq!(
        outcomes(&report),
        [
            ("todo_test_later", "skip"),
            ("test_now", "pass"),
            ("todo_foo.test_z", "pass")
        ]
    );
    assert_eq!((report.passed(), report.skipped()), (2, 1));
    assert!(report.is_ok());
}

#[test]
fn tests_are_found_in_any_file() {
    let report = report(&[
        ("app/a.rego", "package app.a\ntest_a if true"),
        ("app/test_b.rego", "package app.b\ntest_b if true"),
        ("app/c_test.rego", "package app.c\ntest_c if true"),
    ]);
    assert_eq!(report.passed(), 3);
}

#[test]
fn a_case_that_does_not_hold_fails_its_test() {
    let report = of("test_one[x] if { some x in [\"a\", \"b\"]; x == \"a\" }
        test_all[case.note] if {
            some case in [{\"note\": \"q\", \"n\": 1}, {\"note\": \"r\", \"n\": 2}]
            case.n > 0
        }
        test_some[case.note] if {
            some case in [{\"note\": \"q\", \"n\": 1}, {\"note\": \"r\", \"n\": 2}]
            case.n > 1
        }
        test_none[x] if { some x in [] }
        test_value[x] := x if some x in [true, false]
        test_deep[x][y] if { some x in [\"a\"]; some y in [1, 2]; y < 2 }");
    assert_eq!(
        outcomes(&report),
        [
            ("test_one", "fail"),
            ("test_all", "pass"),
            ("test_some", "fail"),
            ("test_none", "pass"),
            ("test_value", "fail"),
            ("test_deep", "fail"),
        ]
    );
    let cases: Vec<(&str, bool)> = report.cases[2]
        .cases
        .iter()
        .map(|(name, passed)| (name.as_str(), *passed))
        .collect();
    assert_eq!(cases, [("q", false), ("r", true)]);
}

#[test]
fn a_failed_test_names_the_expression_that_failed() {
    let report = of("test_a if {
    x := 1
    x == 1
    x > 5; true
}
test_b if { some y in [1, 2]; y > 1; y > 2 }
test_c if not input.a == 1
test_d if allowed with input as {\"a\": 1}
allowed if input.a == 2
test_e if { input.missing } else := true if { 1 == 2 }");
    let places: Vec<Vec<(u32, u32, &str)>> = report
        .cases
        .iter()
        .map(|case| {
            let failed = case.failed.iter();
            failed
                .map(|one| (one.line, one.column, one.text.as_str()))
                .collect()
        })
        .collect();
    assert_eq!(places[0], [(5, 5, "x > 5; true")]);
    assert_eq!(places[1], [(7, 38, "y > 2")]);
    assert_eq!(places[2], []);
    assert_eq!(places[3], [(9, 11, "allowed with input as {\"a\": 1}")]);
    assert_eq!(places[4].len(), 2, "{places:?}");
}

#[test]
fn what_print_said_is_kept_with_its_place() {
    let report = of("test_a if { x := {1}; print(\"x is\", x, input.missing) }");
    let said = &report.cases[0].printed;
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].file.as_str(), said[0].line), ("app/rules.rego", 2));
    assert_eq!(said[0].text, "x is {1} <undefined>");
}
