//! What only a `PostgreSQL` server can do to us: defaults of its own, locks, several processes, a
//! pooler in between, an end of its connections.

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use plinto_contract::time::UnixMillis;
use plinto_platform::{
    args,
    db::{Db, DbError, Held, OpenError},
};
use plinto_tests::{
    pgbouncer::PgBouncer,
    world::{Answer, Engine, TestDatabase, World},
};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::{task::JoinSet, time::timeout};

use crate::setup::{PASSWORD, admin};

/// Nobody waits this long unless they were forgotten.
const FORGOTTEN: Duration = Duration::from_secs(30);
/// 2031-01-31T23:59:59.999Z.
const LAST_OF_JANUARY: i64 = 1_927_670_399_999;
const MAKE: &str = "insert into tenants
    (id, slug, name, audience, signing_alg, created_at, updated_at)
    values ($1, $1, 'Name', 'aud', 'RS256', 0, 0)";

async fn make_role(world: &World, key: &str) -> Answer {
    let body = json!({"key": key, "name": key, "permissions": ["document:read"]});
    admin(world).post("/v1/roles", body).await
}

async fn write(db: &Db, name: &str) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    tx.execute(MAKE, args![name]).await?;
    tx.commit().await
}

fn name_of(database: &TestDatabase) -> String {
    let url: reqwest::Url = database.url.parse().unwrap();
    url.path().trim_start_matches('/').to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_at_once_on_an_empty_database_all_come_up() {
    for _ in 0..20 {
        let database = TestDatabase::on(Engine::Postgres).await;
        let mut starts = JoinSet::new();
        for _ in 0..3 {
            let config = database.config();
            starts.spawn(async move { Db::open(&config).await.map(|_| ()) });
        }
        for started in starts.join_all().await {
            started.unwrap();
        }
    }
}

#[tokio::test]
async fn a_start_with_nothing_to_migrate_needs_no_right_to_create() {
    let database = TestDatabase::on(Engine::Postgres).await;
    Db::open(&database.config()).await.unwrap().close().await;
    let role = format!("{}_user", name_of(&database));
    let mut owner = PgConnection::connect(&database.url).await.unwrap();
    let made = format!(
        "create role {role} login; revoke create on schema public from public;
         grant select, insert, update, delete on all tables in schema public to {role}"
    );
    owner.execute(AssertSqlSafe(made)).await.unwrap();
    let mut url: reqwest::Url = database.url.parse().unwrap();
    url.set_username(&role).unwrap();
    let mut config = database.config();
    config.database.url = url.to_string().into();
    let opened = Db::open(&config).await;
    if let Ok(db) = &opened {
        write(db, "one").await.unwrap();
        let later = UnixMillis(LAST_OF_JANUARY);
        db.make_event_months(later).await.unwrap();
        db.close().await;
    }
    let dropped = format!("drop owned by {role}; drop role {role}");
    owner.execute(AssertSqlSafe(dropped)).await.unwrap();
    opened.unwrap();
}

/// Months of the log are made ahead, also by whoever may make no tables, and events lie in theirs.
#[tokio::test]
async fn the_log_lies_in_months() {
    let database = TestDatabase::on(Engine::Postgres).await;
    let db = Db::open(&database.config()).await.unwrap();
    write(&db, "t").await.unwrap();
    for _ in 0..2 {
        let now = UnixMillis(LAST_OF_JANUARY);
        db.make_event_months(now).await.unwrap();
    }
    let event = "insert into outbox (tenant_id, id, type, version, created_at, result, actor_type, actor_id, target,
        data) values ('t', $1, 'user.created', 1, $2, 'success', 'system', '', 'u', '{}')";
    let mut tx = db.begin().await.unwrap();
    for (id, moment) in [("a", LAST_OF_JANUARY), ("b", LAST_OF_JANUARY + 1), ("c", 0)] {
        tx.execute(event, args![id, moment]).await.unwrap();
    }
    tx.commit().await.unwrap();
    db.sequence(100).await.unwrap();
    let mut tx = db.read().await.unwrap();
    let places = "select id, cast(cast(tableoid as regclass) as text) from event_log order by seq";
    let places: Vec<(String, String)> = tx.all(places, args![]).await.unwrap();
    let place = |index: usize| places[index].1.as_str();
    assert_eq!(
        [place(0), place(1), place(2)],
        ["event_log_2031_01", "event_log_2031_02", "event_log_other"]
    );
}

