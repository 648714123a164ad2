//! T15: keys rotate under constant traffic, and no valid token is refused.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Value, json};

use super::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn rotation_under_traffic_refuses_no_valid_token() {
    let stage = Stage::start().await;
    let ada = stage.person("ada", "editor", &["document:read"]).await;
    stage
        .until_status(200, "/documents/1", &ada.token, Duration::from_secs(10))
        .await;
    let first = kid(&ada.token);

    let done = AtomicBool::new(false);
    let old_tokens = async {
        let mut passed = 0;
        while !done.load(Ordering::SeqCst) {
            let answer = stage.through("GET", "/documents/1", Some(&ada.token)).await;
            assert_eq!(answer.status, 200, "an old token: {answer:?}");
            passed += 1;
        }
        passed
    };
    let new_tokens = async {
        let (mut kids, mut passed) = (vec![first.clone()], 0);
        let began = Instant::now();
        while kids.len() < 2 || passed < 40 {
            assert!(
                began.elapsed() < Duration::from_secs(40),
                "the new key never signed: {kids:?}"
            );
            let person = stage.sign_in(&ada.email, None).await;
            let answer = stage
                .through("GET", "/documents/1", Some(&person.token))
                .await;
            // without an organization there is no role: 403 means that the token was accepted
            assert_eq!(
                answer.status,
                403,
                "a token of key {}: {answer:?}",
                kid(&person.token)
            );
            let kid = kid(&person.token);
            if !kids.contains(&kid) {
                kids.push(kid);
            }
            passed += 1;
        }
        done.store(true, Ordering::SeqCst);
        (kids, passed)
    };
    let rotation = async {
        // the tenant's next key was published with its first, so it may sign at once
        let url = format!("{}/v1/signing_keys/rotate", stage.server.url());
        let request = stage.http.post(url).bearer_auth(&stage.tenant.api_key);
        let body = json!({ "purpose": "token" });
        let answer = request.json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    };
    let (old, (kids, new), ()) = tokio::join!(old_tokens, new_tokens, rotation);
    assert_eq!(kids.len(), 2, "{kids:?}");
    assert!(
        old > 40 && new >= 40,
        "too little traffic to show anything: {old} and {new}"
    );
}

fn kid(token: &str) -> String {
    let header = Base64UrlUnpadded::decode_vec(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}
