//! OPA's own cases for Rego v1, on the interpreter as we configure it.
//!
//! The cases are not part of this repository: `PLINTO_VECTORS` names their folder. How each comes
//! out stands in `conformance/opa-v1.txt`; a change in either direction fails. `UPDATE=1` writes
//! the file anew.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use regorus::{QueryResults, Value, unstable::Module};
use serde_json::{Value as Json, json};

use crate::{checks, engine_builtins, front, growth, load::new_interpreter, recursion, steps};

const EXPECTED: &str = include_str!("../conformance/opa-v1.txt");
/// Some cases recurse without end; the budget stops them well inside this stack.
const STEPS: u64 = 20_000;
/// Begins the text of an error that came before any evaluation.
const NO_PARSE: &str = "no parse: ";
const STACK_BYTES: usize = 512 << 20;

#[derive(serde::Deserialize)]
struct Suite {
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    note: String,
    query: String,
    #[serde(default)]
    modules: Vec<String>,
    data: Option<Json>,
    input: Option<Json>,
    input_term: Option<String>,
    #[serde(default)]
    strict_error: bool,
    #[serde(default)]
    sort_bindings: bool,
    want_result: Option<Vec<Json>>,
    want_error: Option<String>,
    want_error_code: Option<String>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "where the cases are, and whether to write, is the caller's to say"
)]
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

fn cases() -> Option<Vec<Case>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = variable("PLINTO_VECTORS").unwrap_or_else(|| here.join("../../shared/vectors"));
    let folder = folder.join("opa-v1");
    let Ok(entries) = fs::read_dir(&folder) else {
        // Past the capture of test output: an absent suite must not look like a passed one.
        let mut stderr = std::io::stderr();
        let shown = folder.display();
        writeln!(
            stderr,
            "OPA's cases: not run: {shown} not found (PLINTO_VECTORS names it)"
        )
        .unwrap();
        return None;
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let suite: Suite = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        cases.extend(suite.cases);
    }
    assert!(!cases.is_empty(), "no case in {}", folder.display());
    Some(cases)
}

/// Every module of every case, named by its case and its place there.
pub(crate) fn modules() -> Option<Vec<(String, String)>> {
    let cases = cases()?.into_iter();
    let modules = cases.flat_map(|case| {
        let note = case.note;
        let modules = case.modules.into_iter().enumerate();
        modules.map(move |(index, text)| (format!("{} {index}", note.escape_debug()), text))
    });
    Some(modules.collect())
}

/// The modules of every case that OPA compiles, together.
pub(crate) fn module_sets() -> Option<Vec<(String, Vec<String>)>> {
    const COMPILER: [&str; 4] = [
        "rego_compile_error",
        "rego_recursion_error",
        "rego_type_error",
        "rego_unsafe_var_error",
    ];
    let compiles = |case: &Case| {
        let code = case.want_error_code.as_deref();
        !code.is_some_and(|code| COMPILER.contains(&code))
    };
    let cases = cases()?.into_iter().filter(compiles);
    Some(cases.map(|case| (case.note, case.modules)).collect())
}

/// Brings a case's modules into an engine on the way that a bundle's go.
fn add(engine: &mut regorus::Engine, case: &Case) -> Result<(), String> {
    let names: Vec<String> = (0..case.modules.len())
        .map(|index| format!("{index}.rego"))
        .collect();
    let modules: Vec<(&str, &str)> = names
        .iter()
        .zip(&case.modules)
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let translated = front::translate(&modules).map_err(|findings| findings[0].to_string())?;
    for (path, text) in translated.printed() {
        engine
            .add_policy(path.to_owned(), text.to_owned())
            .map_err(|error| format!("{error}\n{text}"))?;
    }
    engine_builtins::add(engine, translated.printed().map(|(_, text)| text));
    Ok(())
}

fn evaluate(case: &Case) -> Result<QueryResults, String> {
    let mut engine = new_interpreter(case.strict_error);
    growth::guard(&mut engine, &growth::all(), case.strict_error);
    let wrong = |error: &dyn std::fmt::Display| error.to_string();
    add(&mut engine, case).map_err(|error| format!("{NO_PARSE}{error}"))?;
    if let Some(data) = &case.data {
        engine
            .add_data(Value::from_json_str(&data.to_string()).unwrap())
            .map_err(|error| wrong(&error))?;
    }
    if let Some(input) = &case.input {
        engine.set_input(Value::from_json_str(&input.to_string()).unwrap());
    } else if let Some(term) = &case.input_term {
        let results = engine
            .clone()
            .eval_query(format!("x := {term}"), false)
            .map_err(|error| wrong(&error))?;
        let bindings = results.result[0].bindings.as_object().unwrap();
        engine.set_input(bindings.get(&Value::from("x")).unwrap().clone());
    }
    engine
        .eval_query(case.query.clone(), false)
        .map_err(|error| wrong(&error))
}

/// The bindings of every result, as OPA's cases write them.
fn bindings(results: QueryResults, sort: bool) -> Vec<Json> {
    let mut found = Vec::new();
    for result in results.result {
        if result
            .expressions
            .iter()
            .any(|one| one.value == Value::from(false))
        {
            continue;
        }
        let mut bindings: Json = serde_json::to_value(&result.bindings).unwrap();
        if sort {
            sort_arrays(&mut bindings);
        }
        found.push(bindings);
    }
    found
}

fn sort_arrays(bindings: &mut Json) {
    for value in bindings.as_object_mut().unwrap().values_mut() {
        if let Some(items) = value.as_array_mut() {
            items.sort_by_key(ToString::to_string);
        }
    }
}