/// The isolation that the code is written for is the one it gets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_serializes_by_default_refuses_no_refresh() {
    let database = TestDatabase::on(Engine::Postgres).await;
    let mut owner = PgConnection::connect(&database.url).await.unwrap();
    let set = format!(
        "alter database {} set default_transaction_isolation = 'serializable'",
        name_of(&database)
    );
    owner.execute(AssertSqlSafe(set)).await.unwrap();
    let world = Arc::new(World::over(database, |_| {}).await);
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let path = "/t/acme/v1/sign_up";
    world.anon().post(path, body.clone()).await.expect(201);
    let mut people = JoinSet::new();
    for _ in 0..8 {
        let (world, body) = (world.clone(), body.clone());
        people.spawn(async move {
            let path = "/t/acme/v1/sign_in";
            let mut tokens = world.anon().post(path, body).await.expect(200).json();
            for _ in 0..20 {
                let refresh_token = tokens["refresh_token"].as_str().unwrap().to_owned();
                let form = [
                    ("grant_type", "refresh_token"),
                    ("refresh_token", &refresh_token),
                ];
                let answer = world.anon().form("/t/acme/oauth/token", &form).await;
                tokens = answer.expect(200).json();
            }
        });
    }
    people.join_all().await;
}

/// Requests that wait for a lock give their connections back before their own time is up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_wait_for_a_locked_table_do_not_keep_the_others_out() {
    let database = TestDatabase::on(Engine::Postgres).await;
    let world = World::over(database, |config| config.http.timeout_s = 6).await;
    let world = Arc::new(world);
    admin(&world).get("/v1/roles").await.expect(200);
    let mut locker = PgConnection::connect(&world.database().url).await.unwrap();
    let lock = "begin; lock table roles in access exclusive mode";
    locker.execute(lock).await.unwrap();
    let mut requests = JoinSet::new();
    for number in 0..24 {
        let world = world.clone();
        requests.spawn(async move { make_role(&world, &format!("r{number}")).await });
    }
    for answer in timeout(FORGOTTEN, requests.join_all()).await.unwrap() {
        let problem = answer.expect_problem(503, "unavailable").json();
        assert_eq!(problem["retryable"], true);
    }
    // Still locked, and what needs no role is answered.
    admin(&world).get("/v1/organizations").await.expect(200);
    locker.execute("rollback").await.unwrap();
    make_role(&world, "after").await.expect(201);
}

/// Two keys that revoke each other: the server ends one of the two, whose request then finds that it
/// has lost its authority.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_is_tried_again_and_not_told() {
    let world = World::on(Engine::Postgres).await;
    let world = Arc::new(world);
    let mut keys = Vec::new();
    for name in ["a", "b"] {
        let body = json!({"name": name, "permissions": ["api_keys:read", "api_keys:write"]});
        let made = admin(&world).post("/v1/api_keys", body).await.expect(201);
        keys.push(made.json());
    }
    let client = |key: &Value| world.bearer(key["secret"].as_str().unwrap());
    let mut locker = PgConnection::connect(&world.database().url).await.unwrap();
    for key in &keys {
        client(key).get("/v1/api_keys").await.expect(200);
    }
    // Their use is noted behind the answer, and would wait for the lock as well.
    let noted =
        "select count(*) from api_keys where name in ('a', 'b') and last_used_at is not null";
    while sqlx::query_as::<_, (i64,)>(noted)
        .fetch_one(&mut locker)
        .await
        .unwrap()
        != (2,)
    {}
    // Both have begun, and hold what they act by, when they are let go.
    let lock = "begin; lock table api_keys in access exclusive mode";
    locker.execute(lock).await.unwrap();
    let mut requests = JoinSet::new();
    for (own, other) in [(&keys[0], &keys[1]), (&keys[1], &keys[0])] {
        let client = client(own);
        let path = format!("/v1/api_keys/{}/revoke", other["id"].as_str().unwrap());
        requests.spawn(async move { client.post_empty(&path).await.status.as_u16() });
    }
    let waiting = "select count(*) from pg_locks where not granted
        and relation = 'api_keys'::regclass";
    loop {
        let (count,): (i64,) = sqlx::query_as(waiting)
            .fetch_one(&mut locker)
            .await
            .unwrap();
        if count == 2 {
            break;
        }
    }
    locker.execute("rollback").await.unwrap();
    let mut statuses = timeout(FORGOTTEN, requests.join_all()).await.unwrap();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
}

