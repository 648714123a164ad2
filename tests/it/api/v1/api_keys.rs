//! `/v1/api_keys`.

use std::time::Duration;

use control_plane::bootstrap;
use plinto_contract::events::Event;
use plinto_tests::{process::until, world::World};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::setup::{admin, apply, client_with, each_database, pointers};

async fn make(world: &World, permissions: &[&str]) -> Value {
    let body = json!({"name": "ci", "permissions": permissions});
    admin(world)
        .post("/v1/api_keys", body)
        .await
        .expect(201)
        .json()
}

#[apply(each_database)]
async fn a_key_opens_what_it_was_made_for_and_nothing_else(world: World) {
    let key = client_with(&world, &["roles:read"]).await;
    key.get("/v1/roles").await.expect(200);
    key.get("/v1/organizations")
        .await
        .expect_problem(403, "permission_denied");
    let role = json!({"key": "editor", "name": "Editor"});
    key.post("/v1/roles", role)
        .await
        .expect_problem(403, "permission_denied");
}

/// Z6.
#[apply(each_database)]
async fn nobody_makes_a_key_that_may_do_more_than_they(world: World) {
    let key = client_with(&world, &["api_keys:write", "api_keys:read", "roles:read"]).await;
    let wanted = json!({"name": "more", "permissions": ["roles:read", "roles:write"]});
    let answer = key.post("/v1/api_keys", wanted).await;
    let answer = answer.expect_problem(403, "permission_denied");
    assert!(answer.text().contains("roles:write"), "{}", answer.text());
    let listed = key.get("/v1/api_keys").await.expect(200).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2, "{listed}");
    let same = json!({"name": "same", "permissions": ["roles:read"]});
    key.post("/v1/api_keys", same).await.expect(201);
}

/// Z6: taking away is bounded like giving. A stolen key with few permissions can't shut the
/// administrator out.
#[apply(each_database)]
async fn nobody_revokes_a_key_that_may_do_more_than_they(world: World) {
    let weak = client_with(&world, &["api_keys:write", "roles:read"]).await;
    let revoke = |key: &Value| format!("/v1/api_keys/{}/revoke", key["id"].as_str().unwrap());
    let strong = make(&world, &["roles:read", "roles:write"]).await;
    let answer = weak.post_empty(&revoke(&strong)).await;
    let answer = answer.expect_problem(403, "permission_denied");
    assert!(answer.text().contains("roles:write"), "{}", answer.text());
    let still = world.bearer(strong["secret"].as_str().unwrap());
    still.get("/v1/roles").await.expect(200);
    let kinds = world.event_kinds().await;
    assert!(!kinds.contains(&"api_key.revoked"), "{kinds:?}");

    let equal = make(&world, &["api_keys:write", "roles:read"]).await;
    weak.post_empty(&revoke(&equal)).await.expect(200);
    let less = make(&world, &["roles:read"]).await;
    weak.post_empty(&revoke(&less)).await.expect(200);
}

/// Z6, in time: what a key makes ends with it at the latest.
#[apply(each_database)]
async fn a_key_makes_none_that_outlives_it(world: World) {
    let end = "2026-11-12T09:01:00.000Z";
    let body = |expires_at: Value| {
        let permissions = ["api_keys:write", "roles:read"];
        json!({"name": "a", "permissions": permissions, "expires_at": expires_at})
    };
    let maker = admin(&world).post("/v1/api_keys", body(json!(end))).await;
    let maker = maker.expect(201).json();
    let maker = world.bearer(maker["secret"].as_str().unwrap());
    let later = body(json!("2026-11-12T09:01:00.001Z"));
    let answer = maker.post("/v1/api_keys", later).await;
    let answer = answer.expect_problem(422, "validation_failed");
    assert_eq!(pointers(&answer), ["/expires_at"]);
    for (asked, given) in [
        (json!(null), end),
        (json!(end), end),
        (json!("2026-11-11T10:00:00Z"), "2026-11-11T10:00:00.000Z"),
    ] {
        let made = maker.post("/v1/api_keys", body(asked)).await.expect(201);
        assert_eq!(made.json()["expires_at"], given);
    }
    // a key without an end gives one without
    let made = admin(&world).post("/v1/api_keys", body(json!(null))).await;
    assert_eq!(made.expect(201).json()["expires_at"], Value::Null);
}

