//! Everybody signs in at once: the server weighs little more for it, and soon as little as before.

use std::time::Duration;

use plinto_tests::process::{ControlPlane, until};
use serde_json::json;

use super::AUDIENCE;
use crate::setup::PASSWORD;

/// 32 clients, each signs up so many people.
const CLIENTS: usize = 32;
const PEOPLE: usize = 4;
/// 100 MB at the height, 64 MB at rest.
const HEIGHT_KIB: u64 = 100 * 1024;
const REST_KIB: u64 = 64 * 1024;

/// Statement A3: hashing takes memory for as many passwords as are hashed at once, and gives it back.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_sign_ups_leaves_no_memory_behind() {
    let server = ControlPlane::start_with(&[
        ("PLINTO_HTTP_REQUESTS_PER_MINUTE", "1000000"),
        // As on two cores, wherever this runs.
        ("PLINTO_CREDENTIALS_HASHING_THREADS", "2"),
    ])
    .await;
    let tenant = server.bootstrap("acme", AUDIENCE);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let (http, url) = (http.clone(), format!("{}/v1/sign_up", tenant.issuer));
        clients.spawn(async move {
            for person in 0..PEOPLE {
                let email = format!("c{client}p{person}@example.com");
                let body = json!({ "email": email, "password": PASSWORD });
                let answer = http.post(&url).json(&body).send().await.unwrap();
                assert_eq!(answer.status(), 201);
            }
        });
    }
    clients.join_all().await;
    let height = server.memory_kib("VmHWM");
    assert!(height <= HEIGHT_KIB, "{height} KiB at the height");
    until(
        "the memory is given back",
        Duration::from_mins(1),
        async || (server.memory_kib("VmRSS") <= REST_KIB).then_some(()),
    )
    .await;
}
