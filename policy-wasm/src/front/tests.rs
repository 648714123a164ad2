//! The parser against OPA's own cases, and against itself.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value as Json;

use super::{parser::parse, print::print, translate};
use crate::{
    budget::Budget,
    conformance,
    evaluate::{Evaluation, Settings, Stop},
    plan,
    value::Value,
};

/// OPA 1.22.4 parses every one of them; what is printed again is the same module.
#[test]
fn every_module_of_opas_cases_parses_as_opa_parses_it() {
    let Some(modules) = conformance::modules() else {
        return;
    };
    let mut wrong = Vec::new();
    for (name, text) in &modules {
        let module = match parse(text) {
            Ok(module) => module,
            Err(error) => {
                wrong.push(format!("{name}: {error}\n{text}"));
                continue;
            }
        };
        let printed = print(&module).text;
        match parse(&printed) {
            Ok(mut again) => {
                again.comments.clone_from(&module.comments);
                if again != module {
                    wrong.push(format!("{name}: another tree\n{text}\n---\n{printed}"));
                }
            }
            Err(error) => wrong.push(format!("{name}: {error}\n{text}\n---\n{printed}")),
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), wrong.len());
}

/// Small policies, one a package, whose answer is `p`.
const IDIOMS: &str = include_str!("../../conformance/idioms.rego");
const INPUT: &str = include_str!("../../conformance/idioms_input.json");
const DATA: &str = include_str!("../../conformance/idioms_data.json");
/// What OPA answers; `scripts/rego-answers.py` writes it.
const ANSWERS: &str = include_str!("../../conformance/idioms.json");
/// Where we answer otherwise, and why.
const KNOWN: [(&str, &str); 4] = [
    (
        "division_by_zero",
        "an error of an operator ends the evaluation",
    ),
    (
        "partial_nested",
        "the engine has no path with a variable in its middle",
    ),
    (
        "some_in_shadowing",
        "the engine refuses a name that a body inside declares again",
    ),
    (
        "with_function_mock_of_builtin",
        "the engine takes a builtin's name for a value",
    ),
];

#[derive(serde::Deserialize)]
struct Answers {
    answers: BTreeMap<String, Json>,
}

fn answer(name: &str, module: &str) -> Json {
    let error = |error: &dyn std::fmt::Display| serde_json::json!({"error": error.to_string()});
    let module = match parse(module) {
        Ok(module) => module,
        Err(why) => return error(&why),
    };
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
    match evaluation.ask_path(&["idiom", name, "p"]) {
        Ok(None) => Json::from("undefined"),
        Ok(Some(value)) => {
            let value: Json = serde_json::from_str(&value.to_json_text()).unwrap();
            serde_json::json!({"value": value})
        }
        Err(Stop::Error(why)) => error(&why.message),
        Err(Stop::Exhausted(why)) => error(&why),
    }
}

/// OPA's answers are ours, first of all where something is undefined.
#[test]
fn every_idiom_is_answered_as_opa_answers_it() {
    let answers: Answers = serde_json::from_str(ANSWERS).unwrap();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for text in IDIOMS.split("package idiom.").skip(1) {
        seen += 1;
        let name = text.lines().next().unwrap();
        let wanted = &answers.answers[name];
        let found = answer(name, &format!("package idiom.{text}"));
        let is_same = *wanted == found || (!wanted["error"].is_null() && !found["error"].is_null());
        if is_same == KNOWN.iter().any(|(known, _)| *known == name) {
            let text = text.trim();
            wrong.push(format!("{text}\n  OPA: {wanted}\n  here: {found}"));
        }
    }
    assert_eq!(seen, answers.answers.len());
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n\n"), wrong.len());
}

/// Less than a Worker's stack.
const STACK_BYTES: usize = 1 << 20;

/// What nests as deep as it may is read, lowered and printed on a Worker's stack; what nests deeper
/// is refused there.
#[test]
fn the_deepest_module_fits_a_workers_stack() {
    let shapes = [
        ("[", "1", "]"),
        ("{\"a\": ", "1", "}"),
        ("[x | x := ", "1", "]"),
        ("f(", "1", ")"),
        ("a[", "1", "]"),
        ("(", "1", ")"),
        ("1 + ", "1", ""),
        ("-", "a", ""),
        ("$\"{", "1", "}\""),
        ("{1 | every x in [1] { not 2 == ", "1", "}}"),
    ];
    let work = move || {
        for (open, inner, close) in shapes {
            let mut was_read = false;
            for depth in [10, 20, 40, 60, 90, 150, 199, 1_000, 20_000] {
                let (open, close) = (open.repeat(depth), close.repeat(depth));
                let text = format!("package a\np := {open}{inner}{close}");
                let result = translate(&[("a.rego", &text)]);
                assert!(depth < 1_000 || result.is_err(), "{text}");
                was_read |= result.is_ok();
            }
            assert!(was_read || open == "-", "{open}");
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    thread.spawn(work).unwrap().join().unwrap();
}

/// The engine's parser works twice as long with every level of a collection.
#[test]
fn what_the_engine_reads_nests_a_few_levels_only() {
    for (open, close) in [
        ("[", "]"),
        ("{\"a\": ", "}"),
        ("{", "}"),
        ("[[x | x := ", "]]"),
    ] {
        let (open, close) = (open.repeat(15), close.repeat(15));
        let nested = format!("{open}1{close}");
        let text = format!(
            "package a\np := {nested}\nq contains {nested} if not {nested} == input\n\
             f(x) := 1 if x == {nested}\nelse := {nested}"
        );
        let translated = translate(&[("a.rego", &text)]).unwrap();
        let mut levels = 0_usize;
        for character in translated.printed_of("a.rego").unwrap().chars() {
            match character {
                '[' | '{' => levels += 1,
                ']' | '}' => levels = levels.saturating_sub(1),
                // A comprehension is read once, whatever nests in its body.
                '|' | '\n' => levels = levels.min(1),
                _ => {}
            }
            assert!(levels < 9, "{text}");
        }
    }
}

fn words() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "package", "import", "default", "if", "else", "not", "some", "every", "in", "with", "as",
        "contains", "true", "a", "b", "_", "input", "data", "set", "1", "0.5", "-", "\"t\"", "`r`",
        "$\"{", "}\"", "(", ")", "[", "]", "{", "}", ",", ".", ":", ":=", "=", "==", "<", "|", "&",
        "+", "*", ";", "\n", " ", "#c\n",
    ]);
    prop::collection::vec(words, 0..40).prop_map(|words| words.concat())
}

proptest! {
    /// Whatever the text, there is a tree or an error; and a tree that is printed is the same tree.
    #[test]
    fn any_text_is_read_or_refused(
        body in words(), any in ".{0,40}",
    ) {
        for text in [
            format!("package a\n{body}"),
            format!("package a\np if {{ {body} }}"),
            format!("package a\np := {body}"),
            body.clone(),
            any.clone(),
        ] {
            let Ok(module) = parse(&text) else { continue };
            let printed = print(&module).text;
            let mut again = parse(&printed).map_err(|why| {
                TestCaseError::fail(format!("{text}\n---\n{printed}\n---\n{why}"))
            })?;
            again.comments.clone_from(&module.comments);
            prop_assert_eq!(&again, &module, "{}", printed);
            let _lowered = translate(&[("a.rego", &text)]);
        }
    }
}