/// A tenant that revoked its last key is let in again by whoever runs the server.
#[apply(each_database)]
async fn a_tenant_without_a_key_gets_another_from_its_operator(world: World) {
    let admin = admin(&world);
    let keys = admin.get("/v1/api_keys").await.expect(200).json();
    let path = format!(
        "/v1/api_keys/{}/revoke",
        keys["data"][0]["id"].as_str().unwrap()
    );
    admin.post_empty(&path).await.expect(200);
    admin
        .get("/v1/tenant")
        .await
        .expect_problem(401, "api_key_invalid");
    let made = bootstrap::another_key(&world.app, "acme").await.unwrap();
    assert_eq!(made.tenant, world.acme.tenant);
    let key = world.bearer(made.api_key.expose());
    assert_eq!(
        key.get("/v1/tenant").await.expect(200).json()["slug"],
        "acme"
    );
    let events = world.events(world.acme.tenant).await;
    let is_made = |event: &&Event| event.kind.as_str() == "api_key.created";
    let made: Vec<_> = events.iter().filter(is_made).collect();
    assert_eq!(made.len(), 2);
    assert!(made.iter().all(|event| event.actor.kind == "system"));
    for slug in ["nobody", "", "\0"] {
        assert!(bootstrap::another_key(&world.app, slug).await.is_err());
    }
}

