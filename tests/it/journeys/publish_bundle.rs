//! From a terminal to the edge: a new policy answers within two seconds, and so does a roll-back.

use std::collections::BTreeMap;

use plinto_policy::bundle::{self, Source};
use serde_json::Value;

use super::stage::{PROMISED, Stage, policy_folder};
use crate::setup::{BY_ROLE, CLOSED, manifest};

#[tokio::test(flavor = "multi_thread")]
async fn an_activated_bundle_answers_without_a_restart() {
    let stage = Stage::start().await;
    let ada = stage.person("ada", "editor", &["document:read"]).await;
    stage
        .until_status(
            200,
            "/documents/1",
            &ada.token,
            std::time::Duration::from_secs(10),
        )
        .await;

    stage.publish(CLOSED);
    stage
        .until_status(403, "/documents/1", &ada.token, PROMISED)
        .await;
    let refused = stage.through("GET", "/documents/1", Some(&ada.token)).await;
    assert_eq!(refused.body["reasons"][0], "closed for maintenance");

    stage.command_line.json(&["policy", "rollback"]);
    stage
        .until_status(200, "/documents/1", &ada.token, PROMISED)
        .await;
}

/// A bundle that can't be right is refused whole, by the control plane and before it by the command
/// line, and the old one stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_is_wrong_changes_nothing() {
    let stage = Stage::start().await;
    let ada = stage.person("ada", "editor", &["document:read"]).await;
    stage
        .until_status(
            200,
            "/documents/1",
            &ada.token,
            std::time::Duration::from_secs(10),
        )
        .await;
    let before = stage.command_line.json(&["policy", "status"]);
    let broken = BY_ROLE.replace("default allow := false", "default allow := ");

    // packed by hand: the command line would find the mistake before anything is sent
    let files = BTreeMap::from([
        ("authz.rego".to_owned(), broken.clone().into_bytes()),
        ("plinto/data.json".to_owned(), br#"{"routes": []}"#.to_vec()),
    ]);
    let packed = bundle::build(&Source { files }, &manifest()).unwrap();
    let answer = stage
        .http
        .post(format!("{}/v1/policies/bundles", stage.server.url()))
        .bearer_auth(&stage.tenant.api_key)
        .header("content-type", "application/gzip")
        .body(packed)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 422);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "policy_syntax", "{problem}");

    // and the command line does find it
    let folder = policy_folder(&broken);
    let path = folder.path().to_str().unwrap();
    let output = stage
        .command_line
        .run(&["policy", "publish", path, "--activate"]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(
        errors.contains("authz.rego") && errors.contains('^'),
        "{errors}"
    );

    assert_eq!(stage.command_line.json(&["policy", "status"]), before);
    let listed = stage.command_line.json(&["policy", "list"]);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    let answer = stage.through("GET", "/documents/1", Some(&ada.token)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}
