//! scratch
use super::{Evaluation, Settings, Stop};
use crate::{budget::Budget, front::parse, plan, value::Value};
use serde_json::Value as Json;

#[test]
fn zz_fuzz() {
    let file = std::fs::read("/tmp/front/fuzz.json").unwrap();
    let cases: Vec<Json> = serde_json::from_slice(&file).unwrap();
    let mut out: Vec<Json> = Vec::new();
    for mut case in cases {
        let module = case["module"].as_str().unwrap().to_owned();
        let input = case["input"].to_string();
        let found = std::panic::catch_unwind(|| {
            let module = match parse(&module) {
                Ok(m) => m,
                Err(e) => return serde_json::json!({"error": e.to_string()}),
            };
            let plan = match plan::compile(&[("f.rego", &module)], &Value::empty_object()) {
                Ok(plan) => plan,
                Err(errors) => return serde_json::json!({"error": errors[0].1.message}),
            };
            let budget = Budget::new(1_000_000);
            let mut evaluation = Evaluation::new(Settings {
                plan: &plan,
                budget: &budget,
                input: Some(Value::from_json_text(&input).unwrap()),
                now_ns: 0,
                is_strict: false,
                hears_prints: false,
            });
            match evaluation.ask_path(&["fuzz", "p"]) {
                Ok(None) => Json::from("undefined"),
                Ok(Some(value)) => {
                    let v: Json = serde_json::from_str(&value.to_json_text()).unwrap();
                    serde_json::json!({"value": v})
                }
                Err(Stop::Error(why)) => serde_json::json!({"error": why.message}),
                Err(Stop::Exhausted(why)) => serde_json::json!({"error": why.to_string()}),
            }
        });
        case["found"] = found.unwrap_or_else(|_| serde_json::json!({"error": "panic"}));
        out.push(case);
    }
    std::fs::write(
        "/tmp/front/fuzz_out.json",
        serde_json::to_vec(&out).unwrap(),
    )
    .unwrap();
}
