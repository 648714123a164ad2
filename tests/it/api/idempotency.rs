//! A POST that is sent twice with one key happens once.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Extension, Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
    middleware::from_fn_with_state,
    routing::{MethodRouter, post},
};
use plinto_platform::{
    Platform,
    actor::Actor,
    envelope::sha256_hex,
    http::{Groups, Slots, idempotency, layers, problem},
};
use plinto_tests::world::{Client, World};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::setup::{
    OTHER_PASSWORD, PASSWORD, admin, apply, each_database, each_database_with_threads,
};

fn keyed(world: &World, key: &str) -> Client {
    admin(world).with("idempotency-key", key)
}

fn role(key: &str) -> Value {
    json!({"key": key, "name": key, "permissions": ["document:read"]})
}

async fn roles(world: &World) -> usize {
    let list = admin(world)
        .get("/v1/roles?limit=100")
        .await
        .expect(200)
        .json();
    list["data"].as_array().unwrap().len()
}

#[apply(each_database)]
async fn the_second_request_gets_the_first_ones_answer(world: World) {
    let before = roles(&world).await;
    let client = keyed(&world, "\"one\"");
    let first = client.post("/v1/roles", role("auditor")).await.expect(201);
    assert_eq!(first.header("idempotent-replayed"), "");
    let second = client.post("/v1/roles", role("auditor")).await.expect(201);
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!(second.bytes, first.bytes);
    assert_eq!(second.header("content-type"), first.header("content-type"));
    assert_ne!(second.header("x-request-id"), first.header("x-request-id"));
    // Quoted or bare, it is the same key.
    let bare = keyed(&world, "one")
        .post("/v1/roles", role("auditor"))
        .await
        .expect(201);
    assert_eq!(bare.header("idempotent-replayed"), "true");
    assert_eq!(roles(&world).await, before + 1);
}

#[apply(each_database)]
async fn a_key_belongs_to_one_request_of_one_caller(world: World) {
    let client = keyed(&world, "one");
    client.post("/v1/roles", role("auditor")).await.expect(201);
    let other = client.post("/v1/roles", role("reader")).await;
    other.expect_problem(422, "idempotency_mismatch");
    // Another endpoint, another caller: another key.
    let body = json!({"name": "k", "permissions": ["roles:write"]});
    let key = client.post("/v1/api_keys", body).await.expect(201).json();
    let caller = world
        .bearer(key["secret"].as_str().unwrap())
        .with("idempotency-key", "one");
    let theirs = caller.post("/v1/roles", role("reader")).await.expect(201);
    assert_eq!(theirs.header("idempotent-replayed"), "");
    for wrong in ["a b", "\"\""] {
        let refused = keyed(&world, wrong).post("/v1/roles", role("x")).await;
        refused.expect_problem(422, "validation_failed");
    }
}

#[apply(each_database)]
async fn a_refused_request_may_be_tried_again_with_its_key(world: World) {
    admin(&world)
        .post("/v1/roles", role("auditor"))
        .await
        .expect(201);
    let client = keyed(&world, "one");
    client
        .post("/v1/roles", role("auditor"))
        .await
        .expect_problem(409, "role_key_taken");
    client
        .post("/v1/roles", role("auditor"))
        .await
        .expect_problem(409, "role_key_taken");
}

#[apply(each_database)]
async fn an_answer_is_kept_for_24_hours(world: World) {
    let client = keyed(&world, "one");
    client.post("/v1/roles", role("auditor")).await.expect(201);
    world.clock.advance_seconds(24 * 60 * 60 - 1);
    let replayed = client.post("/v1/roles", role("auditor")).await.expect(201);
    assert_eq!(replayed.header("idempotent-replayed"), "true");
    world.clock.advance_seconds(2);
    client
        .post("/v1/roles", role("auditor"))
        .await
        .expect_problem(409, "role_key_taken");
}

/// Ten at once: one happens, the others wait for its answer or are told that it is running.
#[apply(each_database_with_threads)]
async fn of_requests_at_the_same_time_one_happens(world: World) {
    let before = roles(&world).await;
    let client = keyed(&world, "one");
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let client = client.clone();
        requests.spawn(async move { client.post("/v1/roles", role("auditor")).await });
    }
    let mut made = 0;
    for answer in requests.join_all().await {
        if answer.status.as_u16() == 201 {
            made += i32::from(answer.header("idempotent-replayed").is_empty());
        } else {
            answer.expect_problem(409, "idempotency_conflict");
        }
    }
    assert_eq!(made, 1);
    assert_eq!(roles(&world).await, before + 1);
}

