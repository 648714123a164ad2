//! `/v1/signing_keys`, and what is signed with them while they rotate.

mod withdrawn;

use plinto_contract::ids::TenantId;
use plinto_jose::{JwkSet, Jws};
use plinto_tenancy::{
    signing_keys::{self, Purpose, SigningKeysError},
    tenants,
};
use plinto_tests::world::{Client, World};
use serde_json::json;

use crate::setup::{admin, apply, client_with, each_database, each_database_with_threads};

const JWKS: &str = "/t/acme/.well-known/jwks.json";

async fn set(client: &Client, path: &str) -> JwkSet {
    JwkSet::parse(&client.get(path).await.expect(200).bytes).unwrap()
}

async fn sign(world: &World, purpose: Purpose) -> Jws {
    let compact = try_sign(world, world.acme.tenant, purpose).await.unwrap();
    Jws::parse(&compact).unwrap()
}

async fn try_sign(
    world: &World,
    tenant: TenantId,
    purpose: Purpose,
) -> Result<String, SigningKeysError> {
    let tenant = tenants::by_id(&world.app, tenant).await?;
    signing_keys::sign(&world.app, &tenant, purpose, Some("t"), b"{}").await
}

fn verifies(jws: &Jws, keys: &JwkSet) -> bool {
    jws.header
        .kid
        .as_deref()
        .and_then(|kid| keys.find(kid, jws.header.alg))
        .is_some_and(|key| plinto_jose::verify(&jws.signature_job(key).unwrap()).is_ok())
}

async fn states(admin: &Client, purpose: &str) -> Vec<String> {
    let list = admin.get("/v1/signing_keys").await.expect(200).json();
    let keys = list["data"].as_array().unwrap();
    let mut states: Vec<_> = keys
        .iter()
        .filter(|key| key["purpose"] == purpose)
        .map(|key| key["state"].as_str().unwrap().to_owned())
        .collect();
    states.sort_unstable();
    states
}

async fn rotate(admin: &Client, purpose: &str) -> plinto_tests::world::Answer {
    admin
        .post("/v1/signing_keys/rotate", json!({ "purpose": purpose }))
        .await
}

/// T15: whoever has the set from before a rotation verifies what is signed after it, and whoever
/// has it from after verifies what was signed before, as long as that lives.
#[apply(each_database)]
async fn a_rotation_leaves_no_signature_without_a_published_key(world: World) {
    let admin = admin(&world);
    let old_set = set(&admin, JWKS).await;
    let old = sign(&world, Purpose::Token).await;
    rotate(&admin, "token").await.expect(200);
    let new = sign(&world, Purpose::Token).await;
    let new_set = set(&admin, JWKS).await;
    assert_ne!(old.header.kid, new.header.kid);
    assert!(
        verifies(&new, &old_set),
        "the next key was not published before it signed"
    );
    assert!(
        verifies(&old, &new_set),
        "the last key went while its tokens lived"
    );
    // While the last access token signed with it may live …
    world.clock.advance_seconds(600 + 30);
    world.run_due_work().await;
    assert!(verifies(&old, &set(&admin, JWKS).await));
    // … and not much longer.
    world.clock.advance_seconds(60);
    world.run_due_work().await;
    assert!(!verifies(&old, &set(&admin, JWKS).await));
    assert!(verifies(&new, &set(&admin, JWKS).await));
    assert_eq!(states(&admin, "token").await, ["active", "next", "retired"]);
    let kinds = world.event_kinds().await;
    assert!(kinds.contains(&"signing_key.rotated") && kinds.contains(&"signing_key.retired"));
}

#[apply(each_database)]
async fn the_next_key_does_not_sign_before_every_cache_has_it(world: World) {
    let admin = admin(&world);
    rotate(&admin, "token").await.expect(200);
    let refused = rotate(&admin, "token")
        .await
        .expect_problem(409, "rotation_in_progress");
    assert_eq!(refused.header("retry-after"), "900");
    world.clock.advance_seconds(899);
    rotate(&admin, "token")
        .await
        .expect_problem(409, "rotation_in_progress");
    world.clock.advance_seconds(1);
    rotate(&admin, "token").await.expect(200);
    // The other purpose has its own keys.
    rotate(&admin, "bundle").await.expect(200);
}

