//! `/v1/roles`.

use plinto_tests::world::{Client, World};
use serde_json::{Value, json};

use crate::setup::{
    CLOSED, activate, admin, apply, bundle, client_with, each_database, each_database_with_threads,
    pointers, publish,
};

async fn make(client: &Client, key: &str, permissions: &[&str]) -> Value {
    let body = json!({"key": key, "name": key, "permissions": permissions});
    client.post("/v1/roles", body).await.expect(201).json()
}

fn path(role: &Value) -> String {
    format!("/v1/roles/{}", role["id"].as_str().unwrap())
}

#[apply(each_database)]
async fn a_tenant_starts_with_owner_admin_member_and_administrator(world: World) {
    let listed = admin(&world).get("/v1/roles").await.expect(200).json();
    let rows = listed["data"].as_array().unwrap();
    let mut keys: Vec<_> = rows
        .iter()
        .map(|row| row["key"].as_str().unwrap())
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, ["admin", "administrator", "member", "owner"]);
    assert!(rows.iter().all(|row| row["is_system"] == true));
}

#[apply(each_database)]
async fn a_role_is_made_read_changed_and_deleted(world: World) {
    let admin = admin(&world);
    world.clock.advance_seconds(1);
    let role = make(&admin, "editor", &["document:write", "document:read"]).await;
    assert_eq!(
        role["permissions"],
        json!(["document:read", "document:write"])
    );

    let read = admin.get(&path(&role)).await.expect(200);
    assert_eq!(read.json(), role);
    assert_eq!(read.header("etag"), "\"1\"");
    admin
        .clone()
        .with("if-none-match", "\"1\"")
        .get(&path(&role))
        .await
        .expect(304);

    world.clock.advance_seconds(1);
    let change = json!({"permissions": ["document:read"], "description": "May look."});
    let changed = admin
        .clone()
        .with("if-match", "\"1\"")
        .patch(&path(&role), change)
        .await;
    let changed = changed.expect(200);
    assert_eq!(changed.header("etag"), "\"2\"");
    assert_eq!(changed.json()["permissions"], json!(["document:read"]));
    assert_eq!(changed.json()["name"], "editor");
    assert_eq!(changed.json()["updated_at"], "2026-11-11T09:01:02.000Z");

    world.clock.advance_seconds(1);
    admin
        .clone()
        .with("if-match", "\"2\"")
        .delete(&path(&role))
        .await
        .expect(204);
    admin
        .get(&path(&role))
        .await
        .expect_problem(404, "not_found");
    let kinds = world.event_kinds().await;
    assert_eq!(
        kinds[kinds.len() - 3..],
        ["role.created", "role.updated", "role.deleted"]
    );
}

#[apply(each_database)]
async fn a_change_without_the_version_it_is_meant_for_is_refused(world: World) {
    let admin = admin(&world);
    let role = make(&admin, "editor", &["document:read"]).await;
    let change = json!({"permissions": []});
    let answer = admin.patch(&path(&role), change.clone()).await;
    answer.expect_problem(428, "precondition_required");
    admin
        .delete(&path(&role))
        .await
        .expect_problem(428, "precondition_required");
    for stale in ["\"0\"", "\"2\"", "W/\"1\"", "1"] {
        let blind = admin.clone().with("if-match", stale);
        let answer = blind.patch(&path(&role), change.clone()).await;
        answer.expect_problem(412, "precondition_failed");
        blind
            .delete(&path(&role))
            .await
            .expect_problem(412, "precondition_failed");
    }
    assert_eq!(admin.get(&path(&role)).await.expect(200).json(), role);
}

#[apply(each_database)]
async fn a_key_is_taken_once_per_tenant(world: World) {
    make(&admin(&world), "editor", &[]).await;
    let again = json!({"key": "editor", "name": "Again"});
    let answer = admin(&world).post("/v1/roles", again).await;
    answer.expect_problem(409, "role_key_taken");
    let other = world.tenant("other").await;
    make(&world.bearer(other.api_key.expose()), "editor", &[]).await;
}

#[apply(each_database)]
async fn a_role_of_our_own_may_be_changed_but_stays(world: World) {
    let listed = admin(&world).get("/v1/roles").await.expect(200).json();
    let member = listed["data"].as_array().unwrap();
    let member = member
        .iter()
        .find(|row| row["key"] == "member")
        .unwrap()
        .clone();
    let admin = admin(&world).with("if-match", "\"1\"");
    admin
        .delete(&path(&member))
        .await
        .expect_problem(422, "validation_failed");
    let change = json!({"permissions": ["document:read"]});
    admin.patch(&path(&member), change).await.expect(200);
}

/// Z2.
#[apply(each_database)]
async fn another_tenants_role_looks_like_none(world: World) {
    let role = make(&admin(&world), "editor", &[]).await;
    let other = world.tenant("other").await;
    let other = world
        .bearer(other.api_key.expose())
        .with("if-match", "\"1\"");
    other
        .get(&path(&role))
        .await
        .expect_problem(404, "not_found");
    let answer = other.patch(&path(&role), json!({"name": "x"})).await;
    answer.expect_problem(404, "not_found");
    other
        .delete(&path(&role))
        .await
        .expect_problem(404, "not_found");
    let listed = other.get("/v1/roles").await.expect(200).text();
    assert!(!listed.contains("editor"), "{listed}");
}

