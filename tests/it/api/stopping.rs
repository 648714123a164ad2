//! Stopping sessions: one's own everywhere, everybody's at once.

use plinto_tests::world::World;
use serde_json::json;

use crate::setup::{
    PASSWORD, Person, admin, apply, client_with, count, each_database, expect_oauth, pointers,
    refresh, sign_in, sign_up, sign_up_with, try_refresh, try_sign_in,
};

/// Neither its access token nor its refresh token gives anything any more, and nobody lists it.
async fn expect_ended(world: &World, person: &Person) {
    let me = person.client(world).get("/t/acme/v1/me").await;
    me.expect_problem(401, "token_revoked");
    let refused = try_refresh(world, &person.refresh_token).await;
    expect_oauth(&refused, 400, "invalid_grant");
    for token in [&person.access_token, &person.refresh_token] {
        let fields = [("token", token.as_str())];
        let path = "/t/acme/oauth/introspect";
        let answer = admin(world).form(path, &fields).await.expect(200);
        assert_eq!(answer.json(), json!({"active": false}));
    }
    let path = format!("/v1/sessions/{}", person.session);
    let session = admin(world).get(&path).await.expect(200).json();
    assert_eq!(session["revoked_reason"], "all_ended");
    for path in [
        "/v1/sessions".to_owned(),
        format!("/v1/sessions?user_id={}", person.id),
    ] {
        let list = admin(world).get(&path).await.expect(200).text();
        assert!(
            !list.contains(&person.session.to_string()),
            "{path}: {list}"
        );
    }
}

async fn expect_good(world: &World, person: &Person) {
    person.client(world).get("/t/acme/v1/me").await.expect(200);
    refresh(world, &person.refresh_token).await;
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

/// S3, S5: on every device, refresh tokens too; nobody else's.
#[apply(each_database)]
async fn signing_out_everywhere_ends_every_session_of_that_person(world: World) {
    let here = sign_up(&world, "alice").await;
    let phone = sign_in(&world, &here).await;
    let bob = sign_up(&world, "bob").await;
    let path = "/t/acme/v1/sign_out";
    let all = json!({"all": true});
    here.client(&world).post(path, all).await.expect(204);
    for ended in [&here, &phone] {
        expect_ended(&world, ended).await;
    }
    expect_good(&world, &bob).await;
    assert_eq!(count(&world, "user.sessions_revoked").await, 1);
    expect_good(&world, &sign_in(&world, &here).await).await;
}

/// A sign-out that asks for what is not understood ends nothing, and says so.
#[tokio::test]
async fn a_sign_out_that_is_not_understood_ends_nothing() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    let client = alice.client(&world);
    let path = "/t/acme/v1/sign_out";
    for (body, pointer) in [
        (json!({"everywhere": true}), "/everywhere"),
        (json!({"all": "yes"}), "/all"),
        (json!([true]), ""),
        (json!(null), ""),
    ] {
        let answer = client.post(path, body).await;
        assert_eq!(
            pointers(&answer.expect_problem(422, "validation_failed")),
            [pointer]
        );
    }
    let query = client.post_empty(&format!("{path}?all=true")).await;
    assert_eq!(
        pointers(&query.expect_problem(422, "validation_failed")),
        ["?all"]
    );
    let form = "application/x-www-form-urlencoded";
    let answer = client.post_bytes(path, form, "all=true").await;
    answer.expect_problem(415, "unsupported_media_type");
    client.get("/t/acme/v1/me").await.expect(200);
    let other = sign_in(&world, &alice).await;
    client.post(path, json!({"all": false})).await.expect(204);
    client
        .get("/t/acme/v1/me")
        .await
        .expect_problem(401, "token_revoked");
    expect_good(&world, &other).await;
    try_sign_in(&world.anon(), &alice.email, PASSWORD)
        .await
        .expect(200);
}
