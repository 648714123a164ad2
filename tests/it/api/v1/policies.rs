//! `/v1/policies`: publish, activate, roll back, rebuild.

mod refusals;

use std::time::Duration;

use base64ct::{Base64, Encoding};
use plinto_contract::{policy::EvaluationRequest, time::UnixSeconds};
use plinto_platform::args;
use plinto_policy::{
    engine::{self, Engine},
    limits::EvaluationLimits,
};
use plinto_tests::{process, world::World};
use serde_json::{Value, json};

use crate::api::t::edge::bundle::fetched;
use crate::setup::{
    BY_ROLE, CLOSED, activate, admin, apply, bundle, bundle_of, client_with, each_database, publish,
};

/// Whether the active policy lets somebody with a role do something.
async fn allows(world: &World, role: &str, action: &str) -> bool {
    let (_, bundle) = fetched(world).await;
    let engine = Engine::prepare(&bundle.manifest, &bundle.source).unwrap();
    let request: EvaluationRequest = serde_json::from_value(json!({
        "subject": {"type": "user", "id": "u", "properties": {"roles": [role]}},
        "action": {"name": action},
        "resource": {"type": "document", "id": ""},
        "context": {},
    }))
    .unwrap();
    let input = engine::input_of(&request);
    engine
        .evaluate(input, &EvaluationLimits::default())
        .decision
        .allow
}

async fn make_role(world: &World, key: &str, permissions: &[&str]) -> Value {
    let body = json!({"key": key, "name": key, "permissions": permissions});
    admin(world)
        .post("/v1/roles", body)
        .await
        .expect(201)
        .json()
}

#[apply(each_database)]
async fn a_bundle_is_published_once_and_fetched_as_it_was_sent(world: World) {
    let admin = admin(&world);
    let test = "package app.authz_test\n\ntest_closed if not data.app.authz.decision.allow\n";
    let packed = bundle(&[
        ("app/authz/decision.rego", CLOSED),
        ("app/authz/decision_test.rego", test),
    ]);
    let path = "/v1/policies/bundles";
    let made = admin
        .post_bytes(path, "application/gzip", packed.clone())
        .await
        .expect(201);
    let made = made.json();
    assert_eq!(made["tests_passed"], 1);
    assert_eq!(made["file_count"], 2);
    assert_eq!(made["entrypoint"], "app/authz/decision");
    assert_eq!(made["size_bytes"], packed.len());
    assert!(made["published_by"].as_str().unwrap().starts_with("key_"));

    let again = admin
        .post_bytes(path, "application/gzip", packed.clone())
        .await
        .expect(200);
    assert_eq!(again.json(), made);
    let listed = admin.get(path).await.expect(200).json();
    assert_eq!(listed["data"], json!([made]));

    let path = format!("{path}/{}", made["revision"].as_str().unwrap());
    assert_eq!(admin.get(&path).await.expect(200).json(), made);
    let archive = admin.get(&format!("{path}/archive")).await.expect(200);
    assert_eq!(archive.bytes, packed);
    assert_eq!(archive.header("content-type"), "application/gzip");
    let events = world.event_kinds().await;
    let published = events
        .iter()
        .filter(|kind| **kind == "policy.bundle_published")
        .count();
    assert_eq!(published, 1);
}

#[apply(each_database)]
async fn the_bundle_in_force_is_marked_among_those_published(world: World) {
    let admin = admin(&world);
    let first = publish(&admin, bundle_of(CLOSED)).await;
    let second = publish(&admin, bundle_of(BY_ROLE)).await;
    let path = "/v1/policies/bundles";
    for active in [None, Some(&first), Some(&second), Some(&first)] {
        if let Some(revision) = active {
            activate(&admin, revision).await;
        }
        let listed = admin.get(path).await.expect(200).json();
        for bundle in listed["data"].as_array().unwrap() {
            let is_active = active.is_some_and(|active| bundle["revision"] == active.as_str());
            assert_eq!(bundle["is_active"], is_active, "{active:?}: {bundle}");
            let alone = format!("{path}/{}", bundle["revision"].as_str().unwrap());
            assert_eq!(&admin.get(&alone).await.expect(200).json(), bundle);
        }
        assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    }
    let again = admin
        .post_bytes(path, "application/gzip", bundle_of(CLOSED))
        .await
        .expect(200);
    assert_eq!(again.json()["is_active"], true);
    assert_eq!(again.json()["revision"], first);
    assert_ne!(first, second);
}