/// S1, W10: a secret that was shown once is not kept in clear for the replay.
#[tokio::test]
async fn kept_answers_are_sealed() {
    let world = World::new().await;
    let body = json!({"name": "k", "permissions": ["roles:write"]});
    let made = keyed(&world, "one")
        .post("/v1/api_keys", body)
        .await
        .expect(201)
        .json();
    let secret = made["secret"].as_str().unwrap();
    world.app.db.close().await;
    for entry in std::fs::read_dir(world.database().folder()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(
            !bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
        );
    }
}

/// The path is part of what the key belongs to, and as long as its client likes.
#[apply(each_database)]
async fn a_very_long_path_is_no_fault_of_the_server(world: World) {
    // Numbers that no database can pack into less than its index takes.
    let scrambled = (1..2_000_u64).map(|number| number * 2_654_435_761 % 4_294_967_291);
    let scrambled: Vec<_> = scrambled.map(|number| format!("{number:08x}")).collect();
    let revision = scrambled.concat();
    let path = format!("/v1/policies/bundles/{revision}/activate");
    let answer = keyed(&world, "one").post_empty(&path).await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
}

/// Whoever comes between a refusal and the end of its row is told to come again.
#[apply(each_database_with_threads)]
async fn refused_requests_at_the_same_time_are_all_refused(world: World) {
    admin(&world)
        .post("/v1/roles", role("auditor"))
        .await
        .expect(201);
    for round in 0..40 {
        let client = keyed(&world, &format!("round-{round}"));
        let mut requests = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let client = client.clone();
            requests.spawn(async move { client.post("/v1/roles", role("auditor")).await });
        }
        for answer in requests.join_all().await {
            answer.expect(409);
        }
    }
}

/// An endpoint of this test's own, behind the layer.
fn endpoint(app: &Platform, handler: MethodRouter<Platform>) -> Router {
    Router::new()
        .route("/endpoint", handler)
        .layer(from_fn_with_state(app.clone(), idempotency::once))
        .layer(from_fn_with_state(
            (app.clone(), Groups::default()),
            problem::write_problems,
        ))
        .with_state(app.clone())
}

/// Sends the same request with the same key.
async fn ask(world: &World, endpoint: &Router) -> (u16, String) {
    let request = Request::post("/endpoint")
        .header("idempotency-key", "one")
        .extension(Actor::system(world.acme.tenant))
        .body(Body::empty())
        .unwrap();
    let response = endpoint.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert!(!problem.to_string().contains("canary"), "{problem}");
    (status, problem["code"].as_str().unwrap().to_owned())
}

fn unknown() -> (u16, String) {
    (409, "idempotency_outcome_unknown".to_owned())
}

async fn panics(Extension(runs): Extension<Arc<AtomicUsize>>) -> StatusCode {
    runs.fetch_add(1, Ordering::SeqCst);
    panic!("canary: what a panic says is for the log");
}

async fn hangs(Extension(runs): Extension<Arc<AtomicUsize>>) -> StatusCode {
    runs.fetch_add(1, Ordering::SeqCst);
    pending().await
}

#[tokio::test]
async fn a_request_that_came_to_no_answer_is_not_run_again() {
    for (handler, first) in [
        (post(panics), (500, "internal_error".to_owned())),
        (post(hangs), (408, "request_timeout".to_owned())),
    ] {
        let world = World::with(|config| config.http.timeout_s = 1).await;
        let runs = Arc::new(AtomicUsize::new(0));
        let endpoint = endpoint(&world.app, handler).layer(Extension(runs.clone()));
        assert_eq!(ask(&world, &endpoint).await, first);
        assert_eq!(ask(&world, &endpoint).await, unknown());
        world.clock.advance_seconds(23 * 60 * 60);
        assert_eq!(ask(&world, &endpoint).await, unknown());
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    }
}

/// Asks, and goes away as soon as the request has begun to run.
async fn ask_and_leave(world: &World, endpoint: &Router, runs: &AtomicUsize) {
    tokio::select! {
        answer = ask(world, endpoint) => panic!("{answer:?}"),
        () = async {
            while runs.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
        } => {}
    }
}

