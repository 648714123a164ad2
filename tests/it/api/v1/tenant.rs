//! `/v1/tenant`: the settings, who may change them, and what they do; the end of everybody's sessions.

use plinto_tests::world::{Answer, Client, World};
use serde_json::{Value, json};

use crate::setup::{
    PASSWORD, Person, admin, apply, claims, client_with, count, each_database, expect_ended,
    expect_good, expect_oauth, pointers, refresh, sign_in, sign_up, sign_up_with, text,
    try_refresh, try_sign_in,
};

const PATH: &str = "/v1/tenant";

/// The administrator, who has just looked.
async fn informed(world: &World) -> Client {
    let seen = admin(world).get(PATH).await.expect(200);
    admin(world).with("if-match", seen.header("etag"))
}

async fn set(world: &World, change: Value) -> Answer {
    informed(world).await.patch(PATH, change).await
}

#[apply(each_database)]
async fn settings_are_changed_by_who_has_seen_them_and_by_nobody_else(world: World) {
    let first = admin(&world).get(PATH).await.expect(200);
    let before = first.json();
    assert_eq!(before["sign_up"], "open");
    assert_eq!(before["allowed_origins"], json!([]));
    assert_eq!(before["client_ids"], json!(["plinto"]));
    assert_eq!(before["session_idle_s"], json!(null));
    let blind = admin(&world).patch(PATH, json!({"name": "Acme"})).await;
    blind.expect_problem(428, "precondition_required");

    let change = json!({
        "name": "Acme Ltd", "allowed_origins": ["https://app.example.com"],
        "session_idle_s": 3_600,
    });
    let after = set(&world, change.clone()).await.expect(200);
    for (field, value) in change.as_object().unwrap() {
        assert_eq!(after.json()[field], *value, "{field}");
    }
    assert_eq!(after.json()["audience"], before["audience"]);
    assert_ne!(after.header("etag"), first.header("etag"));
    let late = admin(&world).with("if-match", first.header("etag"));
    let lost = late.patch(PATH, json!({"name": "Other"})).await;
    lost.expect_problem(412, "precondition_failed");
    let now = admin(&world).get(PATH).await.expect(200);
    assert_eq!(now.json()["name"], "Acme Ltd");
    let knows = admin(&world).with("if-none-match", now.header("etag"));
    knows.get(PATH).await.expect(304);

    world.clock.advance_seconds(1);
    // null gives the value back to the server; what is left out stays
    let back = set(&world, json!({"session_idle_s": null}))
        .await
        .expect(200)
        .json();
    assert_eq!(back["session_idle_s"], json!(null));
    assert_eq!(back["name"], "Acme Ltd");
    // what changes nothing is no change
    set(&world, json!({"name": "Acme Ltd"})).await.expect(200);
    let events = world.events(world.acme.tenant).await;
    let said: Vec<_> = events
        .iter()
        .filter(|event| event.kind.as_str() == "tenant.updated")
        .map(|event| event.data["changed"].clone())
        .collect();
    let first = json!(["name", "allowed_origins", "session_idle_s"]);
    assert_eq!(said, [first, json!(["session_idle_s"])]);
}

/// Z7: nothing is put right, and each wrong value is pointed at where the caller wrote it.
#[tokio::test]
async fn a_setting_that_cannot_be_is_pointed_at_and_nothing_changes() {
    let world = World::new().await;
    let before = admin(&world).get(PATH).await.expect(200).text();
    let good = "https://app.example.com";
    for (change, pointer) in [
        (json!({"name": ""}), "/name"),
        (json!({"name": "a\nb"}), "/name"),
        (json!({"audience": "x".repeat(201)}), "/audience"),
        (json!({"sign_up": "invited"}), "/sign_up"),
        (
            json!({"allowed_origins": [good, "*"]}),
            "/allowed_origins/1",
        ),
        (
            json!({"allowed_origins": ["https://app.example.com/"]}),
            "/allowed_origins/0",
        ),
        (
            json!({"allowed_origins": ["https://APP.example.com"]}),
            "/allowed_origins/0",
        ),
        (
            json!({"allowed_origins": ["http://app.example.com"]}),
            "/allowed_origins/0",
        ),
        (
            json!({"allowed_origins": [good, "https://b.example", good]}),
            "/allowed_origins/2",
        ),
        (json!({"client_ids": []}), "/client_ids"),
        (json!({"client_ids": ["plinto", "a b"]}), "/client_ids/1"),
        (json!({"session_idle_s": 59}), "/session_idle_s"),
        (
            json!({"session_absolute_s": 1_000_000_000}),
            "/session_absolute_s",
        ),
        (
            json!({"session_idle_s": 120, "session_absolute_s": 60}),
            "/session_idle_s",
        ),
        (json!({"session_idle_s": "1h"}), "/session_idle_s"),
        (json!({"slug": "other"}), "/slug"),
    ] {
        let answer = set(&world, change.clone()).await;
        let answer = answer.expect_problem(422, "validation_failed");
        assert_eq!(pointers(&answer), [pointer], "{change}");
    }
    let many: Vec<_> = (0..65)
        .map(|number| format!("https://{number}.example"))
        .collect();
    let answer = set(&world, json!({"allowed_origins": many})).await;
    assert_eq!(
        pointers(&answer.expect_problem(422, "validation_failed")),
        ["/allowed_origins"]
    );
    let after = admin(&world).get(PATH).await.expect(200).text();
    assert_eq!(after, before);
}

