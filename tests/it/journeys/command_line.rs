//! The command line against a running control plane: what it prints, and how it ends.

use plinto_tests::process::{CommandLine, ControlPlane, root};
use serde_json::json;

fn example(name: &str) -> String {
    let folder = root().join("examples/policies").join(name);
    folder.to_str().unwrap().to_owned()
}

/// Both example policies are published, activated by a short revision, rolled back; `status`,
/// `list` and `doctor` say so at every step.
#[tokio::test(flavor = "multi_thread")]
async fn a_policy_goes_its_whole_way_from_a_terminal() {
    let server = ControlPlane::start().await;
    let tenant = server.bootstrap("acme", "https://api.example");
    let plinto = CommandLine::new(&server.url(), &tenant.api_key);
    let code = |arguments: &[&str]| plinto.run(arguments).status.code().unwrap();

    assert_eq!(plinto.json(&["policy", "status"])["active"], json!(null));
    assert_eq!(code(&["policy", "rollback"]), 4);

    let first = plinto.json(&["policy", "publish", &example("rbac-organizations")]);
    let revision = first["bundle"]["revision"].as_str().unwrap().to_owned();
    assert_eq!(first["bundle"]["tests_passed"], 10);
    assert_eq!(first["activation"], json!(null));
    let activated = plinto.json(&["policy", "activate", &revision[..12]]);
    assert_eq!(activated["revision"], revision.as_str());

    // Sending the same content again is harmless.
    let again = plinto.json(&["policy", "publish", &example("rbac-organizations")]);
    assert_eq!(again["bundle"]["id"], first["bundle"]["id"]);

    let second = plinto.json(&["policy", "publish", &example("conditions"), "--activate"]);
    assert_ne!(second["activation"]["revision"], revision.as_str());
    let listed = plinto.json(&["policy", "list"]);
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);

    let back = plinto.json(&["policy", "rollback"]);
    assert_eq!(back["revision"], revision.as_str());
    let status = plinto.json(&["policy", "status"]);
    assert_eq!(status["active"]["revision"], revision.as_str());

    let checks = plinto.json(&["doctor"]);
    assert_eq!(checks["failed"], 0, "{checks}");
    let names: Vec<&str> = checks["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"active bundle"), "{names:?}");
}

/// A refusal shows code, detail and request id, and ends with the code for refusals.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_its_code_and_its_request() {
    let server = ControlPlane::start().await;
    let tenant = server.bootstrap("acme", "https://api.example");
    let plinto = CommandLine::new(&server.url(), &tenant.api_key);
    let unknown = "a".repeat(64);
    let output = plinto.run(&["policy", "activate", &unknown]);
    assert_eq!(output.status.code(), Some(4));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(errors.contains("code: not_found (404)"), "{errors}");
    assert!(errors.contains("request: req_"), "{errors}");

    let stranger = CommandLine::new(&server.url(), "plinto_sk_wrong");
    let output = stranger.run(&["policy", "status", "--output", "json"]);
    assert_eq!(output.status.code(), Some(4));
    let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["code"], "api_key_invalid");
    assert_eq!(stranger.run(&["doctor"]).status.code(), Some(1));
}
