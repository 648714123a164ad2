//! Background work: what is due is done, soon, and by whom it concerns nobody is kept waiting.

use std::time::Duration;

use control_plane::worker::{self, Role};
use plinto_platform::{args, config::Config};
use plinto_tests::{
    process::until,
    world::{Client, Engine, TestDatabase, World},
};
use serde_json::json;

use crate::setup::{
    BY_ROLE, activate, admin, apply, bundle_of, each_database, execute, publish, sign_up,
    sign_up_with,
};

/// Enough on a busy machine for what is due within a second or two.
const SOON: Duration = Duration::from_secs(20);

async fn make_role(client: &Client, key: &str) {
    let body = json!({"key": key, "name": key, "permissions": ["document:read"]});
    client.post("/v1/roles", body).await.expect(201);
}

async fn sequence(client: &Client) -> i64 {
    let status = client.get("/v1/policies/status").await.expect(200).json();
    status["active"]["sequence"].as_i64().unwrap()
}

async fn count(world: &World, sql: &'static str) -> i64 {
    let mut tx = world.app.db.read().await.unwrap();
    tx.one::<(i64,)>(sql, args![]).await.unwrap().0
}

#[apply(each_database)]
async fn an_idle_round_asks_as_much_with_many_tenants_as_with_one(world: World) {
    let idle_round = async || {
        // What was due for new tenants.
        world.run_due_work().await;
        let before = world.app.db.transactions();
        world.run_due_work().await;
        world.app.db.transactions() - before
    };
    let with_one = idle_round().await;
    for number in 0..20 {
        world.tenant(&format!("tenant-{number}")).await;
    }
    assert_eq!(idle_round().await, with_one);
    assert!((1..20).contains(&with_one), "{with_one}");
}

mod on_postgres {
    use super::*;

    /// Z5: a changed role reaches the bundle while another task is stuck.
    #[tokio::test]
    async fn a_stalled_sweep_keeps_no_changed_role_from_the_bundle() {
        // A lock is waited for a tenth of a request's time: here for longer than the test takes.
        let patient = |config: &mut Config| config.http.timeout_s = 6_000;
        let database = TestDatabase::on(Engine::Postgres).await;
        let world = World::over(database, patient).await;
        let admin = admin(&world);
        let revision = publish(&admin, bundle_of(BY_ROLE)).await;
        activate(&admin, &revision).await;
        world.run_due_work().await;
        let mut stuck = world.app.db.begin().await.unwrap();
        let lock = "lock table sign_in_throttles in access exclusive mode";
        stuck.execute(lock, args![]).await.unwrap();
        worker::start(&world.app, Role::Serve);
        let waits = "select count(*) from pg_locks where not granted
            and relation = 'sign_in_throttles'::regclass";
        until("a sweep waits", SOON, async || {
            (count(&world, waits).await > 0).then_some(())
        })
        .await;
        make_role(&admin, "editor").await;
        until("the bundle has the role", SOON, async || {
            (sequence(&admin).await == 2).then_some(())
        })
        .await;
        assert!(count(&world, waits).await > 0, "the sweep was not stuck");
        drop(stuck);
        world.app.stopping.cancel();
        world.app.tasks.close();
        world.app.tasks.wait().await;
    }
}

/// Z5: roles that changed while no server ran are followed by the first that does.
#[apply(each_database)]
async fn a_role_that_changed_long_ago_is_followed(world: World) {
    let admin = admin(&world);
    let revision = publish(&admin, bundle_of(BY_ROLE)).await;
    activate(&admin, &revision).await;
    make_role(&admin, "editor").await;
    world.clock.advance_seconds(24 * 60 * 60);
    world.run_due_work().await;
    assert_eq!(sequence(&admin).await, 2);
    world.run_due_work().await;
    assert_eq!(sequence(&admin).await, 2, "once is enough");
}

