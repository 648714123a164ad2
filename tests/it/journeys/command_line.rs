//! The command line against a running control plane: what it prints, and how it ends.

use plinto_tests::process::{CommandLine, ControlPlane, root};
use serde_json::{Value, json};

use super::AUDIENCE;
use super::stage::{Stage, policy_folder};
use crate::setup::{CLOSED, PASSWORD};

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
    assert_eq!(
        marked(&plinto),
        second["activation"]["revision"].as_str().unwrap()
    );

    let back = plinto.json(&["policy", "rollback"]);
    assert_eq!(back["revision"], revision.as_str());
    assert_eq!(marked(&plinto), revision);
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

/// The revision that `policy list` marks; no other line is marked.
fn marked(plinto: &CommandLine) -> String {
    let output = plinto.run(&["policy", "list"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let mut marked = text.lines().filter_map(|line| line.strip_prefix("* "));
    let line = marked.next().unwrap_or_else(|| panic!("{text}"));
    assert_eq!(marked.next(), None, "{text}");
    line.split_whitespace().next().unwrap().to_owned()
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
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["code"], "api_key_invalid");
    assert_eq!(stranger.run(&["doctor"]).status.code(), Some(1));
}

/// A list is shown whole, and the first characters of a revision find it, however old it is.
#[tokio::test(flavor = "multi_thread")]
async fn lists_are_read_to_their_last_page() {
    let server = ControlPlane::start().await;
    let tenant = server.bootstrap("acme", AUDIENCE);
    let plinto = CommandLine::new(&server.url(), &tenant.api_key);
    // one more than a page
    let mut revisions: Vec<String> = (0..21)
        .map(|number| {
            let folder = policy_folder(&format!("{CLOSED}# {number}\n"));
            let path = folder.path().to_str().unwrap();
            let published = plinto.json(&["policy", "publish", path]);
            published["bundle"]["revision"].as_str().unwrap().to_owned()
        })
        .collect();

    let listed = plinto.json(&["policy", "list"]);
    let mut shown: Vec<&str> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bundle| bundle["revision"].as_str().unwrap())
        .collect();
    let activated = plinto.json(&["policy", "activate", &revisions[0][..12]]);
    assert_eq!(activated["revision"], revisions[0].as_str());

    shown.sort_unstable();
    revisions.sort_unstable();
    assert_eq!(shown, revisions);
}

/// A key is stored once the control plane has known it, and later commands find it. A token is
/// verified with the keys that its issuer publishes.
#[tokio::test(flavor = "multi_thread")]
async fn login_stores_a_key_that_is_known_and_tokens_are_verified_over_the_network() {
    let server = ControlPlane::start().await;
    let tenant = server.bootstrap("acme", AUDIENCE);
    let plinto = CommandLine::unset();
    let url = server.url();
    let login = |key: &str| plinto.feed(&["login", "--url", &url, "--output", "json"], key);

    assert_eq!(login("plinto_sk_unknown").status.code(), Some(4));
    assert_eq!(plinto.run(&["policy", "status"]).status.code(), Some(3));
    let output = login(&tenant.api_key);
    let stored: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(stored["tenant"], "acme");
    assert_eq!(plinto.json(&["policy", "status"])["active"], json!(null));
    // another login that fails leaves the first as it was
    assert_eq!(login("plinto_sk_unknown").status.code(), Some(4));
    assert_eq!(plinto.json(&["policy", "status"])["active"], json!(null));

    let answer = reqwest::Client::new()
        .post(format!("{}/v1/sign_up", tenant.issuer))
        .json(&json!({ "email": "ada@example.com", "password": PASSWORD }))
        .send()
        .await
        .unwrap();
    let person: Value = answer.json().await.unwrap();
    let token = person["access_token"].as_str().unwrap();
    let verify = |token: &str| {
        let arguments = [
            "token",
            "verify",
            "--issuer",
            &tenant.issuer,
            "--audience",
            AUDIENCE,
            "--output",
            "json",
        ];
        plinto.feed(&arguments, token)
    };
    let good: Value = serde_json::from_slice(&verify(token).stdout).unwrap();
    assert_eq!(good["claims"]["sub"], person["user"]["id"]);
    let (head, signature) = token.rsplit_once('.').unwrap();
    let altered = format!("{head}.{}", signature.chars().rev().collect::<String>());
    let output = verify(&altered);
    assert_eq!(output.status.code(), Some(1));
    let bad: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(bad["valid"], false);
}

/// `doctor` asks an edge how it is: one that can decide, and one that found no control plane.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_what_an_edge_lacks() {
    let mut stage = Stage::start().await;
    let checks = |output: &std::process::Output| {
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        answer["checks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|check| check["name"] == "edge")
            .cloned()
            .unwrap()
    };
    let url = stage.edge.url();
    let output = stage
        .command_line
        .run(&["doctor", "--output", "json", "--edge", &url]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(checks(&output)["status"], "ok");
    assert_eq!(checks(&output)["message"], "ready");

    stage.server.stop().await;
    let cold = stage.cold_edge().await;
    let url = cold.url();
    let output = stage
        .command_line
        .run(&["doctor", "--output", "json", "--edge", &url]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(checks(&output)["status"], "failed");
    assert_eq!(
        checks(&output)["message"],
        "not ready: no token keys, no policy bundle, no revocations"
    );
}
