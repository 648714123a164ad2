//! Bodies that are slow in coming: they hold no slot, and no address holds more than its share.

use std::{sync::Arc, time::Duration};

use axum::body::{Body, Bytes};
use futures_util::{StreamExt as _, stream};
use plinto_platform::http::Slots;
use plinto_tests::{
    process::until,
    world::{Answer, Client, World},
};
use serde_json::json;
use tokio::{task::JoinSet, time::timeout};

use crate::setup::{CLOSED, admin, bundle_of, sign_up};

/// Nobody waits this long unless they were forgotten.
const FORGOTTEN: Duration = Duration::from_secs(30);

/// Some bytes, and then nothing for ever.
fn dawdling(first: impl Into<Bytes>) -> Body {
    let first = stream::iter([Ok::<_, std::io::Error>(first.into())]);
    Body::from_stream(first.chain(stream::pending()))
}

/// In two pieces that are not there at once.
fn in_pieces(whole: &[u8]) -> Body {
    let half = whole.len() / 2;
    let pieces = [whole[..half].to_vec(), whole[half..].to_vec()];
    Body::from_stream(stream::iter(pieces).then(|piece| async {
        tokio::task::yield_now().await;
        Ok::<_, std::io::Error>(Bytes::from(piece))
    }))
}

async fn dawdle(client: Client) -> Answer {
    let path = "/t/acme/v1/sign_in";
    client
        .post_bytes(path, "application/json", dawdling("{"))
        .await
}

/// W7: a slot is taken when the body is there.
#[tokio::test]
async fn whoever_dawdles_holds_a_share_of_the_places_and_no_slot() {
    let world = Arc::new(
        World::with(|config| {
            config.http.concurrency = 32;
            config.http.body_timeout_s = 600;
        })
        .await,
    );
    let mut dawdlers = JoinSet::new();
    for _ in 0..8 {
        dawdlers.spawn(dawdle(world.anon().from("192.0.2.1")));
    }
    // Two of 32 places are an address's; the others are sent away.
    for _ in 0..6 {
        let answer = timeout(FORGOTTEN, dawdlers.join_next()).await.unwrap();
        let refused = answer.unwrap().unwrap().expect_problem(429, "rate_limited");
        assert_eq!(refused.header("retry-after"), "1");
    }
    assert_eq!(world.app.state::<Slots>().work().available_permits(), 32);
    // Whose body is there needs no place, whatever the neighbours do.
    let body = json!({"email": "ada@example.com", "password": "four quiet otters under a bridge"});
    let neighbour = world.anon().from("192.0.2.1");
    neighbour.post("/t/acme/v1/sign_up", body).await.expect(201);
    // Another address has places of its own.
    let body = json!({"email": "bob@example.com", "password": "four quiet otters under a bridge"});
    let slow = in_pieces(body.to_string().as_bytes());
    let elsewhere = world.anon().from("192.0.2.2");
    elsewhere
        .post_bytes("/t/acme/v1/sign_up", "application/json", slow)
        .await
        .expect(201);
    // Those who go away leave their places.
    dawdlers.abort_all();
    until("the places are free", FORGOTTEN, async || {
        let body = in_pieces(b"{}");
        let path = "/t/acme/v1/sign_in";
        let answer = neighbour.post_bytes(path, "application/json", body).await;
        (answer.status.as_u16() == 422).then_some(())
    })
    .await;
}

/// W7: and also when whoever sends it has all the time in the world.
#[tokio::test]
async fn a_body_that_does_not_come_is_waited_for_some_seconds_only() {
    let world = World::with(|config| config.http.body_timeout_s = 1).await;
    let answer = timeout(FORGOTTEN, dawdle(world.anon())).await.unwrap();
    let problem = answer.expect_problem(408, "request_timeout").json();
    assert_eq!(problem["detail"], "the body was not there within 1 s");
}

/// W7: strangers send no large bodies, and a tenant has a few on their way at a time.
#[tokio::test]
async fn a_large_body_is_read_only_for_who_has_an_api_key() {
    let world = Arc::new(World::with(|config| config.http.body_timeout_s = 600).await);
    let path = "/v1/policies/bundles";
    let large = || vec![b'x'; 100_000];
    let stranger = world.anon();
    let answer = stranger.post_bytes(path, "application/gzip", large()).await;
    answer.expect(401);
    let mut uploads = JoinSet::new();
    for _ in 0..5 {
        let client = admin(&world);
        uploads.spawn(async move {
            let body = dawdling(vec![b'x'; 100_000]);
            client.post_bytes(path, "application/gzip", body).await
        });
    }
    let refused = timeout(FORGOTTEN, uploads.join_next()).await.unwrap();
    refused
        .unwrap()
        .unwrap()
        .expect_problem(429, "rate_limited");
    assert!(uploads.try_join_next().is_none(), "four are waited for");
    uploads.abort_all();
    while uploads.join_next().await.is_some() {}
    let slow = in_pieces(&bundle_of(CLOSED));
    let admin = admin(&world);
    let published = admin.post_bytes(path, "application/gzip", slow).await;
    published.expect(201);
    // Too large is still said in the words of the endpoint.
    let person = sign_up(&world, "ada").await;
    let answer = world
        .bearer(&person.access_token)
        .post_bytes("/t/acme/v1/me/password", "application/json", large())
        .await;
    answer.expect_problem(413, "payload_too_large");
}

/// W7: nor behind the limit. Fails when more of a body is waited for than was meant to be read.
#[tokio::test]
async fn whoever_dawdles_behind_the_limit_is_refused_at_once() {
    let world = World::with(|config| {
        config.http.timeout_s = 600;
        config.http.body_timeout_s = 600;
    })
    .await;
    for path in ["/t/acme/v1/sign_in", "/t/acme/v1/sign_up"] {
        let beyond = dawdling(vec![b' '; world.app.config.http.body_bytes + 1]);
        let client = world.anon();
        let answer = client.post_bytes(path, "application/json", beyond);
        let answer = timeout(FORGOTTEN, answer).await.expect(path);
        assert_eq!(answer.status.as_u16(), 413, "{path}: {}", answer.text());
    }
}
