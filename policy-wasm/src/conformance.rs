//! OPA's own cases for Rego v1, on the plan.
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

use serde_json::{Value as Json, json};

use crate::{
    annotations,
    budget::Budget,
    check::{self, CheckedModule},
    diagnostics::Diagnostic,
    evaluate::{Evaluation, Settings, Stop},
    front, plan,
    value::Value,
};

const EXPECTED: &str = include_str!("../conformance/opa-v1.txt");
const STEPS: u64 = 1_000_000;
/// 2026-11-28T12:00:00Z; certificates in the cases are valid then.
const NOW_NS: i64 = 1_795_867_200_000_000_000;
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

fn without_query(data: &Value) -> Value {
    let entries = data.as_object().unwrap().iter();
    let entries = entries.filter(|(key, _)| key.as_str() != Some("query"));
    Value::object(entries.cloned().collect())
}

/// Evaluates a case's query; the bindings of every result.
fn evaluate(case: &Case) -> Result<Vec<Json>, String> {
    let query = front::parse(&format!("package query\n\np if {{\n{}\n}}\n", case.query));
    let query = query.map_err(|error| format!("{NO_PARSE}{error}"))?;
    let mut names = plan::undeclared(query.rules[0].body.as_deref().unwrap(), []);
    names.retain(|name| !matches!(name.as_str(), "data" | "input" | "_"));
    let fields: Vec<String> = names
        .iter()
        .map(|name| format!("\"{name}\": {name}"))
        .collect();
    let fields = fields.join(", ");
    let query = format!(
        "package query\n\nanswers := [{{{fields}}} | {}]\n",
        case.query
    );
    let asked = (case.query != "data = x").then_some(&query);
    let texts = case.modules.iter().chain(asked);
    let mut modules = Vec::new();
    for text in texts {
        modules.push(front::parse(text).map_err(|error| format!("{NO_PARSE}{error}"))?);
    }
    annotations::answer(&mut modules.iter_mut().collect::<Vec<_>>()).unwrap();
    let modules: Vec<_> = modules.iter().map(|module| ("case.rego", module)).collect();
    let data = case
        .data
        .as_ref()
        .map_or_else(Value::empty_object, Value::from_json);
    let plan = plan::compile(&modules, &data)
        .map_err(|errors| format!("compile: {}", errors[0].1.message))?;
    let input = match (&case.input, &case.input_term) {
        (Some(input), _) => Some(Value::from_json(input)),
        (None, Some(term)) => Some(front::constant(&front::parse_term(term).unwrap()).unwrap()),
        (None, None) => None,
    };
    let budget = Budget::new(STEPS);
    let mut evaluation = Evaluation::new(Settings {
        plan: &plan,
        budget: &budget,
        input,
        now_ns: NOW_NS,
        is_strict: case.strict_error,
        hears_prints: false,
    });
    let answers = if case.query == "data = x" {
        // Ours would be part of it.
        let rest = evaluation
            .ask_path(&[])
            .map(|value| without_query(&value.unwrap()));
        rest.map(|rest| {
            Some(Value::array(vec![Value::object(vec![(
                Value::from("x"),
                rest,
            )])]))
        })
    } else {
        evaluation.ask(plan.rule_at(&["query", "answers"]).unwrap())
    };
    let answers = answers.map_err(|stop| match stop {
        Stop::Exhausted(exhausted) => exhausted.to_string(),
        Stop::Error(error) => format!("{}: {}", error.code, error.message),
    })?;
    let Some(Value::Array(answers)) = answers else {
        return Ok(Vec::new());
    };
    let json = |value: &Value| serde_json::from_str(&value.to_json_text()).unwrap();
    let mut answers: Vec<Json> = answers.iter().map(json).collect();
    if case.sort_bindings {
        answers.iter_mut().for_each(sort_arrays);
    }
    Ok(answers)
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

/// What is refused before it is ever evaluated.
fn finding(case: &Case) -> Option<Diagnostic> {
    let texts = case.modules.iter();
    let modules: Vec<_> = texts.filter_map(|text| front::parse(text).ok()).collect();
    let modules = modules
        .iter()
        .zip(&case.modules)
        .map(|(module, text)| CheckedModule {
            path: "case.rego",
            text,
            module,
        });
    check::check(&modules.collect::<Vec<_>>())
        .into_iter()
        .next()
}

/// `pass`, or how and why we differ.
fn outcome(case: &Case) -> String {
    if let Some(finding) = finding(case) {
        return format!("differs: {}: {}", finding.kind.as_str(), finding.message);
    }
    let wants_error = case.want_error.is_some() || case.want_error_code.is_some();
    match catch_unwind(AssertUnwindSafe(|| evaluate(case))) {
        Err(_) => "differs: panics".to_owned(),
        Ok(Err(error)) if wants_error => error_outcome(case, &error),
        Ok(Ok(_)) if wants_error => format!(
            "differs: no error where OPA has {}",
            case.want_error_code.as_deref().unwrap_or("one")
        ),
        Ok(Ok(found)) => {
            let mut wanted = case.want_result.clone().unwrap_or_default();
            if case.sort_bindings {
                wanted.iter_mut().for_each(sort_arrays);
            }
            if same(&found, &wanted) {
                "pass".to_owned()
            } else {
                "differs: another value".to_owned()
            }
        }
        Ok(Err(error)) => format!("differs: {}", error.lines().next().unwrap_or_default()),
    }
}

/// Whether an error is of the class that OPA's has.
fn error_outcome(case: &Case, error: &str) -> String {
    let wanted = match (&case.want_error_code, &case.want_error) {
        (Some(code), _) => code.as_str(),
        (None, Some(text)) if text.contains("eval_type_error") => "eval_type_error",
        _ => "eval_builtin_error",
    };
    let found = error.split(':').next().unwrap_or_default();
    if found == wanted {
        "pass".to_owned()
    } else {
        format!("differs: {error} where OPA has {wanted}")
    }
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