/// N15: what is activated is signed, complete, and decides with the tenant's roles.
#[apply(each_database)]
async fn an_activated_bundle_decides_with_the_tenants_roles(world: World) {
    let admin = admin(&world);
    world
        .anon()
        .get("/t/acme/edge/bundle")
        .await
        .expect_problem(404, "not_found");
    make_role(&world, "editor", &["document:write"]).await;
    let revision = publish(&admin, bundle_of(BY_ROLE)).await;
    world
        .anon()
        .get("/t/acme/edge/bundle")
        .await
        .expect_problem(404, "not_found");

    let made = activate(&admin, &revision).await;
    assert_eq!(
        (&made["sequence"], &made["reason"]),
        (&json!(1), &json!("activated"))
    );
    assert_eq!(made["expires_at"], "2026-12-11T09:01:00.000Z");
    assert!(allows(&world, "editor", "document:write").await);
    assert!(!allows(&world, "editor", "document:delete").await);
    assert!(!allows(&world, "member", "document:write").await);

    let (answer, bundle) = fetched(&world).await;
    assert_eq!(bundle.manifest.revision, revision);
    assert_eq!(bundle.activation.engine, engine::ENGINE);
    assert_eq!(
        answer.header("etag"),
        format!("\"{}\"", made["digest"].as_str().unwrap())
    );
    assert_eq!(answer.header("x-plinto-sequence"), "1");
    assert_eq!(answer.header("content-type"), "application/gzip");
    assert_eq!(
        answer.header("cache-control"),
        "public, max-age=1, must-revalidate"
    );
    let status = admin.get("/v1/policies/status").await.expect(200).json();
    assert_eq!(status["active"], made);
    assert_eq!(status["outdated"], Value::Null);
}

/// N15: what is stored is checked again before it is signed; another content is not the revision.
#[apply(each_database)]
async fn an_archive_that_changed_in_the_database_is_not_activated(world: World) {
    let admin = admin(&world);
    let good = publish(&admin, bundle_of(CLOSED)).await;
    activate(&admin, &good).await;
    let (before, _) = fetched(&world).await;
    let revision = publish(&admin, bundle_of(BY_ROLE)).await;
    let open = BY_ROLE.replace("allow := false", "allow := true");
    for content in [b"garbage".to_vec(), Vec::new(), bundle_of(&open)] {
        let content = Base64::encode_string(&content);
        let sql = "update bundle_archives set content = $2 where revision = $1";
        let mut tx = world.app.db.begin().await.unwrap();
        assert_eq!(tx.execute(sql, args![&revision, content]).await.unwrap(), 1);
        tx.commit().await.unwrap();
        let path = format!("/v1/policies/bundles/{revision}/activate");
        admin
            .post_empty(&path)
            .await
            .expect_problem(422, "bundle_malformed");
    }
    assert_eq!(fetched(&world).await.0.bytes, before.bytes);
}

/// Whoever floods the compiler is turned away; everybody who was let in gets an answer.
#[tokio::test]
async fn too_many_bundles_at_once_are_turned_away() {
    let world = World::new().await;
    let slow = "package app.authz_test\n\ntest_slow if {\n\tcount([x | some x in \
                numbers.range(1, 9000); x % 7 == 0]) > 0\n}\n";
    let mut sent = Vec::new();
    for number in 0..40 {
        let policy = CLOSED.replace("closed", &format!("closed {number}"));
        let packed = bundle(&[
            ("app/authz/decision.rego", policy.as_str()),
            ("app/authz/decision_test.rego", slow),
        ]);
        let client = admin(&world);
        sent.push(tokio::spawn(async move {
            client
                .post_bytes("/v1/policies/bundles", "application/gzip", packed)
                .await
        }));
    }
    let (mut stored, mut turned_away) = (0, 0);
    for one in sent {
        let answer = one.await.unwrap();
        if answer.status == 201 {
            stored += 1;
        } else {
            let answer = answer.expect_problem(503, "overloaded");
            assert_eq!(answer.header("retry-after"), "1");
            turned_away += 1;
        }
    }
    assert!(stored >= 16, "{stored} stored, {turned_away} turned away");
    assert!(turned_away > 0, "{stored} stored, none turned away");
    let listed = admin(&world)
        .get("/v1/policies/bundles?limit=100")
        .await
        .expect(200)
        .json();
    assert_eq!(listed["data"].as_array().unwrap().len(), stored);
}