/// The message that begins a transaction also waits for what it holds.
#[tokio::test]
async fn a_transaction_that_could_not_begin_leaves_its_connection_as_it_was() {
    let database = TestDatabase::on(Engine::Postgres).await;
    let mut config = database.config();
    config.http.timeout_s = 3;
    config.database.max_connections = 2;
    let db = Db::open(&config).await.unwrap();
    let mut holder = db.begin().await.unwrap();
    holder.hold_alone("key").await.unwrap();
    for round in 0..3 {
        let refused = db.begin_holding(&Held::default().shared("key")).await;
        let error = refused.unwrap_err();
        assert!(matches!(error, DbError::Unavailable(_)), "{error:?}");
        write(&db, &format!("next-{round}")).await.unwrap();
    }
    holder.commit().await.unwrap();
    db.begin_holding(&Held::default().shared("key"))
        .await
        .unwrap();
}

/// A reader that gave up while its transaction began must not make the next one a reader too.
#[tokio::test]
async fn a_reader_that_gives_up_leaves_no_connection_that_only_reads() {
    let database = TestDatabase::on(Engine::Postgres).await;
    let mut config = database.config();
    config.database.max_connections = 1;
    let db = Db::open(&config).await.unwrap();
    write(&db, "first").await.unwrap();
    for patience in 1..20 {
        let mut reading = Box::pin(db.read());
        let mut left = patience;
        // Given up when it is woken once too often.
        let read = poll_fn(|context| {
            left -= 1;
            match reading.as_mut().poll(context) {
                Poll::Pending if left > 0 => Poll::Pending,
                _ => Poll::Ready(()),
            }
        });
        read.await;
        drop(reading);
        write(&db, &format!("next-{patience}")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_in_transaction_mode_may_stand_in_between() {
    let database = TestDatabase::on(Engine::Postgres).await;
    let Some(pooler) = PgBouncer::before(&database) else {
        return;
    };
    let world = World::over(database, |config| {
        config.database.url = pooler.url.clone().into();
    });
    let world = Arc::new(world.await);
    let mut requests = JoinSet::new();
    for number in 0..40 {
        let world = world.clone();
        requests.spawn(async move { make_role(&world, &format!("r{number}")).await });
    }
    for answer in timeout(FORGOTTEN, requests.join_all()).await.unwrap() {
        answer.expect(201);
    }
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let signed_up = world.anon().post("/t/acme/v1/sign_up", body).await;
    let token = signed_up.expect(201).json()["access_token"].clone();
    let ada = world.bearer(token.as_str().unwrap());
    ada.post_empty("/t/acme/v1/sign_out").await.expect(204);
    ada.get("/t/acme/v1/me")
        .await
        .expect_problem(401, "token_revoked");
    world.run_due_work().await;
    world.app.db.close().await;
}

async fn end_connections(administrator: &mut PgConnection) {
    let end = "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()";
    administrator.execute(end).await.unwrap();
}

/// As when the server is stopped or fails over under traffic.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_server_that_cuts_connections_costs_503_at_most() {
    let world = World::on(Engine::Postgres).await;
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
    let world = World::on(Engine::Postgres).await;
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

#[tokio::test]
async fn another_programs_postgres_database_is_left_untouched() {
    let database = TestDatabase::on(Engine::Postgres).await;
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    connection
        .execute("create table shopping (item text)")
        .await
        .unwrap();
    let error = Db::open(&database.config()).await.unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    let tables =
        "select count(*) from information_schema.tables where table_schema = current_schema()";
    let (count,): (i64,) = sqlx::query_as(tables)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(count, 1);
}

/// The same refusals as for a file, with nothing changed on the server.
#[tokio::test]
async fn another_versions_postgres_database_is_left_untouched() {
    let newer = "insert into _sqlx_migrations
        (version, description, success, checksum, execution_time) values (9999, 'later', true, '', 1)";
    let diverged = "update _sqlx_migrations set checksum = '' where version = 2";
    let older = "delete from _sqlx_migrations where version = 9";
    for (change, reason) in [
        (newer, "was made by a newer Plinto (migration 9999"),
        (diverged, "whose migration 2 differs from this one's"),
        (older, "is from an older Plinto (1 migrations behind)"),
    ] {
        let database = TestDatabase::on(Engine::Postgres).await;
        let db = Db::open(&database.config()).await.unwrap();
        db.close().await;
        let mut connection = PgConnection::connect(&database.url).await.unwrap();
        connection.execute(change).await.unwrap();
        let history = "select version, checksum from _sqlx_migrations order by version";
        let mut applied = async || -> Vec<(i64, Vec<u8>)> {
            sqlx::query_as(history)
                .fetch_all(&mut connection)
                .await
                .unwrap()
        };
        let before = applied().await;
        let error = Db::open(&database.config()).await.unwrap_err();
        let line = error.to_string();
        assert!(line.contains(reason) && !line.contains('\n'), "{line}");
        assert_eq!(applied().await, before);
    }
}
