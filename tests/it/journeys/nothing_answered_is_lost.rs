//! The control plane dies in the middle of its work: whatever it answered is still there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plinto_tests::process::{ControlPlane, until};
use serde_json::{Value, json};

use super::AUDIENCE;
use crate::setup::PASSWORD;

/// E-mail address → access token, of every sign-up that got a 2xx.
type SignedUp = Arc<Mutex<BTreeMap<String, String>>>;

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_control_plane_during_sign_ups_loses_nothing_answered() {
    let mut server =
        ControlPlane::start_with(&[("PLINTO_HTTP_REQUESTS_PER_MINUTE", "1000000")]).await;
    let tenant = server.bootstrap("acme", AUDIENCE);
    let signed_up = SignedUp::default();
    for round in 0..3 {
        let before = signed_up.lock().unwrap().len();
        let workers: Vec<_> = (0..8)
            .map(|worker| {
                let (issuer, signed_up) = (tenant.issuer.clone(), signed_up.clone());
                tokio::spawn(sign_up_until_it_breaks(
                    issuer,
                    format!("r{round}w{worker}"),
                    signed_up,
                ))
            })
            .collect();
        until(
            "sign-ups are under way",
            Duration::from_mins(1),
            async || (signed_up.lock().unwrap().len() >= before + 12).then_some(()),
        )
        .await;
        server.kill();
        for worker in workers {
            worker.await.unwrap();
        }
        server.serve().await;
        let known = signed_up.lock().unwrap().clone();
        for (email, token) in &known {
            let me = me(&tenant.issuer, token).await;
            assert_eq!(me["email"], email.as_str(), "round {round}: lost: {me}");
        }
    }
}

async fn sign_up_until_it_breaks(issuer: String, name: String, signed_up: SignedUp) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for number in 0.. {
        let email = format!("{name}n{number}@example.com");
        let body = json!({ "email": email, "password": PASSWORD });
        let Ok(answer) = http
            .post(format!("{issuer}/v1/sign_up"))
            .json(&body)
            .send()
            .await
        else {
            return;
        };
        if !answer.status().is_success() {
            continue;
        }
        // the status line was a promise, even if the rest of the answer never arrives
        let body: Result<Value, _> = answer.json().await;
        let Ok(body) = body else { return };
        let token = body["access_token"].as_str().unwrap().to_owned();
        signed_up.lock().unwrap().insert(email, token);
    }
}

async fn me(issuer: &str, token: &str) -> Value {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http
        .get(format!("{issuer}/v1/me"))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    answer.json().await.unwrap()
}