#[apply(each_database)]
async fn junk_unknown_expired_and_revoked_keys_get_the_same_answer(world: World) {
    let expiring = json!({
        "name": "short", "permissions": ["roles:read"], "expires_at": "2026-11-11T10:00:00Z",
    });
    let expiring = admin(&world)
        .post("/v1/api_keys", expiring)
        .await
        .expect(201)
        .json();
    let expiring = world.bearer(expiring["secret"].as_str().unwrap());
    expiring.get("/v1/roles").await.expect(200);

    let revoked = make(&world, &["roles:read"]).await;
    let path = format!("/v1/api_keys/{}/revoke", revoked["id"].as_str().unwrap());
    let revoked = world.bearer(revoked["secret"].as_str().unwrap());
    revoked.get("/v1/roles").await.expect(200);
    let answer = admin(&world).post_empty(&path).await.expect(200).json();
    assert_eq!(answer["revoked_at"], "2026-11-11T09:01:00.000Z");

    world.clock.advance_seconds(60 * 60);
    // A right checksum that belongs to nobody, and a wrong one.
    let unknown = "plinto_sk_00000000000000000000000000000000000000000003ybr6d";
    let junk = "plinto_sk_00000000000000000000000000000000000000000003ybr6e";
    let mut answers = Vec::new();
    for client in [expiring, revoked, world.bearer(unknown), world.bearer(junk)] {
        let answer = client
            .get("/v1/roles")
            .await
            .expect_problem(401, "api_key_invalid");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        answers.push(answer.json()["detail"].clone());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    // What is no key at all could be a token.
    let token = world.bearer("x").get("/v1/roles").await;
    token.expect_problem(401, "token_invalid");
    world
        .anon()
        .get("/v1/roles")
        .await
        .expect_problem(401, "authentication_required");
}

#[apply(each_database)]
async fn revoking_again_changes_nothing(world: World) {
    let key = make(&world, &["roles:read"]).await;
    let path = format!("/v1/api_keys/{}/revoke", key["id"].as_str().unwrap());
    let first = admin(&world).post_empty(&path).await.expect(200).json();
    world.clock.advance_seconds(5);
    let again = admin(&world).post_empty(&path).await.expect(200).json();
    assert_eq!(first, again);
    let kinds = world.event_kinds().await;
    let revocations = kinds
        .iter()
        .filter(|kind| **kind == "api_key.revoked")
        .count();
    assert_eq!(revocations, 1);
}

/// S1, W6: what is stored opens nothing.
#[tokio::test]
async fn a_secret_is_shown_once_and_never_stored() {
    let world = World::new().await;
    // with a key for retries, so that the answer itself is kept too
    let body = json!({"name": "ci", "permissions": ["roles:read"]});
    let made = admin(&world)
        .with("idempotency-key", "\"one\"")
        .post("/v1/api_keys", body)
        .await;
    let made = made.expect(201);
    assert_eq!(made.header("cache-control"), "no-store");
    let key = made.json();
    let secret = key["secret"].as_str().unwrap().to_owned();
    assert!(secret.ends_with(key["last_four"].as_str().unwrap()));

    let path = format!("/v1/api_keys/{}", key["id"].as_str().unwrap());
    let read = admin(&world).get(&path).await.expect(200);
    let listed = admin(&world).get("/v1/api_keys").await.expect(200);
    let events = serde_json::to_string(&world.events(world.acme.tenant).await).unwrap();
    let random_part = &secret["plinto_sk_".len()..];
    for text in [read.text(), listed.text(), events] {
        assert!(!text.contains(random_part), "{text}");
    }
    let mut looked_at = 0;
    for entry in std::fs::read_dir(world.database().folder()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        looked_at += bytes.len();
        let found = bytes
            .windows(random_part.len())
            .any(|part| part == random_part.as_bytes());
        assert!(!found, "the secret is in the database's files");
    }
    assert!(
        looked_at > 100_000,
        "{looked_at} bytes cannot be the database"
    );
    // the same search does find what is stored
    let id = key["id"].as_str().unwrap();
    let is_found = std::fs::read_dir(world.database().folder())
        .unwrap()
        .any(|entry| {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            bytes.windows(id.len()).any(|part| part == id.as_bytes())
        });
    assert!(is_found);
}

#[apply(each_database)]
async fn the_last_use_is_noted_once_a_minute(world: World) {
    let key = make(&world, &["roles:read"]).await;
    let path = format!("/v1/api_keys/{}", key["id"].as_str().unwrap());
    let client = world.bearer(key["secret"].as_str().unwrap());
    let last_used = async || {
        let read = admin(&world).get(&path).await.expect(200).json();
        read["last_used_at"].clone()
    };
    // It is noted behind the answer.
    let noted = async |moment: &str| {
        let what = format!("used at {moment}");
        until(&what, Duration::from_secs(30), async || {
            (last_used().await == moment).then_some(())
        })
        .await;
    };
    assert_eq!(last_used().await, Value::Null);
    client.get("/v1/roles").await.expect(200);
    noted("2026-11-11T09:01:00.000Z").await;
    world.clock.advance_seconds(59);
    client.get("/v1/roles").await.expect(200);
    assert_eq!(last_used().await, "2026-11-11T09:01:00.000Z");
    world.clock.advance_seconds(2);
    client.get("/v1/roles").await.expect(200);
    noted("2026-11-11T09:02:01.000Z").await;
}

/// A write that waits for its turn keeps no reader waiting.
#[tokio::test]
async fn a_use_that_cannot_be_noted_now_delays_nobody() {
    let world = World::new().await;
    let stuck = world.app.db.begin().await.unwrap();
    let admin = admin(&world);
    let answer = timeout(Duration::from_secs(3), admin.get("/v1/roles")).await;
    answer.expect("it waits for the writer").expect(200);
    drop(stuck);
}

/// A database that takes no writes for a while keeps nobody out.
#[tokio::test]
async fn a_use_that_cannot_be_noted_is_no_reason_to_refuse() {
    let world = World::new().await;
    let key = make(&world, &["roles:read"]).await;
    let client = world.bearer(key["secret"].as_str().unwrap());
    let refusal = "create trigger full before update on api_keys
        begin select raise(abort, 'no space'); end";
    let mut tx = world.app.db.begin().await.unwrap();
    tx.execute(refusal, plinto_platform::args![]).await.unwrap();
    tx.commit().await.unwrap();
    client.get("/v1/roles").await.expect(200);
    client.get("/v1/roles").await.expect(200);
    world.clock.advance_seconds(61);
    client.get("/v1/roles").await.expect(200);
    let path = format!("/v1/api_keys/{}", key["id"].as_str().unwrap());
    let read = admin(&world).get(&path).await.expect(200).json();
    assert_eq!(read["last_used_at"], Value::Null);
}

/// Z2.
#[apply(each_database)]
async fn another_tenants_key_looks_like_none(world: World) {
    let key = make(&world, &["roles:read"]).await;
    let other = world.tenant("other").await;
    let other = world.bearer(other.api_key.expose());
    let path = format!("/v1/api_keys/{}", key["id"].as_str().unwrap());
    let missing = other
        .get("/v1/api_keys/key_01h455vb4pex5vsknk084sn02q")
        .await;
    let missing = missing.expect_problem(404, "not_found");
    let theirs = other.get(&path).await.expect_problem(404, "not_found");
    assert_eq!(missing.json()["detail"], theirs.json()["detail"]);
    other
        .post_empty(&format!("{path}/revoke"))
        .await
        .expect_problem(404, "not_found");
    world
        .bearer(key["secret"].as_str().unwrap())
        .get("/v1/roles")
        .await
        .expect(200);
    let listed = other.get("/v1/api_keys").await.expect(200).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn bad_values_are_pointed_at() {
    let world = World::new().await;
    let refused = async |body: Value| {
        let answer = admin(&world).post("/v1/api_keys", body).await;
        pointers(&answer.expect_problem(422, "validation_failed"))
    };
    let permissions = json!(["roles:read"]);
    assert_eq!(
        refused(json!({"name": "", "permissions": permissions})).await,
        ["/name"]
    );
    assert_eq!(
        refused(json!({"name": "x".repeat(129), "permissions": permissions})).await,
        ["/name"]
    );
    assert_eq!(
        refused(json!({"name": "a", "permissions": []})).await,
        ["/permissions"]
    );
    assert_eq!(
        refused(json!({"name": "a", "permissions": ["roles:read", "all", "x"]})).await,
        ["/permissions/1", "/permissions/2"]
    );
    assert_eq!(
        refused(json!({"name": "a", "permissions": "all"})).await,
        ["/permissions"]
    );
    assert_eq!(refused(json!({"name": "a"})).await, ["/permissions"]);
    let past =
        json!({"name": "a", "permissions": permissions, "expires_at": "2026-11-11T09:01:00Z"});
    assert_eq!(refused(past).await, ["/expires_at"]);
    let unreadable = json!({"name": "a", "permissions": permissions, "expires_at": "soon"});
    assert_eq!(refused(unreadable).await, ["/expires_at"]);
    let unknown = json!({"name": "a", "permissions": permissions, "tenant_id": "x"});
    assert_eq!(refused(unknown).await, ["/tenant_id"]);
}

#[apply(each_database)]
async fn a_list_comes_in_pages(world: World) {
    for _ in 0..4 {
        make(&world, &["roles:read"]).await;
    }
    let mut seen = Vec::new();
    let mut path = "/v1/api_keys?limit=2".to_owned();
    loop {
        let page = admin(&world).get(&path).await.expect(200).json();
        let rows = page["data"].as_array().unwrap();
        assert!(rows.len() <= 2);
        seen.extend(
            rows.iter()
                .map(|row| row["id"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/api_keys?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((seen.len(), &seen), (5, &sorted));
}