#[tokio::test]
async fn a_key_that_has_signed_for_90_days_is_rotated_by_the_worker() {
    let world = World::new().await;
    let before = sign(&world, Purpose::Bundle).await.header.kid;
    world.clock.advance_seconds(90 * 24 * 60 * 60);
    world.run_due_work().await;
    assert_ne!(sign(&world, Purpose::Bundle).await.header.kid, before);
}

/// Looking for due work every second must cost next to nothing, however many tenants there are.
#[tokio::test]
async fn background_work_writes_nothing_when_no_key_is_due() {
    let world = World::new().await;
    world.tenant("other").await;
    let before = world.app.db.group_commits();
    signing_keys::run_due_work(&world.app).await.unwrap();
    assert_eq!(world.app.db.group_commits(), before);
}

/// A tenant whose keys cannot be worked on, or not even be read, does not keep the others from theirs.
#[apply(each_database)]
async fn due_keys_of_every_tenant_are_rotated(world: World) {
    let other = world.tenant("other").await;
    let damaged = world.tenant("damaged").await;
    let mut tx = world.app.db.begin().await.unwrap();
    let sql = "delete from signing_keys where tenant_id = $1 and state = 'next'";
    let args = plinto_platform::args![world.acme.tenant];
    tx.execute(sql, args).await.unwrap();
    let sql = "update signing_keys set public_jwk = 'damaged' where tenant_id = $1";
    let args = plinto_platform::args![damaged.tenant];
    tx.execute(sql, args).await.unwrap();
    tx.commit().await.unwrap();
    world.clock.advance_seconds(90 * 24 * 60 * 60);
    world.run_due_work().await;
    let theirs = world.bearer(other.api_key.expose());
    for purpose in ["token", "bundle"] {
        assert_eq!(
            states(&theirs, purpose).await,
            ["active", "next", "retiring"]
        );
        assert_eq!(states(&admin(&world), purpose).await, ["active"]);
    }
}

#[apply(each_database_with_threads)]
async fn of_rotations_at_the_same_time_one_happens(world: World) {
    let admin = admin(&world);
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let admin = admin.clone();
        requests.spawn(async move { rotate(&admin, "bundle").await.status.as_u16() });
    }
    let mut statuses = requests.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409]);
    assert_eq!(
        states(&admin, "bundle").await,
        ["active", "next", "retiring"]
    );
}

#[tokio::test]
async fn rotation_needs_its_permission() {
    let world = World::new().await;
    let client = client_with(&world, &["signing_keys:read"]).await;
    client.get("/v1/signing_keys").await.expect(200);
    rotate(&client, "token")
        .await
        .expect_problem(403, "permission_denied");
    let other = client_with(&world, &["users:read"]).await;
    other
        .get("/v1/signing_keys")
        .await
        .expect_problem(403, "permission_denied");
}

/// W10: a private key copied to another row does not open there.
#[apply(each_database)]
async fn swapped_private_keys_do_not_sign(world: World) {
    let other = world.tenant("other").await;
    let sql =
        "update signing_keys set private_sealed = (select s.private_sealed from signing_keys s
        where s.tenant_id = $1 and s.purpose = 'token' and s.state = 'active')
        where tenant_id = $2 and purpose = 'token' and state = 'active'";
    let mut tx = world.app.db.begin().await.unwrap();
    let args = plinto_platform::args![other.tenant, world.acme.tenant];
    assert_eq!(tx.execute(sql, args).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let signed = try_sign(&world, world.acme.tenant, Purpose::Token).await;
    assert!(signed.is_err());
    try_sign(&world, other.tenant, Purpose::Token)
        .await
        .unwrap();
}