/// An edge refuses a lower sequence, so going back raises it.
#[apply(each_database)]
async fn a_roll_back_raises_the_sequence_and_goes_step_by_step(world: World) {
    let admin = admin(&world);
    let back = async || admin.post_empty("/v1/policies/rollback").await;
    back().await.expect_problem(404, "not_found");
    let third = CLOSED.replace("closed", "closed again");
    let mut revisions = Vec::new();
    for policy in [BY_ROLE, CLOSED, third.as_str()] {
        world.clock.advance_seconds(1);
        let revision = publish(&admin, bundle_of(policy)).await;
        activate(&admin, &revision).await;
        revisions.push(revision);
    }
    for (sequence, revision) in [(4, &revisions[1]), (5, &revisions[0])] {
        world.clock.advance_seconds(1);
        let made = back().await.expect(200).json();
        assert_eq!(
            (&made["sequence"], &made["revision"]),
            (&json!(sequence), &json!(revision))
        );
        assert_eq!(made["reason"], "rolled_back");
        let (answer, bundle) = fetched(&world).await;
        assert_eq!(&bundle.manifest.revision, revision);
        assert_eq!(answer.header("x-plinto-sequence"), sequence.to_string());
    }
    back().await.expect_problem(409, "nothing_to_roll_back_to");
    assert_eq!(fetched(&world).await.1.activation.sequence, 5);
    let kinds = world.event_kinds().await;
    assert_eq!(kinds[kinds.len() - 2..], ["policy.bundle_rolled_back"; 2]);
    let history = admin
        .get("/v1/policies/activations?limit=2")
        .await
        .expect(200)
        .json();
    let sequences: Vec<_> = history["data"].as_array().unwrap().iter().collect();
    assert_eq!(
        (&sequences[0]["sequence"], &sequences[1]["sequence"]),
        (&json!(5), &json!(4))
    );
    let next = history["next_cursor"].as_str().unwrap();
    let more = admin
        .get(&format!("/v1/policies/activations?limit=2&cursor={next}"))
        .await;
    assert_eq!(more.expect(200).json()["data"][0]["sequence"], 3);
}

/// Z5: a role's new permissions are in the next artifact, with a higher sequence.
#[apply(each_database)]
async fn a_changed_role_rebuilds_the_active_artifact(world: World) {
    let admin = admin(&world);
    let role = make_role(&world, "editor", &["document:read"]).await;
    let revision = publish(&admin, bundle_of(BY_ROLE)).await;
    activate(&admin, &revision).await;
    world.run_due_work().await;
    assert_eq!(
        fetched(&world).await.1.activation.sequence,
        1,
        "nothing had changed"
    );

    let path = format!("/v1/roles/{}", role["id"].as_str().unwrap());
    let change = json!({"permissions": ["document:write"]});
    admin
        .clone()
        .with("if-match", "\"1\"")
        .patch(&path, change)
        .await
        .expect(200);
    let status = admin.get("/v1/policies/status").await.expect(200).json();
    assert_eq!(status["outdated"], "roles_changed");
    world.run_due_work().await;
    assert!(allows(&world, "editor", "document:write").await);
    assert!(!allows(&world, "editor", "document:read").await);
    assert_eq!(fetched(&world).await.1.activation.sequence, 2);

    admin
        .clone()
        .with("if-match", "\"2\"")
        .delete(&path)
        .await
        .expect(204);
    world.run_due_work().await;
    assert!(!allows(&world, "editor", "document:write").await);
    let status = admin.get("/v1/policies/status").await.expect(200).json();
    assert_eq!(status["active"]["reason"], "roles_changed");
    assert_eq!(status["active"]["activated_by"], "system");
    assert_eq!(status["active"]["revision"], revision);
    assert_eq!(status["outdated"], Value::Null);
    let kinds = world.event_kinds().await;
    assert!(kinds.contains(&"policy.bundle_renewed"), "{kinds:?}");
}