fn same(found: &[Json], wanted: &[Json]) -> bool {
    let normal = |list: &[Json]| {
        let mut texts: Vec<String> = list.iter().map(normalise).collect();
        texts.sort();
        texts
    };
    normal(found) == normal(wanted)
}

/// JSON with numbers by value: `1.0` and `1` are one number in Rego.
fn normalise(value: &Json) -> String {
    match value {
        Json::Number(number) => match number.as_i64() {
            Some(integer) => integer.to_string(),
            None => number.as_f64().unwrap().to_string(),
        },
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(normalise).collect();
            format!("[{}]", items.join(","))
        }
        Json::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{}:{}", json!(name), normalise(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        other => other.to_string(),
    }
}

/// `pass`, or how and why we differ. What is refused before it is ever evaluated differs too,
/// whatever the engine would make of it.
fn outcome(case: &Case) -> String {
    if let Some(refusal) = refusal(case) {
        return refusal;
    }
    let (result, spent) =
        steps::metered(STEPS, || catch_unwind(AssertUnwindSafe(|| evaluate(case))));
    let wants_error = case.want_error.is_some() || case.want_error_code.is_some();
    match result {
        Err(_) => "differs: panics".to_owned(),
        Ok(_) if spent.exhausted => "differs: does not end".to_owned(),
        Ok(Err(error)) if wants_error => error_outcome(case, &error),
        Ok(Ok(_)) if wants_error => format!(
            "differs: no error where OPA has {}",
            case.want_error_code.as_deref().unwrap_or("one")
        ),
        Ok(Ok(results)) => {
            let mut wanted = case.want_result.clone().unwrap_or_default();
            if case.sort_bindings {
                wanted.iter_mut().for_each(sort_arrays);
            }
            if same(&bindings(results, case.sort_bindings), &wanted) {
                "pass".to_owned()
            } else {
                "differs: another value".to_owned()
            }
        }
        Ok(Err(error)) => why(case, &error),
    }
}

/// What our own checks say, beyond what OPA's compiler says too.
fn refusal(case: &Case) -> Option<String> {
    let mut engine = new_interpreter(true);
    add(&mut engine, case).ok()?;
    let modules: Vec<_> = engine.get_modules().clone();
    let modules: Vec<&Module> = modules.iter().map(AsRef::as_ref).collect();
    let recursion = recursion::check(&modules);
    if case.want_error_code.as_deref() == Some("rego_recursion_error") && !recursion.is_empty() {
        return Some("pass".to_owned());
    }
    let finding = checks::check(&modules)
        .into_iter()
        .chain(recursion)
        .next()?;
    Some(format!(
        "differs: {}: {}",
        finding.kind.as_str(),
        finding.message
    ))
}

/// Whether an error is of the class that OPA's has. The engine has no classes, so its words tell.
fn error_outcome(case: &Case, error: &str) -> String {
    const CONFLICTS: [&str; 4] = [
        "multiple outputs",
        "generated multiple times",
        "rule conflicts with rule",
        "conflict type",
    ];
    let wanted = match (&case.want_error_code, &case.want_error) {
        (Some(code), _) => code.as_str(),
        (None, Some(text)) if text.contains("eval_type_error") => "eval_type_error",
        _ => "eval_builtin_error",
    };
    let is_conflict = CONFLICTS.iter().any(|words| error.contains(words));
    let found = if error.starts_with(NO_PARSE) {
        "no parse"
    } else if error.contains("could not find function") {
        "no such function"
    } else if is_conflict {
        "eval_conflict_error"
    } else {
        // What a builtin says of its operands and of their values is one class to the engine.
        "eval_builtin_error"
    };
    let same = found == wanted || (found, wanted) == ("eval_builtin_error", "eval_type_error");
    if same {
        "pass".to_owned()
    } else {
        format!("differs: {found} where OPA has {wanted}")
    }
}

/// Why an error stands where OPA has a value.
fn why(case: &Case, error: &str) -> String {
    let has = |text: &str| case.modules.iter().any(|module| module.contains(text));
    if has("$\"") || has("$`") {
        return "differs: string interpolation is newer than the engine's Rego".to_owned();
    }
    let last = error.lines().last().unwrap_or_default().trim();
    let last = last.strip_prefix("error: ").unwrap_or(last);
    let last = last.split_once(" (path").map_or(last, |(start, _)| start);
    format!("differs: engine: {last}")
}

fn run() -> Option<BTreeMap<String, String>> {
    let mut outcomes = BTreeMap::new();
    for case in cases()? {
        let mut name = case.note.clone();
        for copy in 2..100 {
            if !outcomes.contains_key(&name) {
                break;
            }
            name = format!("{} #{copy}", case.note);
        }
        outcomes.insert(name, outcome(&case));
    }
    Some(outcomes)
}

/// The engine decides as OPA does, and where it does not, we know.
#[test]
fn every_opa_case_comes_out_as_expected() {
    assert!(steps::installed());
    let work = std::thread::Builder::new().stack_size(STACK_BYTES);
    let Some(found) = work.spawn(run).unwrap().join().unwrap() else {
        return;
    };
    let mut text = String::new();
    for (name, outcome) in &found {
        writeln!(text, "{}\t{outcome}", name.escape_debug()).unwrap();
    }
    if variable("UPDATE").is_some() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/opa-v1.txt");
        fs::write(file, &text).unwrap();
        return;
    }
    let expected: BTreeMap<&str, &str> = EXPECTED
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect();
    // Another selection of cases may hold some we have not seen; those must pass.
    let changed: Vec<String> = text
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .filter(|(name, outcome)| expected.get(name).copied().unwrap_or("pass") != *outcome)
        .map(|(name, outcome)| format!("{name}: {outcome}"))
        .collect();
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}