#[apply(each_database)]
async fn nobody_signs_up_with_a_tenant_that_has_closed_sign_up(world: World) {
    let alice = sign_up(&world, "alice").await;
    let other = world.elsewhere().await;
    set(&world, json!({"sign_up": "closed"})).await.expect(200);
    for client in [&world.anon(), &other] {
        let body = json!({"email": "bob@example.com", "password": PASSWORD});
        let answer = client.post("/t/acme/v1/sign_up", body).await;
        answer.expect_problem(403, "sign_up_closed");
    }
    // who is in stays in, and nothing tells who is
    let body = json!({"email": alice.email, "password": PASSWORD});
    let answer = world.anon().post("/t/acme/v1/sign_up", body).await;
    answer.expect_problem(403, "sign_up_closed");
    sign_in(&world, &alice).await;
    refresh(&world, &alice.refresh_token).await;
    set(&world, json!({"sign_up": "open"})).await.expect(200);
    sign_up(&world, "bob").await;
}

/// S9: what a token and a policy's input say of the client is one of the tenant's names.
#[apply(each_database)]
async fn nobody_gets_a_token_under_a_client_name_that_the_tenant_has_not_configured(world: World) {
    let alice = sign_up(&world, "alice").await;
    let body = |email: &str, client: &str| json!({"email": email, "password": PASSWORD, "client_id": client});
    for (path, email) in [("sign_up", "bob@example.com"), ("sign_in", &alice.email)] {
        let path = format!("/t/acme/v1/{path}");
        let answer = world.anon().post(&path, body(email, "web-app")).await;
        let answer = answer.expect_problem(422, "validation_failed");
        assert_eq!(pointers(&answer), ["/client_id"]);
        assert_eq!(answer.json()["errors"][0]["code"], "client_unknown");
    }
    set(&world, json!({"client_ids": ["web-app"]}))
        .await
        .expect(200);
    let path = "/t/acme/v1/sign_in";
    let answer = world.anon().post(path, body(&alice.email, "web-app")).await;
    let web = Person::of(&answer.expect(200));
    assert_eq!(claims(&web.access_token).client_id, "web-app");
    // a name that was taken away gets no more tokens, and is not the default either
    let unnamed = try_sign_in(&world.anon(), &alice.email, PASSWORD).await;
    assert_eq!(
        pointers(&unnamed.expect_problem(422, "validation_failed")),
        ["/client_id"]
    );
    expect_oauth(
        &try_refresh(&world, &alice.refresh_token).await,
        401,
        "invalid_client",
    );
    set(&world, json!({"client_ids": ["web-app", "plinto"]}))
        .await
        .expect(200);
    refresh(&world, &alice.refresh_token).await;
}

/// S6.
#[apply(each_database)]
async fn a_tenants_sessions_end_by_its_own_limits(world: World) {
    let earlier = sign_up(&world, "alice").await;
    let limits = json!({"session_idle_s": 3_600, "session_absolute_s": 86_400});
    set(&world, limits).await.expect(200);
    let person = sign_up(&world, "bob").await;
    let path = format!("/v1/sessions/{}", person.session);
    let session = admin(&world).get(&path).await.expect(200).json();
    assert_eq!(session["expires_at"], "2026-11-12T09:01:00.000Z");

    world.clock.advance_seconds(3_599);
    let (_, bobs) = refresh(&world, &person.refresh_token).await;
    // what began before keeps its end, and is idle by the new limit from its next refresh on
    world.clock.advance_seconds(3_600);
    expect_oauth(&try_refresh(&world, &bobs).await, 400, "invalid_grant");
    let (_, alices) = refresh(&world, &earlier.refresh_token).await;
    world.clock.advance_seconds(3_600);
    expect_oauth(&try_refresh(&world, &alices).await, 400, "invalid_grant");

    // however often it is refreshed, it ends
    let mut carol = sign_up(&world, "carol").await.refresh_token;
    for _ in 0..24 {
        world.clock.advance_seconds(3_599);
        (_, carol) = refresh(&world, &carol).await;
    }
    world.clock.advance_seconds(24);
    expect_oauth(&try_refresh(&world, &carol).await, 400, "invalid_grant");
}