/// Z5: roles that change while the first bundle is being activated reach edges, too. On `SQLite`, where
/// writers queue in the order in which they came, the change can be made to come in between.
#[tokio::test(flavor = "multi_thread")]
async fn roles_that_change_during_the_first_activation_reach_the_bundle() {
    let world = World::new().await;
    let admin = admin(&world);
    make_role(&world, "editor", &["document:read"]).await;
    let revision = publish(&admin, bundle_of(BY_ROLE)).await;
    let first_in_line = world.app.db.begin().await.unwrap();
    let body = json!({"key": "writer", "name": "Writer", "permissions": ["document:write"]});
    let client = admin.clone();
    let change = tokio::spawn(async move { client.post("/v1/roles", body).await });
    until_writers_wait(&world, 1).await;
    let activation = tokio::spawn(async move { activate(&admin, &revision).await });
    until_writers_wait(&world, 2).await;
    drop(first_in_line);
    change.await.unwrap().expect(201);
    activation.await.unwrap();
    assert!(!allows(&world, "writer", "document:write").await);
    world.run_due_work().await;
    assert!(allows(&world, "writer", "document:write").await);
}

async fn until_writers_wait(world: &World, many: usize) {
    let patience = Duration::from_secs(10);
    let what = "writers wait for their turn";
    process::until(what, patience, async || {
        (world.app.db.waiting_writers() == many).then_some(())
    })
    .await;
}

#[apply(each_database)]
async fn an_artifact_is_renewed_before_it_expires_and_after_its_key_was_rotated(world: World) {
    let admin = admin(&world);
    let revision = publish(&admin, bundle_of(CLOSED)).await;
    let first = activate(&admin, &revision).await;
    world.run_due_work().await;
    assert_eq!(fetched(&world).await.1.activation.sequence, 1);

    let rotate = json!({"purpose": "bundle"});
    admin
        .post("/v1/signing_keys/rotate", rotate)
        .await
        .expect(200);
    world.run_due_work().await;
    let (_, rotated) = fetched(&world).await;
    assert_eq!(rotated.activation.sequence, 2);
    let status = admin.get("/v1/policies/status").await.expect(200).json();
    assert_eq!(status["active"]["reason"], "key_rotated");
    assert_ne!(status["active"]["signed_by_kid"], first["signed_by_kid"]);

    let config = &world.app.config.policies;
    world
        .clock
        .advance_seconds(config.bundle_s - config.renew_before_s - 1);
    world.run_due_work().await;
    assert_eq!(fetched(&world).await.1.activation.sequence, 2);
    world.clock.advance_seconds(1);
    world.run_due_work().await;
    let (_, renewed) = fetched(&world).await;
    assert_eq!(renewed.activation.sequence, 3);
    let now = world.app.clock.now().to_seconds();
    assert_eq!(renewed.activation.exp, UnixSeconds(now.0 + config.bundle_s));
    let status = admin.get("/v1/policies/status").await.expect(200).json();
    assert_eq!(status["active"]["reason"], "renewed");
}

#[apply(each_database)]
async fn activations_at_the_same_time_follow_each_other(world: World) {
    let admin = admin(&world);
    let one = publish(&admin, bundle_of(CLOSED)).await;
    let other = publish(&admin, bundle_of(BY_ROLE)).await;
    let (a, b, c) = tokio::join!(
        activate(&admin, &one),
        activate(&admin, &other),
        activate(&admin, &one)
    );
    let mut sequences: Vec<_> = [&a, &b, &c]
        .iter()
        .map(|made| made["sequence"].as_i64().unwrap())
        .collect();
    sequences.sort_unstable();
    assert_eq!(sequences, [1, 2, 3]);
    let (_, bundle) = fetched(&world).await;
    let last = [&a, &b, &c]
        .into_iter()
        .find(|made| made["sequence"] == 3)
        .unwrap();
    assert_eq!(bundle.manifest.revision, last["revision"]);
}

/// N15: the tests of a revision run once for an engine, not at every change of the roles.
#[tokio::test]
async fn a_bundles_tests_run_again_only_for_another_engine() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("checker");
    let shipped = process::binary("plinto-control-plane");
    std::os::unix::fs::symlink(&shipped, &program).unwrap();
    let world = World::checking_with(program.clone()).await;
    let admin = admin(&world);
    let revision = publish(&admin, bundle_of(CLOSED)).await;
    std::fs::remove_file(&program).unwrap();
    activate(&admin, &revision).await;

    let earlier = "update bundles set checked_by = 'plinto 0'";
    let mut tx = world.app.db.begin().await.unwrap();
    tx.execute(earlier, args![]).await.unwrap();
    tx.commit().await.unwrap();
    let path = format!("/v1/policies/bundles/{revision}/activate");
    admin
        .post_empty(&path)
        .await
        .expect_problem(500, "internal_error");

    std::os::unix::fs::symlink(&shipped, &program).unwrap();
    assert_eq!(activate(&admin, &revision).await["sequence"], 2);
    std::fs::remove_file(&program).unwrap();
    assert_eq!(activate(&admin, &revision).await["sequence"], 3);
}

