//! The parser against OPA's own cases, and against itself.

use std::collections::BTreeMap;

use regorus::Value;
use serde_json::Value as Json;

use super::{parser::parse, print::print, translate};
use crate::{builtins, conformance, growth, load::new_interpreter, steps};

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
const KNOWN: [(&str, &str); 3] = [
    (
        "division_by_zero",
        "an error of an operator ends the evaluation",
    ),
    (
        "partial_nested",
        "the engine has no path with a variable in its middle",
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

/// Guards builtins as they are when a bundle is prepared.
fn guard(engine: &mut regorus::Engine) {
    let modules = engine.get_modules().clone();
    let modules: Vec<_> = modules.iter().map(AsRef::as_ref).collect();
    growth::guard(engine, &growth::named_in(&modules), false);
}

fn answer(name: &str, module: &str) -> Json {
    let path = "idiom.rego";
    let translated = match translate(&[(path, module)]) {
        Ok(translated) => translated,
        Err(findings) => return serde_json::json!({"error": findings[0].to_string()}),
    };
    let printed = translated.printed_of(path).unwrap();
    let mut engine = new_interpreter(true);
    builtins::add(&mut engine, [printed].into_iter());
    let error =
        |error: &dyn std::fmt::Display| serde_json::json!({"error": format!("{error}\n{printed}")});
    if let Err(why) = engine.add_policy(path.to_owned(), printed.to_owned()) {
        return error(&why);
    }
    guard(&mut engine);
    engine
        .add_data(Value::from_json_str(DATA).unwrap())
        .unwrap();
    engine.set_input(Value::from_json_str(INPUT).unwrap());
    let (value, _) = steps::metered(100_000, || engine.eval_rule(format!("data.idiom.{name}.p")));
    match value {
        Ok(Value::Undefined) => Json::from("undefined"),
        Ok(value) => serde_json::json!({"value": serde_json::to_value(value).unwrap()}),
        Err(why) => error(&why),
    }
}

/// OPA's answers are ours, first of all where something is undefined.
#[test]
fn every_idiom_is_answered_as_opa_answers_it() {
    assert!(steps::installed());
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
