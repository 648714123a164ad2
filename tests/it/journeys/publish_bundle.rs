//! From a terminal to the edge: a new policy answers within two seconds, and so does a roll-back.

use super::stage::{BY_ROLE, CLOSED, PROMISED, Stage};

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

/// A bundle that can't be right is refused whole by the control plane, and the old one stays.
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
    let broken = BY_ROLE.replace("default allow := false", "default allow := ");
    let folder = super::stage::policy_folder(&broken);
    let output = stage.command_line.run(&[
        "policy",
        "publish",
        folder.path().to_str().unwrap(),
        "--activate",
    ]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(
        errors.contains("authz.rego") && errors.contains('^'),
        "{errors}"
    );
    let answer = stage.through("GET", "/documents/1", Some(&ada.token)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}
