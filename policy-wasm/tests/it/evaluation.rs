//! The decision contract, and the bounds that hold whatever the policy does.

use std::{collections::BTreeMap, fmt::Write as _};

use plinto_contract::policy::{Action, Decision, DenyReason, EvaluationRequest, Resource, Subject};
use plinto_policy::engine::{Limits, Value, input_of};
use serde_json::json;

use super::fixtures::*;

/// Three nested loops over 64 values: 262,144 turns.
const EXPENSIVE: &str = "expensive if {
	some x in input.list
	some y in input.list
	some z in input.list
	x + y + z < 0
}";

fn sixty_four() -> String {
    let list: Vec<usize> = (1..=64).collect();
    json!({ "list": list }).to_string()
}

fn fault(rules: &str, json: &str) -> Option<DenyReason> {
    let evaluation = evaluate(rules, json);
    let reason = evaluation.fault.map(|fault| fault.reason);
    if let Some(reason) = reason {
        assert!(!evaluation.decision.allow);
        assert_eq!(evaluation.decision.reasons, [reason.as_str()]);
        assert!(evaluation.decision.obligations.is_empty());
    }
    reason
}

#[test]
fn a_policy_decides_with_reasons_and_obligations() {
    let rules = "decision := {\"allow\": allow, \"reasons\": reasons, \"obligations\": {\"mask\": {\"b\", \"a\"}}}
default allow := false
allow if input.subject == \"ada\"
reasons contains \"second\" if not allow
reasons contains \"first\" if not allow";
    let allowed = evaluate(rules, r#"{"subject":"ada"}"#);
    assert!(allowed.fault.is_none());
    assert!(allowed.decision.allow);
    let denied = evaluate(rules, r#"{"subject":"eve"}"#);
    assert!(denied.fault.is_none());
    assert_eq!(
        denied.decision,
        Decision {
            allow: false,
            reasons: vec!["first".to_owned(), "second".to_owned()],
            obligations: serde_json::from_str(r#"{"mask":["a","b"]}"#).unwrap(),
        }
    );
}

#[test]
fn whatever_is_not_a_decision_is_a_refusal() {
    for (rules, reason) in [
        (
            "decision := {\"allow\": true} if input.never",
            DenyReason::Undefined,
        ),
        ("decision := true", DenyReason::WrongShape),
        ("decision := {}", DenyReason::WrongShape),
        ("decision := {\"allow\": \"true\"}", DenyReason::WrongShape),
        ("decision := {\"allow\": 1}", DenyReason::WrongShape),
        (
            "decision := {\"allow\": true, \"alow\": false}",
            DenyReason::WrongShape,
        ),
        (
            "decision := {\"allow\": true, 1: 2}",
            DenyReason::WrongShape,
        ),
        (
            "decision := {\"allow\": true, \"reasons\": \"x\"}",
            DenyReason::WrongShape,
        ),
        (
            "decision := {\"allow\": true, \"reasons\": [1]}",
            DenyReason::WrongShape,
        ),
        (
            "decision := {\"allow\": true, \"obligations\": []}",
            DenyReason::ObligationsInvalid,
        ),
        (
            "decision := {\"allow\": true, \"obligations\": {\"x\": concat(\"é\", [\"\" | numbers.range(1, 683)[_]])}}",
            DenyReason::ObligationsInvalid,
        ),
        (
            "decision := {\"allow\": true, \"obligations\": {1: 2}}",
            DenyReason::ObligationsInvalid,
        ),
        (
            "decision := {\"allow\": to_number(\"x\") == 1}",
            DenyReason::Undefined,
        ),
        (
            "decision := {\"allow\": 1 / input.zero == 1}",
            DenyReason::Undefined,
        ),
    ] {
        assert_eq!(fault(rules, r#"{"zero":0}"#), Some(reason), "{rules}");
    }
}

/// OPA raises a conflict here; an engine that swallowed it would allow.
#[test]
fn rules_that_disagree_refuse_even_behind_a_negation() {
    let rules = "decision := {\"allow\": allow}
default allow := false
allow if not blocked
blocked := true if input.a
blocked := false if input.b";
    assert_eq!(
        fault(rules, r#"{"a":true,"b":true}"#),
        Some(DenyReason::EvaluationError)
    );
    assert_eq!(fault(rules, r#"{"b":true}"#), None);
    assert!(evaluate(rules, r#"{"b":true}"#).decision.allow);
}

#[test]
fn an_expensive_policy_stops_at_the_same_step_every_time() {
    let rules = format!("decision := {{\"allow\": true}} if not expensive\n{EXPENSIVE}");
    let engine = prepare(&rules).unwrap();
    let limits = Limits::default();
    let first = engine.evaluate(input(&sixty_four()), &limits);
    // The limit must not read as "not expensive".
    assert_eq!(
        first.fault.as_ref().unwrap().reason,
        DenyReason::LimitReached
    );
    assert!(!first.decision.allow);
    assert_eq!(first.steps, limits.steps);
    for _ in 0..3 {
        assert_eq!(engine.evaluate(input(&sixty_four()), &limits), first);
    }
}

#[test]
fn steps_are_the_same_on_every_thread_and_a_larger_budget_suffices() {
    let rules = format!("decision := {{\"allow\": true}} if not expensive\n{EXPENSIVE}");
    let engine = prepare(&rules).unwrap();
    let limits = Limits {
        steps: 10_000_000,
        ..Limits::default()
    };
    let json = json!({ "list": [1, 2, 3, 4, 5, 6, 7, 8] }).to_string();
    let steps: Vec<u64> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| engine.evaluate(input(&json), &limits)))
            .collect();
        runs.into_iter()
            .map(|run| run.join().unwrap())
            .map(|evaluation| {
                assert!(evaluation.decision.allow);
                evaluation.steps
            })
            .collect()
    });
    assert!(steps[0] > 500);
    assert!(steps.iter().all(|one| *one == steps[0]), "{steps:?}");
}

#[test]
fn an_input_that_is_too_large_is_not_evaluated() {
    let rules = "decision := {\"allow\": true}";
    let large = json!({ "text": "x".repeat(64 * 1024) }).to_string();
    assert_eq!(fault(rules, &large), Some(DenyReason::InputTooLarge));
    assert_eq!(evaluate(rules, &large).steps, 0);
    let many = json!({ "list": vec![0; 9_000] }).to_string();
    assert_eq!(fault(rules, &many), Some(DenyReason::InputTooLarge));
    let fitting = json!({ "text": "x".repeat(60 * 1024) }).to_string();
    assert_eq!(fault(rules, &fitting), None);
}

/// Forty rules that double the one before would ask for 8 TiB.
#[test]
fn a_policy_that_doubles_its_text_stops_before_memory_does() {
    for double in [
        "concat(\"\", [r{}, r{}])",
        "sprintf(\"%s%s\", [r{}, r{}])",
        "replace(r{}, \"x\", \"xx\")",
        "regex.replace(r{}, \"x\", \"xx\")",
        "strings.replace_n({\"x\": \"xx\"}, r{})",
        "json.marshal([r{}, r{}])",
        "hex.encode(r{})",
    ] {
        let mut rules = String::from("decision := {\"allow\": r40 != \"\"}\nr0 := \"xxxxxxxx\"\n");
        for index in 0..40 {
            let next = index + 1;
            let body = double.replace("{}", &index.to_string());
            writeln!(rules, "r{next} := {body}").unwrap();
        }
        assert_eq!(
            fault(&rules, "{}"),
            Some(DenyReason::LimitReached),
            "{double}"
        );
    }
    let array = "decision := {\"allow\": count(r40) > 0}\nr0 := [1, 2, 3, 4]\n".to_owned();
    let rules = (0..40).fold(array, |rules, index| {
        let next = index + 1;
        format!("{rules}r{next} := array.concat(r{index}, r{index})\n")
    });
    assert_eq!(fault(&rules, "{}"), Some(DenyReason::LimitReached));
}

/// Each copy is small beside what one call may make; all of them together are not. Z8
#[test]
fn a_policy_that_keeps_copies_of_a_long_value_stops_before_memory_does() {
    for copies in [
        "[array.concat(list, [i]) | some i in numbers.range(1, 1000)]",
        "[split(text, \"\") | some i in numbers.range(1, 1000)]",
        "[concat(\"\", [text, format_int(i, 10)]) | some i in numbers.range(1, 1000)]",
        "[object.union(object, {i: i}) | some i in numbers.range(1, 1000)]",
        "[sort(list) | some i in numbers.range(1, 1000); i > 0]",
        "[json.unmarshal(json.marshal(list)) | some i in numbers.range(1, 1000)]",
        "[upper(sprintf(\"%s%d\", [text, i])) | some i in numbers.range(1, 1000)]",
    ] {
        let rules = format!(
            "decision := {{\"allow\": count(copies) > 0}}
copies := {copies}
list := numbers.range(1, 1000)
text := concat(\"\", [format_int(i, 10) | some i in list])
object := {{format_int(i, 10): i | some i in list}}"
        );
        assert_eq!(
            fault(&rules, "{}"),
            Some(DenyReason::LimitReached),
            "{copies}"
        );
    }
}

/// What a value of forty shared levels would be written out, no builtin reads. Z8
#[test]
fn a_value_that_shares_its_parts_is_not_read_to_its_end() {
    for reader in [
        "count([1 | walk(r40, [_, _])])",
        "count(sort([r40, r40]))",
        "count(json.marshal(r40))",
        "count(max([r40, r40]))",
        "count(sprintf(\"%v\", [r40]))",
    ] {
        let start = format!("decision := {{\"allow\": {reader} > 0}}\nr0 := [1]\n");
        let rules = (0..40).fold(start, |rules, index| {
            format!("{rules}r{} := [r{index}, r{index}]\n", index + 1)
        });
        assert_eq!(
            fault(&rules, "{}"),
            Some(DenyReason::LimitReached),
            "{reader}"
        );
    }
}

/// Forty products of a number with itself would have a billion digits. Z8
#[test]
fn a_number_without_end_is_neither_multiplied_nor_read() {
    let start = "decision := {\"allow\": r40 > 0}\nr0 := 99999\n".to_owned();
    for square in ["product([r{}, r{}])", "r{} * r{}"] {
        let rules = (0..40).fold(start.clone(), |rules, index| {
            let square = square.replace("{}", &index.to_string());
            format!("{rules}r{} := {square}\n", index + 1)
        });
        assert_eq!(fault(&rules, "{}"), Some(DenyReason::LimitReached));
    }
    let digits = json!({ "digits": "9".repeat(5_000) }).to_string();
    let rules = "decision := {\"allow\": to_number(input.digits) + 1 > 0}";
    assert_eq!(fault(rules, &digits), Some(DenyReason::Undefined));
}

/// A value of forty shared levels has a trillion leaves when it is written out.
#[test]
fn a_decision_that_shares_its_parts_is_not_written_out() {
    let start =
        "decision := {\"allow\": true, \"obligations\": {\"x\": r40}}\nr0 := [1]\n".to_owned();
    let rules = (0..40).fold(start, |rules, index| {
        format!("{rules}r{} := [r{index}, r{index}]\n", index + 1)
    });
    assert_eq!(fault(&rules, "{}"), Some(DenyReason::ObligationsInvalid));
}

/// A refusal stands, and keeps its reasons, whatever its obligations are like.
#[test]
fn obligations_that_nobody_can_be_told_make_no_refusal_an_error() {
    let rules = "decision := {\"allow\": false, \"reasons\": [\"no\"], \"obligations\": {1: 2}}";
    let evaluation = evaluate(rules, "{}");
    assert!(evaluation.fault.is_none());
    assert_eq!(evaluation.decision.reasons, ["no"]);
    assert!(evaluation.decision.obligations.is_empty());
}

/// `deep` nests 3,000 levels: each function calls the one before ten times over.
const NESTED: &str = "ten(x) := [[[[[[[[[[x]]]]]]]]]]
hundred(x) := ten(ten(ten(ten(ten(ten(ten(ten(ten(ten(x))))))))))
thousand(x) := hundred(hundred(hundred(hundred(hundred(hundred(hundred(hundred(hundred(hundred(x))))))))))
deep := thousand(thousand(thousand(1)))
";

/// A Worker has 1 MiB of stack; frames that are not optimised take four times as much. Z8
fn on_a_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(4 << 20);
    thread.spawn(work).unwrap().join().unwrap()
}

/// Z8: a result of 3,000 levels once overflowed the gate's stack, and took every request that was in
/// it along.
#[test]
fn a_result_that_nests_too_deep_is_an_error_and_breaks_nothing() {
    for decision in [
        "{\"allow\": true, \"obligations\": {\"x\": deep}}",
        "{\"allow\": true, \"reasons\": deep}",
        "{\"allow\": deep}",
        "{\"allow\": true, deep: 1}",
        "deep",
        "[deep]",
    ] {
        let rules = format!("decision := {decision}\n{NESTED}");
        let fault = on_a_small_stack(move || fault(&rules, "{}"));
        assert_eq!(fault, Some(DenyReason::LimitReached), "{decision}");
    }
}

/// Z8: `json.patch` can double the depth of a value with each operation.
#[test]
fn a_patch_that_nests_without_end_is_refused() {
    for (doublings, reason) in [
        (4, None),
        (6, Some(DenyReason::ObligationsInvalid)),
        (9, Some(DenyReason::LimitReached)),
        (12, Some(DenyReason::LimitReached)),
    ] {
        let copy =
            |index: u32| json!({"op": "copy", "from": "/a", "path": "/a".repeat((1 << index) + 1)});
        let patch: Vec<_> = (0..doublings).map(copy).collect();
        let input = json!({ "patch": patch }).to_string();
        let rules = "decision := {\"allow\": true, \"obligations\": deep}
deep := json.patch({\"a\": {}}, input.patch)";
        let fault = on_a_small_stack(move || fault(rules, &input));
        assert_eq!(fault, reason, "{doublings}");
    }
}

/// Z8: 64 levels pass in and out, 65 do not.
#[test]
fn a_value_that_nests_as_deep_as_it_may_passes() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let rules = "decision := {\"allow\": true}";
    assert_eq!(fault(rules, &nested(64)), None);
    assert_eq!(fault(rules, &nested(65)), Some(DenyReason::InputTooLarge));
    let rules = "decision := {\"allow\": true, \"obligations\": {\"x\": input}}";
    assert_eq!(fault(rules, &nested(63)), None);
    assert_eq!(
        fault(rules, &nested(64)),
        Some(DenyReason::ObligationsInvalid)
    );
}

/// A Worker has 1 MiB of stack; however deep a policy goes, it fits or is refused.
#[test]
fn the_deepest_policy_fits_a_workers_stack() {
    // Each function nests a comprehension and calls the next one.
    let chain = |length: usize| {
        let mut rules = format!("decision := {{\"allow\": f0(1) == {length}}}\n");
        for index in 0..length {
            let next = index + 1;
            writeln!(rules, "f{index}(x) := max([y | y := f{next}(x)])").unwrap();
        }
        writeln!(rules, "f{length}(x) := {length}").unwrap();
        rules
    };
    for (length, reason) in [(60, None), (2_000, Some(DenyReason::LimitReached))] {
        let rules = chain(length);
        let fault = on_a_small_stack(move || fault(&rules, "{}"));
        assert_eq!(fault, reason, "{length}");
    }
}

#[test]
fn an_input_is_what_its_json_says() {
    let request = EvaluationRequest {
        subject: Subject {
            kind: "user".to_owned(),
            id: "user_1".to_owned(),
            properties: serde_json::from_value(json!({
                "roles": ["a", "b"], "auth_time": 1_767_225_600, "org": null,
            }))
            .unwrap(),
        },
        action: Action {
            name: "read".to_owned(),
        },
        resource: Resource {
            kind: "document".to_owned(),
            id: "7".to_owned(),
            properties: BTreeMap::from([("folder".to_owned(), "x".to_owned())]),
        },
        context: serde_json::from_value(json!({
            "time": 1_767_225_600, "big": u64::MAX, "half": 0.5, "on": true, "deep": [{"a": [1]}],
        }))
        .unwrap(),
    };
    let text = serde_json::to_string(&request).unwrap();
    assert_eq!(input_of(&request), input(&text));
    assert_eq!(
        Value::from_json(&serde_json::to_value(&request).unwrap()),
        input(&text)
    );
}