/// Edges take tokens for their own audience only; the control plane is an audience of all of them.
#[tokio::test]
async fn tokens_carry_the_audience_of_the_moment_they_were_issued() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    set(&world, json!({"audience": "https://new.example.com"}))
        .await
        .expect(200);
    alice.client(&world).get("/t/acme/v1/me").await.expect(200);
    assert!(
        claims(&alice.access_token)
            .aud
            .contains("https://api.acme.test")
    );
    let (access, _) = refresh(&world, &alice.refresh_token).await;
    assert!(claims(&access).aud.contains("https://new.example.com"));
    assert!(!claims(&access).aud.contains("https://api.acme.test"));
    assert_eq!(text(&json!(claims(&access).iss)), world.acme.issuer);
}

/// S4: refresh tokens too. What begins afterwards, in the very same second, is good.
#[apply(each_database)]
async fn ending_all_sessions_of_a_tenant_leaves_no_token_that_gives_access(world: World) {
    let alice = sign_up(&world, "alice").await;
    let again = sign_in(&world, &alice).await;
    let bob = sign_up(&world, "bob").await;
    let (_, successor) = refresh(&world, &bob.refresh_token).await;
    world.tenant("globex").await;
    let elsewhere = sign_up_with(&world, "globex", "grace").await;
    world.clock.advance_millis(5_400);
    admin(&world)
        .post_empty("/v1/tenant/revoke_sessions")
        .await
        .expect(204);
    for ended in [&alice, &again] {
        expect_ended(&world, ended).await;
    }
    expect_ended(
        &world,
        &Person {
            refresh_token: successor,
            ..bob
        },
    )
    .await;
    assert_eq!(count(&world, "tenant.sessions_revoked").await, 1);
    expect_good(&world, &sign_in(&world, &alice).await).await;
    let other = world.bearer(&elsewhere.access_token);
    other.get("/t/globex/v1/me").await.expect(200);
    let tenant = admin(&world).get("/v1/tenant").await.expect(200).json();
    assert_eq!(tenant["sessions_ended_at"], "2026-11-11T09:01:05.400Z");
}

/// S4: within its grace a spent refresh token gives the same successor once more, but to nobody whose
/// session has ended with all others.
#[apply(each_database)]
async fn no_lost_answer_is_given_again_after_all_sessions_have_ended(world: World) {
    let alice = sign_up(&world, "alice").await;
    refresh(&world, &alice.refresh_token).await;
    admin(&world)
        .post_empty("/v1/tenant/revoke_sessions")
        .await
        .expect(204);
    let again = try_refresh(&world, &alice.refresh_token).await;
    expect_oauth(&again, 400, "invalid_grant");
}

/// S4: a process that has just seen the tenant does not take its tokens for a moment longer.
#[apply(each_database)]
async fn another_process_knows_at_once_that_all_sessions_have_ended(world: World) {
    let alice = sign_up(&world, "alice").await;
    let seen = world.elsewhere().await.bearer(&alice.access_token);
    seen.get("/t/acme/v1/me").await.expect(200);
    admin(&world)
        .post_empty("/v1/tenant/revoke_sessions")
        .await
        .expect(204);
    let refused = seen.get("/t/acme/v1/me").await;
    refused.expect_problem(401, "token_revoked");
}

#[tokio::test]
async fn ending_everybodys_sessions_needs_the_right_to_end_one() {
    let world = World::new().await;
    let path = "/v1/tenant/revoke_sessions";
    let writer = client_with(&world, &["tenant:write"]).await;
    writer
        .post_empty(path)
        .await
        .expect_problem(403, "permission_denied");
    let revoker = client_with(&world, &["sessions:revoke"]).await;
    revoker.post_empty(path).await.expect(204);
}
