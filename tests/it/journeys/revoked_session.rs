//! A revoked session ends at the edge, although its token has not expired.

use serde_json::json;

use super::stage::{PROMISED, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_session_is_refused_within_two_seconds() {
    let stage = Stage::start().await;
    let ada = stage.person("ada", "editor", &["document:read"]).await;
    let grace = stage.person("grace", "editor", &["document:read"]).await;
    for person in [&ada, &grace] {
        stage
            .until_status(
                200,
                "/documents/1",
                &person.token,
                std::time::Duration::from_secs(10),
            )
            .await;
    }

    stage
        .manage(
            &format!("/v1/sessions/{}/revoke", ada.session),
            &json!({}),
            &[],
        )
        .await;
    stage
        .until_status(401, "/documents/1", &ada.token, PROMISED)
        .await;
    let refused = stage.through("GET", "/documents/1", Some(&ada.token)).await;
    assert_eq!(refused.code(), "token_revoked");
    let other = stage
        .through("GET", "/documents/1", Some(&grace.token))
        .await;
    assert_eq!(
        other.status, 200,
        "somebody else's session ended too: {other:?}"
    );

    stage
        .manage(&format!("/v1/users/{}/disable", grace.id), &json!({}), &[])
        .await;
    stage
        .until_status(401, "/documents/1", &grace.token, PROMISED)
        .await;
}