/// Z5: one tenant's broken bundle holds up nobody else's, and is tried again, but not all the time.
#[apply(each_database)]
async fn a_bundle_that_cannot_be_built_is_tried_again_later(world: World) {
    let other = world.tenant("other").await;
    let (acme, other) = (admin(&world), world.bearer(other.api_key.expose()));
    for client in [&acme, &other] {
        let revision = publish(client, bundle_of(BY_ROLE)).await;
        activate(client, &revision).await;
    }
    execute(&world, "create table kept as select * from bundle_archives").await;
    let broken = "update bundle_archives set content = 'AAAA' where tenant_id in
        (select id from tenants where slug = 'acme')";
    execute(&world, broken).await;
    make_role(&acme, "editor").await;
    make_role(&other, "editor").await;
    world.run_due_work().await;
    assert_eq!((sequence(&acme).await, sequence(&other).await), (1, 2));
    let mended = "update bundle_archives set content = (select content from kept
        where kept.tenant_id = bundle_archives.tenant_id)";
    execute(&world, mended).await;
    world.clock.advance_seconds(9);
    world.run_due_work().await;
    assert_eq!(sequence(&acme).await, 1);
    world.clock.advance_seconds(1);
    world.run_due_work().await;
    assert_eq!(sequence(&acme).await, 2);
}

/// A row that cannot be read is one tenant's trouble too.
#[apply(each_database)]
async fn one_tenants_damaged_row_keeps_no_other_from_its_bundle(world: World) {
    let other = world.tenant("other").await;
    let (acme, other) = (admin(&world), world.bearer(other.api_key.expose()));
    for client in [&acme, &other] {
        let revision = publish(client, bundle_of(BY_ROLE)).await;
        activate(client, &revision).await;
    }
    let damaged = "update activations set reason = 'because' where tenant_id in
        (select id from tenants where slug = 'acme')";
    execute(&world, damaged).await;
    make_role(&acme, "editor").await;
    // The damaged one comes first.
    world.clock.advance_millis(1);
    make_role(&other, "editor").await;
    world.run_due_work().await;
    assert_eq!(sequence(&other).await, 2);
}

/// What ended long ago goes, whichever tenant it was of, however much there is of it.
#[apply(each_database)]
async fn what_ended_long_ago_is_dropped(world: World) {
    // More than one step of the purge: 450 sessions, and 2,250 refresh tokens of the first.
    const SESSIONS: &str = "with recursive numbers (n) as
            (select 1 union all select n + 1 from numbers where n < 450)
        insert into sessions (tenant_id, id, user_id, client_id, user_epoch, amr, authenticated_at,
            created_at, last_used_at, expires_at)
        select tenant_id, id || n, user_id, client_id, user_epoch, amr, authenticated_at,
            created_at, last_used_at, expires_at from sessions cross join numbers";
    const TOKENS: &str = "with recursive numbers (n) as
            (select 1 union all select n + 1 from numbers where n < 2250)
        insert into refresh_tokens (tenant_id, id, session_id, token_hash, created_at, expires_at)
        select tenant_id, id || n, session_id, token_hash || n, created_at, expires_at
        from refresh_tokens cross join numbers";
    const THROTTLES: &str = "insert into sign_in_throttles
        (tenant_id, kind, subject_hash, failures, last_attempt_at, blocked_until)
        select id, 'address', 'x', 1, created_at, 0 from tenants";
    world.tenant("other").await;
    sign_up(&world, "alice").await;
    execute(&world, SESSIONS).await;
    execute(&world, TOKENS).await;
    execute(&world, THROTTLES).await;
    sign_up_with(&world, "other", "bob").await;
    let left = async || {
        (
            count(&world, "select count(*) from sessions").await,
            count(&world, "select count(*) from refresh_tokens").await,
            count(&world, "select count(*) from sign_in_throttles").await,
        )
    };
    let (sessions, tokens, throttles) = left().await;
    assert_eq!((sessions, tokens, throttles >= 2), (452, 2_252, true));
    let absolute_s = world.app.config.sessions.absolute_s;
    world.clock.advance_seconds(absolute_s + 30 * 24 * 60 * 60);
    world.run_due_work().await;
    assert_eq!(left().await.0, 452, "it is kept for 30 days");
    world.clock.advance_seconds(90 * 24 * 60 * 60);
    world.run_due_work().await;
    assert_eq!(left().await, (0, 0, 0));
}
