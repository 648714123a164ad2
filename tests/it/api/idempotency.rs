//! A POST that is sent twice with one key happens once.

use plinto_tests::world::{Client, World};
use serde_json::{Value, json};

use super::worlds::{admin, worlds};

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

#[tokio::test]
async fn the_second_request_gets_the_first_ones_answer() {
    for world in worlds().await {
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
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_caller() {
    for world in worlds().await {
        let client = keyed(&world, "one");
        client.post("/v1/roles", role("auditor")).await.expect(201);
        let other = client.post("/v1/roles", role("reader")).await;
        other.expect_problem(422, "idempotency_mismatch");
        // Another door, another caller: another key.
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
}

#[tokio::test]
async fn a_refused_request_may_be_tried_again_with_its_key() {
    for world in worlds().await {
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
}

#[tokio::test]
async fn an_answer_is_kept_for_24_hours() {
    for world in worlds().await {
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
}

/// Ten at once: one happens, the others wait for its answer or are told that it is running.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_requests_at_the_same_time_one_happens() {
    for world in worlds().await {
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
