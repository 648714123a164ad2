//! T15: keys rotate twice under steady traffic, and no valid token is refused.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use plinto_tests::process::until;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::stage::{PROMISED, Stage};
use crate::setup::CLOSED;

/// The least that the control plane takes: as long as caches may keep an older set and the edge
/// goes by one.
const PUBLISHED_AHEAD_S: &str = "60";

/// The second new key is published after the edge has fetched the first set, so that it can only
/// be known from a refresh.
#[tokio::test(flavor = "multi_thread")]
async fn rotation_under_traffic_refuses_no_valid_token() {
    let settings = [("PLINTO_SIGNING_KEYS_PUBLISH_AHEAD_S", PUBLISHED_AHEAD_S)];
    // a feed signed by a key that the edge does not find would soon prove nothing
    let variables = [("REVOCATION_HARD_LIMIT_S", "5")];
    let stage = Stage::start_with(&settings, &variables).await;
    let ada = stage.person("ada", "editor", &["document:read"]).await;
    stage
        .until_status(200, "/documents/1", &ada.token, Duration::from_secs(10))
        .await;

    let done = AtomicBool::new(false);
    let first = kid(&ada.token);
    let seen = RefCell::new(BTreeMap::from([(first.clone(), 0)]));
    let old_tokens = async {
        let mut pace = tokio::time::interval(Duration::from_millis(100));
        let mut passed = 0;
        while !done.load(Ordering::SeqCst) {
            pace.tick().await;
            let answer = stage.through("GET", "/documents/1", Some(&ada.token)).await;
            assert_eq!(answer.status, 200, "an old token: {answer:?}");
            passed += 1;
        }
        passed
    };
    let new_tokens = || async {
        let mut pace = tokio::time::interval(Duration::from_millis(300));
        while !done.load(Ordering::SeqCst) {
            pace.tick().await;
            let person = stage.sign_in(&ada.email, None).await;
            let answer = stage
                .through("GET", "/documents/1", Some(&person.token))
                .await;
            // without an organization there is no role: the token was accepted, the policy refused
            let kid = kid(&person.token);
            let code = (answer.status, answer.code());
            assert_eq!(code, (403, "policy_denied"), "key {kid}: {answer:?}");
            *seen.borrow_mut().entry(kid).or_insert(0) += 1;
        }
    };
    let rotations = async {
        for purpose in ["token", "bundle"] {
            assert_eq!(rotate(&stage, purpose).await, StatusCode::OK, "{purpose}");
        }
        let began = Instant::now();
        // the next key is published; until verifiers have had time to see it, it may not sign
        for purpose in ["token", "bundle"] {
            until(
                "the next key may sign",
                Duration::from_mins(3),
                async || rotate(&stage, purpose).await.is_success().then_some(()),
            )
            .await;
        }
        assert!(
            began.elapsed() > Duration::from_secs(20),
            "it was known before"
        );
        until(
            "all three keys have signed",
            Duration::from_secs(30),
            async || {
                let seen = seen.borrow();
                let is_used = |(kid, times): (&String, &i32)| *kid == first || *times >= 10;
                (seen.len() == 3 && seen.iter().all(is_used)).then_some(())
            },
        )
        .await;
        done.store(true, Ordering::SeqCst);
    };
    let (old, (), (), ()) = tokio::join!(old_tokens, new_tokens(), new_tokens(), rotations);
    let new: i32 = seen.borrow().values().sum();
    let all = old + new;
    assert!(all > 200, "too little traffic to show anything: {all}");

    // what the newest bundle key signs is taken: the feed, and the policy
    let grace = stage.sign_in(&ada.email, None).await;
    let revoke = format!("/v1/sessions/{}/revoke", grace.session);
    stage.manage(&revoke, &json!({}), &[]).await;
    stage
        .until_status(401, "/documents/1", &grace.token, PROMISED)
        .await;
    stage.publish(CLOSED);
    stage
        .until_status(403, "/documents/1", &ada.token, PROMISED)
        .await;
}

async fn rotate(stage: &Stage, purpose: &str) -> StatusCode {
    let url = format!("{}/v1/signing_keys/rotate", stage.server.url());
    let request = stage.http.post(url).bearer_auth(&stage.tenant.api_key);
    let answer = request.json(&json!({ "purpose": purpose })).send().await;
    answer.unwrap().status()
}

fn kid(token: &str) -> String {
    let header = Base64UrlUnpadded::decode_vec(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}
