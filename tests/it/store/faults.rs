//! A database in trouble: requests are told to come again (503), and work again when it is over.

use std::time::{Duration, Instant};

use plinto_platform::{args, db::Db};
use plinto_tests::world::{Answer, Engine, TestDatabase, World};
use serde_json::json;
use tokio::time::timeout;

use crate::setup::admin;

/// Nobody waits this long unless they were forgotten.
const FORGOTTEN: Duration = Duration::from_secs(30);

/// Makes a role of half a database page.
async fn make_role(world: &World, key: &str) -> Answer {
    let body = json!({"key": key, "name": key, "description": "d".repeat(500),
        "permissions": ["document:read"]});
    admin(world).post("/v1/roles", body).await
}

/// Sets something on the write connection.
async fn set(world: &World, pragma: &'static str) {
    let mut tx = world.app.db.begin().await.unwrap();
    tx.all::<(i64,)>(pragma, args![]).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_answered_503_and_nothing_is_half_done() {
    let world = World::new().await;
    // What the file has now is all it gets.
    set(&world, "pragma max_page_count = 1").await;
    let mut made = 0;
    let refused = loop {
        let answer = make_role(&world, &format!("role-{made}")).await;
        if answer.status.as_u16() != 201 {
            break answer;
        }
        made += 1;
        assert!(made < 1_000, "the disk never fills");
    };
    let problem = refused.expect_problem(503, "unavailable").json();
    assert_eq!(problem["retryable"], true);
    // What is there can be read, and background work says what is wrong without ending.
    let list = admin(&world).get("/v1/roles?limit=100").await.expect(200);
    let before = list.json()["data"].as_array().unwrap().len();
    world.run_due_work().await;
    set(&world, "pragma max_page_count = 1000000").await;
    make_role(&world, &format!("role-{made}")).await.expect(201);
    let list = admin(&world).get("/v1/roles?limit=100").await.expect(200);
    assert_eq!(list.json()["data"].as_array().unwrap().len(), before + 1);
}

#[tokio::test]
async fn a_database_that_only_reads_is_answered_503() {
    let world = World::new().await;
    // Used once, so that its next use is not noted as the first.
    admin(&world).get("/v1/roles").await.expect(200);
    let mut tx = world.app.db.begin().await.unwrap();
    tx.execute("pragma query_only = on", args![]).await.unwrap();
    tx.commit().await.unwrap();
    make_role(&world, "one")
        .await
        .expect_problem(503, "unavailable");
    admin(&world).get("/v1/roles").await.expect(200);
}

/// A writer that never ends keeps the others waiting for some seconds, not until their time is up.
#[tokio::test]
async fn a_stalled_writer_is_answered_503() {
    let world = World::new().await;
    // Used once, so that its next use is not noted as the first.
    admin(&world).get("/v1/roles").await.expect(200);
    let stalled = world.app.db.begin().await.unwrap();
    let refused = timeout(FORGOTTEN, make_role(&world, "one")).await.unwrap();
    refused.expect_problem(503, "unavailable");
    admin(&world).get("/v1/roles").await.expect(200);
    drop(stalled);
    timeout(FORGOTTEN, make_role(&world, "one"))
        .await
        .unwrap()
        .expect(201);
}

#[tokio::test]
async fn a_closed_port_is_named_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let database = TestDatabase::on(Engine::Sqlite).await;
    let mut config = database.config();
    config.database.url = format!("postgres://plinto@127.0.0.1:{port}/plinto").into();
    let begun = Instant::now();
    let error = Db::open(&config).await.unwrap_err().to_string();
    assert!(begun.elapsed() < Duration::from_secs(3), "{error}");
    assert!(error.contains("Connection refused"), "{error}");
}
