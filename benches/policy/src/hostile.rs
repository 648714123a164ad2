//! Runs hostile policies natively, for their time, steps and memory; writes them for the Worker.
//!
//! Usage: `plinto-policy-hostile native`: JSON, a row for each case.
//! `plinto-policy-hostile files <file>`: the cases as signed bundles, as JSON.
//! `plinto-policy-hostile one <name>`: one case, again and again, for a profiler.

mod bundles;
#[path = "../../../policy-wasm/tests/hostile/mod.rs"]
mod cases;

use std::{thread, time::Instant};

use base64ct::{Base64, Encoding as _};
use bundles::{NOW, Signer, manifest, source, tenant};
use cases::Case;
use peak_alloc::PeakAlloc;
use plinto_contract::policy::EvaluationRequest;
use plinto_policy::engine::{Engine, Limits, input_of};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// 2 MiB: the stack of a thread.
const STACK_BYTES: usize = 2 * 1024 * 1024;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let run = move || match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["native"] => {
            let rows: Vec<Value> = cases::all().iter().map(measured).collect();
            println!("{}", Value::Array(rows));
        }
        ["files", file] => std::fs::write(file, documents().to_string()).unwrap(),
        ["one", name] => {
            let case = cases::all()
                .into_iter()
                .find(|case| case.name == *name)
                .unwrap();
            for _ in 0..50 {
                println!("{}", measured(&case));
            }
        }
        _ => panic!("usage: plinto-policy-hostile native | files <file> | one <name>"),
    };
    thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap();
}

fn measured(case: &Case) -> Value {
    let module = case.module();
    let began = Instant::now();
    let prepared = Engine::prepare(&manifest(), &source(&module, &json!({})));
    let prepare_ms = began.elapsed().as_secs_f64() * 1e3;
    let Ok(engine) = prepared else {
        return json!({"name": case.name, "outcome": "not prepared", "prepareMs": prepare_ms, "ms": 0, "steps": 0, "bytes": 0});
    };
    let request: EvaluationRequest = serde_json::from_value(case.request.clone()).unwrap();
    let (mut ms, mut bytes) = (f64::MAX, 0);
    let mut evaluation = None;
    for _ in 0..2 {
        let input = input_of(&request);
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let began = Instant::now();
        evaluation = Some(engine.evaluate(input, &Limits::default()));
        ms = ms.min(began.elapsed().as_secs_f64() * 1e3);
        bytes = ALLOCATOR.peak_usage().saturating_sub(before);
    }
    let evaluation = evaluation.unwrap();
    let outcome = evaluation
        .fault
        .map_or("allowed", |fault| fault.reason.as_str());
    json!({"name": case.name, "outcome": outcome, "prepareMs": prepare_ms, "ms": ms, "steps": evaluation.steps, "bytes": bytes})
}

fn documents() -> Value {
    let signer = Signer::new();
    let bundle = |case: &Case| {
        json!({
            "name": case.name,
            "bundle": Base64::encode_string(&signer.signed(&source(&case.module(), &json!({})))),
        })
    };
    let cases = cases::all();
    let request = cases.first().map(|case| case.request.clone());
    json!({
        "keys": signer.keys(), "tenant": tenant(), "nowS": NOW.0, "request": request,
        "cases": cases.iter().map(bundle).collect::<Vec<_>>(),
    })
}