#[tokio::test]
async fn reading_does_not_allow_writing() {
    let world = World::new().await;
    let role = make(&admin(&world), "editor", &[]).await;
    let reader = client_with(&world, &["roles:read"])
        .await
        .with("if-match", "\"1\"");
    reader.get(&path(&role)).await.expect(200);
    let answer = reader
        .post("/v1/roles", json!({"key": "a", "name": "A"}))
        .await;
    answer.expect_problem(403, "permission_denied");
    let answer = reader.patch(&path(&role), json!({"name": "A"})).await;
    answer.expect_problem(403, "permission_denied");
    reader
        .delete(&path(&role))
        .await
        .expect_problem(403, "permission_denied");
    let stranger = client_with(&world, &["policies:read"]).await;
    stranger
        .get("/v1/roles")
        .await
        .expect_problem(403, "permission_denied");
    stranger
        .get(&path(&role))
        .await
        .expect_problem(403, "permission_denied");
}

#[tokio::test]
async fn bad_values_are_pointed_at() {
    let world = World::new().await;
    let refused = async |body: Value| {
        let answer = admin(&world).post("/v1/roles", body).await;
        pointers(&answer.expect_problem(422, "validation_failed"))
    };
    assert_eq!(
        refused(json!({"key": "Editor", "name": "E"})).await,
        ["/key"]
    );
    assert_eq!(
        refused(json!({"key": "a".repeat(64), "name": ""})).await,
        ["/key", "/name"]
    );
    assert_eq!(
        refused(json!({"key": "a", "name": "A", "permissions": ["a:b", "nonsense"]})).await,
        ["/permissions/1"]
    );
    assert_eq!(
        refused(json!({"key": "a", "name": "A", "permissions": [7]})).await,
        ["/permissions/0"]
    );
    assert_eq!(
        refused(json!({"key": "a", "name": "A", "is_system": true})).await,
        ["/is_system"]
    );
    let long = json!({"key": "a", "name": "A", "description": "x".repeat(513)});
    assert_eq!(refused(long).await, ["/description"]);
}

/// 256 permissions of 120 characters, 31 KB.
fn many(seed: usize) -> Vec<String> {
    (0..256)
        .map(|at| format!("r{:0>100}:a{seed:0>8}x{at:0>8}", seed * 1_000 + at))
        .collect()
}

/// Z5, Z8: roles that no bundle could carry are refused, so that what is taken away always reaches edges.
#[apply(each_database)]
async fn a_tenants_roles_stay_within_what_a_bundle_carries(world: World) {
    let admin = admin(&world);
    let mut made = Vec::new();
    let refused = loop {
        let key = format!("role{}", made.len());
        let body = json!({"key": key, "name": key, "permissions": many(made.len())});
        let answer = admin.post("/v1/roles", body).await;
        if answer.status != 201 {
            break answer;
        }
        made.push(answer.json());
    };
    let refused = refused.expect_problem(422, "validation_failed").json();
    assert!(refused["detail"].as_str().unwrap().contains("262144 bytes"));
    assert!((7..9).contains(&made.len()), "{}", made.len());
    let small = make(&admin, "small", &["document:read"]).await;
    let change = |role: &Value, permissions: Value| {
        let client = admin.clone().with("if-match", "\"1\"");
        let path = path(role);
        async move {
            client
                .patch(&path, json!({"permissions": permissions}))
                .await
        }
    };
    let grown = change(&small, json!(many(99))).await;
    grown.expect_problem(422, "validation_failed");
    // The largest bundle and all these roles together are activated, and so is what is taken away.
    let noise: String = (0_u64..)
        .map(|at| plinto_platform::envelope::sha256_hex(at.to_be_bytes()))
        .take(28_000)
        .collect();
    let revision = publish(
        &admin,
        bundle(&[
            ("app/authz/decision.rego", CLOSED),
            ("app/noise/data.json", &json!(noise).to_string()),
        ]),
    )
    .await;
    activate(&admin, &revision).await;
    change(&made[0], json!([])).await.expect(200);
    world.run_due_work().await;
    let status = admin.get("/v1/policies/status").await.expect(200).json();
    assert_eq!(status["outdated"], Value::Null);
}

/// However many are made at once, a tenant has as many roles as one by one.
#[apply(each_database_with_threads)]
async fn roles_made_at_once_are_counted_one_by_one(world: World) {
    let mut making = tokio::task::JoinSet::new();
    for at in 0..280 {
        let admin = admin(&world);
        let key = format!("role{at}");
        let body = json!({"key": key, "name": key, "permissions": ["a:b"]});
        making.spawn(async move { admin.post("/v1/roles", body).await.status.as_u16() });
    }
    let statuses = making.join_all().await;
    let made = statuses.iter().filter(|status| **status == 201).count();
    assert_eq!(made, 256 - 4, "{statuses:?}");
}
