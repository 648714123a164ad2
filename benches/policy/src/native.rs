//! Natively: our engine and regorus, from the request's text to the decision's text.

use std::{collections::BTreeMap, time::Instant};

use plinto_contract::policy::EvaluationRequest;
use plinto_policy::engine::{Engine, Limits, input_of};
use regorus::{languages::rego::compiler::Compiler, rvm::vm::RegoVM};
use serde_json::{Value, json};

use crate::{
    bundles::{manifest, source},
    policies::{Policy, all},
};

const ROUNDS: u32 = 15;
const CALLS: u32 = 400;
const MODULES: usize = 1_000;

/// Microseconds of one decision by each engine, and milliseconds to prepare many modules.
pub fn measure() -> Value {
    let rows: Vec<Value> = all()
        .iter()
        .map(|policy| {
            let request = policy.request.to_string();
            json!({
                "name": policy.name,
                "plinto": best(&mut ours(policy), &request),
                "regorus": best(&mut regorus_interpreter(policy), &request),
                "regorusVm": best(&mut regorus_vm(policy), &request),
            })
        })
        .collect();
    json!({"decisions": rows, "prepareMs": prepare()})
}

/// Best of some rounds, in microseconds.
fn best(ask: &mut dyn FnMut(&str) -> String, request: &str) -> f64 {
    let answer: Value = serde_json::from_str(&ask(request)).unwrap();
    assert_eq!(answer["allow"], json!(true), "the policy refuses: {answer}");
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..CALLS {
            std::hint::black_box(ask(request));
        }
        best = best.min(began.elapsed().as_secs_f64() * 1e6 / f64::from(CALLS));
    }
    best
}

fn ours(policy: &Policy) -> impl FnMut(&str) -> String + use<> {
    let engine = Engine::prepare(&manifest(), &source(policy.rego, &policy.grants)).unwrap();
    let limits = Limits::default();
    move |request| {
        let request: EvaluationRequest = serde_json::from_str(request).unwrap();
        let evaluation = engine.evaluate(input_of(&request), &limits);
        serde_json::to_string(&evaluation.decision).unwrap()
    }
}

fn regorus_engine(policy: &Policy) -> regorus::Engine {
    let mut engine = regorus::Engine::new();
    engine
        .add_policy("policy.rego".to_owned(), policy.rego.to_owned())
        .unwrap();
    let data = json!({"grants": policy.grants}).to_string();
    engine
        .add_data(regorus::Value::from_json_str(&data).unwrap())
        .unwrap();
    engine
}

/// As it was asked when it was our engine.
fn regorus_interpreter(policy: &Policy) -> impl FnMut(&str) -> String + use<> {
    let mut engine = regorus_engine(policy);
    // prepares it for evaluation
    engine.set_input(regorus::Value::from_json_str(&policy.request.to_string()).unwrap());
    engine
        .eval_rule("data.app.authz.decision".to_owned())
        .unwrap();
    move |request| {
        let mut engine = engine.clone();
        engine.set_input(regorus::Value::from_json_str(request).unwrap());
        engine
            .eval_rule("data.app.authz.decision".to_owned())
            .unwrap()
            .to_json_str()
            .unwrap()
    }
}

/// Its virtual machine.
fn regorus_vm(policy: &Policy) -> impl FnMut(&str) -> String + use<> {
    let entrypoint = "data.app.authz.decision";
    let mut engine = regorus_engine(policy);
    let compiled = engine.compile_with_entrypoint(&entrypoint.into()).unwrap();
    let program = Compiler::compile_from_policy(&compiled, &[entrypoint]).unwrap();
    let data = json!({"grants": policy.grants}).to_string();
    let mut machine = RegoVM::new();
    machine.load_program(program);
    machine
        .set_data(regorus::Value::from_json_str(&data).unwrap())
        .unwrap();
    move |request| {
        machine.set_input(regorus::Value::from_json_str(request).unwrap());
        machine.execute().unwrap().to_json_str().unwrap()
    }
}

/// A bundle of many modules, ten rules each, that ask each other and the input.
fn prepare() -> f64 {
    let mut files = BTreeMap::from([("app/authz.rego".to_owned(), LARGE.as_bytes().to_vec())]);
    for module in 1..MODULES {
        let previous = module - 1;
        let rules: Vec<String> = (0..5)
            .map(|rule| {
                format!(
                    "r{rule} if {{\n\tsome role in input.subject.properties.roles\n\trole == \"r{rule}\"\n\tnot f{rule}(role)\n}}\n\nf{rule}(role) if {{\n\tdata.app.m{previous}.r{rule}\n\tstartswith(role, \"x\")\n}}\n"
                )
            })
            .collect();
        let text = format!("package app.m{module}\n\n{}", rules.join("\n"));
        files.insert(format!("app/m{module}.rego"), text.into_bytes());
    }
    files.insert(
        "app/m0.rego".to_owned(),
        b"package app.m0\n\nr0 := true\n".to_vec(),
    );
    let source = plinto_policy::bundle::Source { files };
    let rounds = (0..3).map(|_| {
        let began = Instant::now();
        Engine::prepare(&manifest(), &source).unwrap();
        began.elapsed().as_secs_f64() * 1e3
    });
    rounds.fold(f64::MAX, f64::min)
}

const LARGE: &str = "package app.authz\n\ndecision := {\"allow\": data.app.m1.r1}\n";
