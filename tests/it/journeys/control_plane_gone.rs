//! The control plane is gone: what is known still answers, what isn't is refused.

use std::time::Duration;

use super::stage::{Stage, ask};

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_edge_answers_and_a_cold_one_fails_closed() {
    let mut stage = Stage::start().await;
    let ada = stage.person("ada", "editor", &["document:read"]).await;
    stage
        .until_status(200, "/documents/1", &ada.token, Duration::from_secs(10))
        .await;

    assert_eq!(stage.server.stop().await, Some(0), "{}", stage.server.log());
    for _ in 0..20 {
        let answer = stage.through("GET", "/documents/1", Some(&ada.token)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let nobody = stage.through("GET", "/documents/1", None).await;
    assert_eq!(nobody.status, 401);

    let cold = stage.cold_edge().await;
    let answer = ask(&stage.http, &cold, "GET", "/documents/1", Some(&ada.token)).await;
    assert_eq!(
        (answer.status, answer.code()),
        (503, "edge_not_ready"),
        "{answer:?}"
    );

    stage.server.serve().await;
    stage
        .until_status(200, "/documents/1", &ada.token, Duration::from_secs(10))
        .await;
}

/// N14: past the hard limit of the revocation feed the edge refuses, rather than guess.
#[tokio::test(flavor = "multi_thread")]
async fn past_the_hard_limit_of_the_feed_the_edge_fails_closed() {
    let mut stage = Stage::start_with(&[], &[("REVOCATION_HARD_LIMIT_S", "3")]).await;
    let ada = stage.person("ada", "editor", &["document:read"]).await;
    stage
        .until_status(200, "/documents/1", &ada.token, Duration::from_secs(10))
        .await;
    stage.server.kill();
    stage
        .until_status(503, "/documents/1", &ada.token, Duration::from_secs(15))
        .await;
    let refused = stage.through("GET", "/documents/1", Some(&ada.token)).await;
    assert_eq!(refused.code(), "revocation_unknown");
    stage.server.serve().await;
    stage
        .until_status(200, "/documents/1", &ada.token, Duration::from_secs(15))
        .await;
}