/// Z5: a changed role reaches the edge although the policy's tests have not run with this engine.
#[tokio::test]
async fn a_changed_role_waits_for_no_test() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("checker");
    let shipped = process::binary("plinto-control-plane");
    std::os::unix::fs::symlink(&shipped, &program).unwrap();
    let world = World::checking_with(program.clone()).await;
    let admin = admin(&world);
    make_role(&world, "editor", &["document:read"]).await;
    let revision = publish(&admin, bundle_of(BY_ROLE)).await;
    activate(&admin, &revision).await;
    std::fs::remove_file(&program).unwrap();
    let earlier = "update bundles set checked_by = 'plinto 0'";
    let mut tx = world.app.db.begin().await.unwrap();
    tx.execute(earlier, args![]).await.unwrap();
    tx.commit().await.unwrap();

    make_role(&world, "reader", &["document:read"]).await;
    world.run_due_work().await;
    assert!(allows(&world, "reader", "document:read").await);
}

/// Z2.
#[apply(each_database)]
async fn another_tenants_bundle_looks_like_none(world: World) {
    let revision = publish(&admin(&world), bundle_of(CLOSED)).await;
    let made = activate(&admin(&world), &revision).await;
    let other = world.tenant("other").await;
    let other = world.bearer(other.api_key.expose());
    let path = format!("/v1/policies/bundles/{revision}");
    other.get(&path).await.expect_problem(404, "not_found");
    other
        .get(&format!("{path}/archive"))
        .await
        .expect_problem(404, "not_found");
    other
        .post_empty(&format!("{path}/activate"))
        .await
        .expect_problem(404, "not_found");
    other
        .post_empty("/v1/policies/rollback")
        .await
        .expect_problem(404, "not_found");
    let listed = other.get("/v1/policies/bundles").await.expect(200).json();
    assert_eq!(listed["data"], json!([]));
    let listed = other
        .get("/v1/policies/activations")
        .await
        .expect(200)
        .json();
    assert_eq!(listed["data"], json!([]));
    let status = other.get("/v1/policies/status").await.expect(200).json();
    assert_eq!(status["active"], Value::Null);
    let digest = made["digest"].as_str().unwrap();
    let path = format!("/t/other/edge/bundles/{digest}");
    world
        .anon()
        .get(&path)
        .await
        .expect_problem(404, "not_found");
    world
        .anon()
        .get("/t/other/edge/bundle")
        .await
        .expect_problem(404, "not_found");
    // the same content is theirs once they publish it, with a sequence of their own
    publish(&other, bundle_of(CLOSED)).await;
    assert_eq!(activate(&other, &revision).await["sequence"], 1);
}

#[tokio::test]
async fn each_verb_needs_its_permission() {
    let world = World::new().await;
    let revision = publish(&admin(&world), bundle_of(CLOSED)).await;
    activate(&admin(&world), &revision).await;
    let path = format!("/v1/policies/bundles/{revision}");
    let publisher = client_with(&world, &["policies:publish"]).await;
    let activator = client_with(&world, &["policies:activate"]).await;
    let reader = client_with(&world, &["policies:read"]).await;

    let packed = bundle_of(BY_ROLE);
    for client in [&activator, &reader] {
        let gzip = "application/gzip";
        let answer = client
            .post_bytes("/v1/policies/bundles", gzip, packed.clone())
            .await;
        answer.expect_problem(403, "permission_denied");
    }
    for client in [&publisher, &reader] {
        for path in [
            format!("{path}/activate"),
            "/v1/policies/rollback".to_owned(),
        ] {
            client
                .post_empty(&path)
                .await
                .expect_problem(403, "permission_denied");
        }
    }
    for client in [&publisher, &activator] {
        for path in [
            path.clone(),
            format!("{path}/archive"),
            "/v1/policies/bundles".to_owned(),
            "/v1/policies/status".to_owned(),
            "/v1/policies/activations".to_owned(),
        ] {
            client
                .get(&path)
                .await
                .expect_problem(403, "permission_denied");
        }
    }
    publish(&publisher, packed).await;
    activate(&activator, &revision).await;
    reader.get(&path).await.expect(200);
}
