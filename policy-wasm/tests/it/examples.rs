//! The example policies are what they say they are.

use std::{fs, path::Path};

use plinto_contract::bundle::Manifest;
use plinto_policy::{
    bundle::{self, Limits, Source, Upload},
    cases,
    engine::Engine,
    limits::EvaluationLimits,
};

use super::fixtures::input;

fn read(name: &str) -> (Manifest, Source) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples/policies")
        .join(name);
    let mut source = Source::default();
    let mut pending = vec![folder.clone()];
    while let Some(current) = pending.pop() {
        for entry in fs::read_dir(current).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .strip_prefix(&folder)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            if path.is_dir() {
                pending.push(path);
            } else if Source::accepts(&name) {
                source.files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    let manifest = fs::read(folder.join(".manifest")).unwrap();
    (serde_json::from_slice(&manifest).unwrap(), source)
}

#[test]
fn every_example_passes_its_tests_and_can_be_published() {
    for name in ["rbac-organizations", "conditions"] {
        let (manifest, source) = read(name);
        let report = cases::run(&manifest, &source, &EvaluationLimits::default()).unwrap();
        let failures: Vec<_> = report.failures().collect();
        assert!(failures.is_empty(), "{failures:?}");
        assert!(report.passed() >= 10);
        let packed = bundle::build(&source, &manifest).unwrap();
        let upload = Upload::read(&packed, &Limits::default()).unwrap();
        let engine = Engine::prepare(&upload.manifest, &upload.source).unwrap();
        assert!(engine.routes().len() >= 5);
    }
}

/// The roles come with the control plane's file, not with the policy.
#[test]
fn roles_of_the_control_plane_decide() {
    let (manifest, mut source) = read("rbac-organizations");
    let request = input(
        r#"{"subject":{"type":"user","id":"u","properties":{"org":"o","roles":["reader"]}},
            "action":{"name":"read"},"resource":{"type":"document","id":"1","properties":{}},
            "context":{}}"#,
    );
    let decide = |source: &Source| {
        let engine = Engine::prepare(&manifest, source).unwrap();
        engine
            .evaluate(request.clone(), &EvaluationLimits::default())
            .decision
    };
    assert!(!decide(&source).allow);
    let roles = br#"{"reader":{"document:read":true}}"#;
    source.files.insert(
        plinto_contract::bundle::ROLES_FILE.to_owned(),
        roles.to_vec(),
    );
    assert!(decide(&source).allow);
}
