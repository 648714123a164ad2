//! Measures the policy engine natively, and writes what is measured elsewhere.
//!
//! Usage: `plinto-policy-bench native`: microseconds as JSON.
//! `plinto-policy-bench files <folder>`: policies, data, requests, and `documents.json` for the Worker.

mod bundles;
mod native;
mod policies;

use std::{fs, path::Path};

use base64ct::{Base64, Encoding as _};
use bundles::{NOW, Signer, source, tenant};
use serde_json::{Value, json};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["native"] => println!("{}", native::measure()),
        ["files", folder] => write_files(Path::new(folder)),
        _ => panic!("usage: plinto-policy-bench native | files <folder>"),
    }
}

fn write_files(folder: &Path) {
    let signer = Signer::new();
    let mut documents = Vec::new();
    for policy in policies::all() {
        let folder = folder.join(policy.name);
        fs::create_dir_all(&folder).unwrap();
        let data = json!({"grants": policy.grants});
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        write("policy.rego", policy.rego);
        write("data.json", &data.to_string());
        write("request.json", &policy.request.to_string());
        documents.push(json!({
            "name": policy.name,
            "what": policy.what,
            "bundle": Base64::encode_string(&signer.signed(&source(policy.rego, &policy.grants))),
            "data": data,
            "request": policy.request,
            "cedar": {"policies": policy.cedar.policies, "call": policy.cedar.call},
        }));
    }
    let documents: Value = json!({
        "keys": signer.keys(), "tenant": tenant(), "nowS": NOW.0, "policies": documents,
    });
    fs::write(folder.join("documents.json"), documents.to_string()).unwrap();
}
