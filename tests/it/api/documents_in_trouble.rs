//! What edges fetch, while the database is full, read-only, locked or away.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use plinto_contract::{revocation::Feed, time::UnixSeconds};
use plinto_jose::Jws;
use plinto_platform::{args, http::known::Known};
use plinto_tenancy::tenants::TenantsError;
use plinto_tests::{
    process::until,
    world::{Answer, Engine, START, World},
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use tokio::{sync::Semaphore, task::JoinSet, time::timeout};

use crate::setup::{CLOSED, activate, admin, apply, bundle_of, each_database, publish, sign_up};

/// Nobody waits this long unless they were forgotten.
const FORGOTTEN: Duration = Duration::from_secs(30);
const FEED: &str = "/t/acme/edge/revocations";
const DOCUMENTS: [&str; 7] = [
    FEED,
    "/t/acme/edge/keys",
    "/t/acme/edge/bundle",
    "/t/acme/.well-known/jwks.json",
    "/t/acme/.well-known/openid-configuration",
    "/.well-known/openid-configuration/t/acme",
    "/.well-known/oauth-authorization-server/t/acme",
];

/// Something is in force, so that there is a bundle. Gives the digest of it.
async fn in_force(world: &World) -> String {
    let admin = admin(world);
    let revision = publish(&admin, bundle_of(CLOSED)).await;
    let active = activate(&admin, &revision).await;
    active["digest"].as_str().unwrap().to_owned()
}

fn feed(answer: &Answer) -> Feed {
    let jws = Jws::parse_within(&answer.text(), 1 << 20).unwrap();
    serde_json::from_slice(&jws.payload).unwrap()
}

async fn read_document(world: &World) -> Result<(), plinto_platform::db::DbError> {
    let mut tx = world.app.db.read_document().await?;
    let sql = "select cast(1 as bigint)";
    tx.one::<(i64,)>(sql, args![]).await.map(drop)
}

/// From now on the database takes no writes.
async fn refuse_writes(world: &World) {
    if world.app.db.engine() == "sqlite" {
        let mut tx = world.app.db.begin().await.unwrap();
        tx.execute("pragma query_only = on", args![]).await.unwrap();
        tx.commit().await.unwrap();
        return;
    }
    let mut administrator = PgConnection::connect(&world.database().url).await.unwrap();
    let url: reqwest::Url = world.database().url.parse().unwrap();
    let name = url.path().trim_start_matches('/');
    let set = format!("alter database {name} set default_transaction_read_only = on");
    administrator.execute(AssertSqlSafe(set)).await.unwrap();
    let end = "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()";
    administrator.execute(end).await.unwrap();
    // Each connection is found dead once, at most.
    for _ in 0..world.app.config.database.max_connections {
        let _cut = world.app.db.ping().await;
        let _cut = read_document(world).await;
    }
    world.app.db.ping().await.unwrap();
    read_document(world).await.unwrap();
}

/// S3: nobody has to write before they may say who is revoked.
#[apply(each_database)]
async fn a_database_that_takes_no_writes_still_tells_edges_who_is_revoked(world: World) {
    in_force(&world).await;
    let alice = sign_up(&world, "alice").await;
    let bob = sign_up(&world, "bob").await;
    let sign_out = async |token: &str| {
        let client = world.bearer(token);
        client.post_empty("/t/acme/v1/sign_out").await.expect(204);
    };
    sign_out(&alice.access_token).await;
    let before = feed(&world.anon().get(FEED).await.expect(200));
    assert_eq!(before.sessions.len(), 1);
    world.clock.advance_seconds(60);
    sign_out(&bob.access_token).await;
    refuse_writes(&world).await;
    // What was revoked last, and has been in no feed yet.
    let both = feed(&world.anon().get(FEED).await.expect(200));
    assert_eq!(both.sessions.len(), 2);
    assert!(both.version > before.version);
    // An entry leaves the feed: what it says changes without anybody's doing.
    world.clock.advance_seconds(600 + 1);
    let less = world.anon().get(FEED).await.expect(200);
    assert_eq!(less.header("age"), "");
    let less = feed(&less);
    assert_eq!(less.sessions.len(), 1);
    assert!(less.version > both.version);
    assert_eq!(less.iat, UnixSeconds(START.0 / 1_000 + 661));
    for path in DOCUMENTS {
        world.anon().get(path).await.expect(200);
    }
}

/// S3: what is known is served for half a minute, and never said to be newer than it is.
#[apply(each_database)]
async fn edges_get_what_is_known_for_half_a_minute_after_the_database_went_away(world: World) {
    let digest = in_force(&world).await;
    let by_digest = format!("/t/acme/edge/bundles/{digest}");
    let paths: Vec<&str> = DOCUMENTS.into_iter().chain([by_digest.as_str()]).collect();
    let mut known = Vec::new();
    for path in &paths {
        let answer = world.anon().get(path).await.expect(200);
        assert_eq!(answer.header("age"), "", "{path}");
        known.push(answer);
    }
    world.app.db.close().await;
    world.clock.advance_seconds(30);
    for (path, known) in paths.iter().zip(&known) {
        let answer = world.anon().get(path).await.expect(200);
        assert_eq!(answer.bytes, known.bytes, "{path}");
        // The address of a signed bundle is its digest: it never gets old.
        if *path != by_digest {
            assert_eq!(answer.header("age"), "30", "{path}");
        }
        let asks_again = world.anon().with("if-none-match", known.header("etag"));
        asks_again.get(path).await.expect(304);
    }
    let old = feed(&world.anon().get(FEED).await.expect(200));
    assert_eq!(old.iat, UnixSeconds(START.0 / 1_000));
    assert!(old.exp > world.app.clock.now().to_seconds());
    world.clock.advance_seconds(1);
    for path in DOCUMENTS {
        let refused = world.anon().get(path).await;
        refused.expect_problem(503, "unavailable");
    }
    // What was never known is not made up.
    let unknown = world.anon().get("/t/other/edge/keys").await;
    unknown.expect_problem(503, "unavailable");
}

mod on_postgres {
    use super::*;

    /// W7: requests that wait for a lock hold every connection for work; edges have connections of
    /// their own, and what they cannot read is served as it is known.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn edges_are_served_while_every_connection_waits_for_a_locked_table() {
        let world = World::on(Engine::Postgres).await;
        in_force(&world).await;
        for path in DOCUMENTS {
            world.anon().get(path).await.expect(200);
        }
        let world = Arc::new(world);
        let mut administrator = PgConnection::connect(&world.database().url).await.unwrap();
        let mut lock = administrator.begin().await.unwrap();
        lock.execute("lock table users in access exclusive mode")
            .await
            .unwrap();
        let mut observer = PgConnection::connect(&world.database().url).await.unwrap();
        let mut waiting = JoinSet::new();
        for _ in 0..32 {
            let client = admin(&world);
            waiting.spawn(async move { client.get("/v1/users").await });
        }
        let taken = i64::from(world.app.config.database.max_connections);
        until("every connection waits", FORGOTTEN, async || {
            let count = "select count(*) from pg_stat_activity
                where datname = current_database() and wait_event_type = 'Lock'";
            let row = observer.fetch_one(count).await.unwrap();
            (row.get::<i64, _>(0) >= taken).then_some(())
        })
        .await;
        for round in 0..3 {
            for path in DOCUMENTS {
                let answer = timeout(Duration::from_secs(3), world.anon().get(path)).await;
                let answer = answer.unwrap_or_else(|_| panic!("{path} waits in round {round}"));
                answer.expect(200);
            }
        }
        lock.rollback().await.unwrap();
        for answer in timeout(FORGOTTEN, waiting.join_all()).await.unwrap() {
            let status = answer.status.as_u16();
            assert!(matches!(status, 200 | 503), "{status}: {}", answer.text());
        }
    }
}

/// However many edges come at once, one reader at a time asks the database.
#[tokio::test]
async fn edges_that_come_together_share_readings() {
    let world = World::new().await;
    let known: Arc<Known<&str, usize, TenantsError>> = Arc::default();
    let (readings, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let mut edges = JoinSet::new();
    for _ in 0..100 {
        let (app, known) = (world.app.clone(), known.clone());
        let (readings, gate) = (readings.clone(), gate.clone());
        edges.spawn(async move {
            let read = move |_| {
                let (readings, gate) = (readings.clone(), gate.clone());
                async move {
                    gate.acquire().await.unwrap().forget();
                    Ok(readings.fetch_add(1, Ordering::SeqCst))
                }
            };
            known.get(&app, "document", read).await.unwrap().value
        });
    }
    // All have asked: on one thread, each task ran until it waits.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(100);
    let mut seen = edges.join_all().await;
    seen.sort_unstable();
    assert_eq!((seen[0], seen[99]), (0, 1));
    assert_eq!(
        readings.load(Ordering::SeqCst),
        2,
        "the first, and one for all who came later"
    );
}
