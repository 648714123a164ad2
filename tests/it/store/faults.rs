//! A database in trouble: requests are told to come again (503), and work again when it is over.

use std::{sync::Arc, time::Duration};

use control_plane::{args, db::DbError};
use plinto_tests::world::{Answer, Engine, World};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::{task::JoinSet, time::timeout};

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

async fn end_connections(administrator: &mut PgConnection) {
    let end = "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()";
    administrator.execute(end).await.unwrap();
}

/// As when the server is stopped or fails over under traffic.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_server_that_cuts_connections_costs_503_at_most() {
    let Some(world) = World::on(Engine::Postgres).await else {
        return;
    };
    let mut administrator = PgConnection::connect(&world.database().url).await.unwrap();
    let world = Arc::new(world);
    for round in 0..20 {
        let mut requests = JoinSet::new();
        for number in 0..8 {
            let world = world.clone();
            let name = format!("role-{round}-{number}");
            requests.spawn(async move { make_role(&world, &name).await });
        }
        end_connections(&mut administrator).await;
        for answer in timeout(FORGOTTEN, requests.join_all()).await.unwrap() {
            let status = answer.status.as_u16();
            assert!(matches!(status, 201 | 503), "{status}: {}", answer.text());
        }
    }
    // Each connection is found dead once, at most.
    for number in 0..world.app.config.database.max_connections {
        make_role(&world, &format!("after-{number}")).await;
    }
    make_role(&world, "last").await.expect(201);
}

/// As after a fail-over to a server that is not yet the first.
#[tokio::test]
async fn a_postgres_server_that_only_reads_is_answered_503() {
    let Some(world) = World::on(Engine::Postgres).await else {
        return;
    };
    let mut administrator = PgConnection::connect(&world.database().url).await.unwrap();
    let url: reqwest::Url = world.database().url.parse().unwrap();
    let name = url.path().trim_start_matches('/');
    let set = format!("alter database {name} set default_transaction_read_only = on");
    administrator.execute(AssertSqlSafe(set)).await.unwrap();
    end_connections(&mut administrator).await;
    // Each connection is found dead once, at most.
    let write = async || {
        let mut tx = world.app.db.begin().await?;
        let sql = "delete from idempotency_keys where created_at < 0";
        tx.execute(sql, args![]).await
    };
    for _ in 0..world.app.config.database.max_connections {
        write().await.unwrap_err();
    }
    let error = write().await.unwrap_err();
    assert!(matches!(error, DbError::Unavailable(_)), "{error:?}");
    assert!(format!("{error:?}").contains("25006"), "{error:?}");
    make_role(&world, "one")
        .await
        .expect_problem(503, "unavailable");
}