/// As after the end of the process that ran it.
#[tokio::test]
async fn a_request_whose_answer_never_comes_is_given_up_and_not_run_again() {
    let world = World::new().await;
    let runs = Arc::new(AtomicUsize::new(0));
    let endpoint = endpoint(&world.app, post(hangs)).layer(Extension(runs.clone()));
    let running = (409, "idempotency_conflict".to_owned());
    ask_and_leave(&world, &endpoint, &runs).await;
    assert_eq!(ask(&world, &endpoint).await, running);
    world.clock.advance_seconds(30 + 59);
    assert_eq!(ask(&world, &endpoint).await, running);
    world.clock.advance_seconds(1);
    assert_eq!(ask(&world, &endpoint).await, unknown());
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

/// W7: who sends and hangs up again and again has no more work done than there are slots for.
#[tokio::test]
async fn a_request_that_goes_on_without_its_client_keeps_its_slot() {
    let world = World::with(|config| config.http.concurrency = 2).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let endpoint = endpoint(&world.app, post(hangs))
        .layer(Extension(runs.clone()))
        .layer(from_fn_with_state(world.app.clone(), layers::slot));
    ask_and_leave(&world, &endpoint, &runs).await;
    assert_eq!(world.app.state::<Slots>().work().available_permits(), 1);
}

fn newcomer(email: &str, password: &str) -> Value {
    json!({"email": email, "password": password})
}

#[apply(each_database)]
async fn a_sign_up_that_is_sent_twice_with_one_key_is_answered_twice_and_happens_once(
    world: World,
) {
    let client = world.anon().with("idempotency-key", "one");
    let path = "/t/acme/v1/sign_up";
    let alice = newcomer("alice@example.com", PASSWORD);
    let first = client.post(path, alice.clone()).await.expect(201);
    let second = client.post(path, alice.clone()).await.expect(201);
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!(second.bytes, first.bytes);
    assert_eq!(second.header("cache-control"), "no-store");
    let users = admin(&world).get("/v1/users").await.expect(200).json();
    assert_eq!(users["data"].as_array().unwrap().len(), 1);
    let without = world.anon().post(path, alice).await;
    without.expect_problem(409, "email_taken");
}

/// A key is a stranger's word: it opens nobody else's answer, tells nothing, and blocks nobody.
#[apply(each_database)]
async fn a_stranger_with_the_same_key_neither_sees_a_sign_up_nor_is_held_up_by_it(world: World) {
    let client = world.anon().with("idempotency-key", "1");
    let path = "/t/acme/v1/sign_up";
    let alice = newcomer("alice@example.com", PASSWORD);
    client.post(path, alice).await.expect(201);
    let guess = newcomer("alice@example.com", OTHER_PASSWORD);
    let refused = client.post(path, guess.clone()).await;
    let refused = refused.expect_problem(409, "email_taken");
    let unkeyed = world.anon().post(path, guess).await;
    assert_eq!(refused.json()["detail"], unkeyed.json()["detail"]);
    let bob = newcomer("bob@example.com", PASSWORD);
    let bob = client.post(path, bob).await.expect(201);
    assert_eq!(bob.header("idempotent-replayed"), "");
    assert_eq!(bob.json()["user"]["email"], "bob@example.com");
    let other = world.tenant("other").await;
    let theirs = newcomer("alice@example.com", PASSWORD);
    let theirs = client.post("/t/other/v1/sign_up", theirs).await.expect(201);
    assert_eq!(theirs.header("idempotent-replayed"), "");
    drop(other);
}

/// S10: what is kept of a request with a password in it does not let the password be guessed.
#[tokio::test]
async fn what_is_kept_of_a_sign_up_can_not_be_compared_with_guesses() {
    let world = World::new().await;
    let path = "/t/acme/v1/sign_up";
    let body = newcomer("alice@example.com", PASSWORD);
    let client = world.anon().with("idempotency-key", "one");
    client.post(path, body.clone()).await.expect(201);
    world.app.db.close().await;
    let sent = format!("{path}\napplication/json\n{body}");
    for guess in [sent, body.to_string()] {
        let digest = sha256_hex(&guess);
        for entry in std::fs::read_dir(world.database().folder()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            let mut windows = bytes.windows(digest.len());
            assert!(!windows.any(|window| window == digest.as_bytes()));
        }
    }
}
