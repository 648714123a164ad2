//! A person's own endpoints: `/v1/me`, sessions, password, organization.

use plinto_tests::world::World;
use serde_json::json;

use crate::setup::{
    OTHER_PASSWORD, PASSWORD, admin, apply, count, each_database, expect_oauth, pages, pointers,
    read, refresh, sign_in, sign_up, text, try_refresh, try_sign_in,
};

/// T1 to T9 hold at the control plane's own endpoints; here that they are asked.
#[tokio::test]
async fn only_a_good_access_token_opens_ones_own_doors() {
    let world = World::new().await;
    let globex = world.tenant("globex").await;
    let alice = sign_up(&world, "alice").await;
    let path = "/t/acme/v1/me";
    world
        .anon()
        .get(path)
        .await
        .expect_problem(401, "authentication_required");
    for token in [
        "x",
        "a.b.c",
        &alice.refresh_token,
        &format!("{}x", alice.access_token),
    ] {
        world
            .bearer(token)
            .get(path)
            .await
            .expect_problem(401, "token_invalid");
    }
    // Of another issuer, though its bearer exists.
    let elsewhere = world
        .bearer(&alice.access_token)
        .get("/t/globex/v1/me")
        .await;
    elsewhere.expect_problem(401, "token_invalid");
    // A machine is nobody's self.
    admin(&world)
        .get(path)
        .await
        .expect_problem(403, "permission_denied");
    let key = world.bearer(globex.api_key.expose());
    key.get(path).await.expect_problem(401, "api_key_invalid");
    // Nor does a person manage with a token for an application.
    alice
        .client(&world)
        .get("/v1/users")
        .await
        .expect_problem(401, "token_invalid");
    alice.client(&world).get(path).await.expect(200);
    world.clock.advance_seconds(600 + 30);
    alice
        .client(&world)
        .get(path)
        .await
        .expect_problem(401, "token_expired");
}

/// Z2: one's own sessions can be listed and ended; somebody else's look absent.
#[apply(each_database)]
async fn a_person_sees_and_ends_their_own_sessions_only(world: World) {
    let first = sign_up(&world, "alice").await;
    let second = sign_in(&world, &first).await;
    let bob = sign_up(&world, "bob").await;
    let alice = first.client(&world);
    let list = alice.get("/t/acme/v1/me/sessions").await.expect(200).json();
    let mut ids: Vec<String> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| text(&row["id"]))
        .collect();
    ids.sort();
    let mut own = vec![first.session.to_string(), second.session.to_string()];
    own.sort();
    assert_eq!(ids, own);

    let end = |id: String| format!("/t/acme/v1/me/sessions/{id}/revoke");
    for absent in [bob.session.to_string(), "sess_x".to_owned(), "x".to_owned()] {
        alice
            .post_empty(&end(absent))
            .await
            .expect_problem(404, "not_found");
    }
    alice
        .post_empty(&end(second.session.to_string()))
        .await
        .expect(204);
    alice
        .post_empty(&end(second.session.to_string()))
        .await
        .expect(204);
    second.client(&world).get("/t/acme/v1/me").await.expect(401);
    bob.client(&world).get("/t/acme/v1/me").await.expect(200);
    let list = alice.get("/t/acme/v1/me/sessions").await.expect(200).json();
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    assert_eq!(count(&world, "session.revoked").await, 1);
}

#[apply(each_database)]
async fn ones_own_sessions_come_page_by_page_in_the_order_in_which_they_end(world: World) {
    let first = sign_up(&world, "alice").await;
    let mut wanted = vec![first.session.to_string()];
    for _ in 0..2 {
        world.clock.advance_seconds(1);
        wanted.push(sign_in(&world, &first).await.session.to_string());
        sign_up(&world, &format!("other-{}", wanted.len())).await;
    }
    let path = "/t/acme/v1/me/sessions?limit=2";
    let seen = pages(&first.client(&world), path).await;
    assert_eq!(seen, [&wanted[0..2], &wanted[2..3]]);
}

/// S2: another organization is another session; the old id is dead, the end stays where it was.
#[apply(each_database)]
async fn switching_organizations_begins_a_new_session(world: World) {
    let alice = sign_up(&world, "alice").await;
    let body = json!({"slug": "initech", "name": "Initech", "owner_id": alice.id});
    let made = admin(&world)
        .post("/v1/organizations", body)
        .await
        .expect(201)
        .json();
    world.clock.advance_seconds(3_600 / 60);
    let path = "/t/acme/v1/me/organization";
    let switch = json!({
        "organization_id": made["id"], "refresh_token": alice.refresh_token,
    });
    let answer = alice.client(&world).post(path, switch).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    assert_eq!(body["organization_id"], made["id"]);
    assert_ne!(text(&body["session_id"]), alice.session.to_string());
    alice
        .client(&world)
        .get("/t/acme/v1/me")
        .await
        .expect_problem(401, "token_revoked");
    expect_oauth(
        &try_refresh(&world, &alice.refresh_token).await,
        400,
        "invalid_grant",
    );

    let session = |id: String| {
        let key = admin(&world);
        async move {
            key.get(&format!("/v1/sessions/{id}"))
                .await
                .expect(200)
                .json()
        }
    };
    let old = session(alice.session.to_string()).await;
    let new = session(text(&body["session_id"])).await;
    assert_eq!(old["expires_at"], new["expires_at"]);
    assert_eq!(old["authenticated_at"], new["authenticated_at"]);
    assert_eq!(old["revoked_reason"], "organization_switched");

    let again = world.bearer(&text(&body["access_token"]));
    let back = again
        .post(
            path,
            json!({"organization_id": null, "refresh_token": body["refresh_token"]}),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(back["organization_id"], json!(null));
    refresh(&world, &text(&back["refresh_token"])).await;
}

/// Z2: what one is not a member of looks like what does not exist, and the session goes on.
#[apply(each_database)]
async fn nobody_switches_to_an_organization_they_are_not_in(world: World) {
    let alice = sign_up(&world, "alice").await;
    let bob = sign_up(&world, "bob").await;
    let body = json!({"slug": "initech", "name": "Initech", "owner_id": bob.id});
    let made = admin(&world)
        .post("/v1/organizations", body)
        .await
        .expect(201)
        .json();
    let path = "/t/acme/v1/me/organization";
    let mut details = Vec::new();
    for id in [
        text(&made["id"]),
        "org_01h455vb4pex5vsknk084sn02q".to_owned(),
    ] {
        let body = json!({"organization_id": id, "refresh_token": alice.refresh_token});
        let answer = alice.client(&world).post(path, body).await;
        let answer = answer.expect_problem(422, "validation_failed");
        assert_eq!(pointers(&answer), ["/organization_id"]);
        details.push(answer.json()["detail"].clone());
    }
    assert_eq!(details[0], details[1]);
    let answer = alice
        .client(&world)
        .post(path, json!({"refresh_token": alice.refresh_token}))
        .await;
    assert_eq!(pointers(&answer.expect(422)), ["/organization_id"]);
    alice.client(&world).get("/t/acme/v1/me").await.expect(200);
    refresh(&world, &alice.refresh_token).await;
}

/// S9: an access token passes through every application behind the edge; with nothing else, or with
/// a refresh token of another session, nobody takes the session over.
#[apply(each_database)]
async fn an_access_token_alone_buys_no_refresh_token(world: World) {
    let alice = sign_up(&world, "alice").await;
    let elsewhere = sign_in(&world, &alice).await;
    let bob = sign_up(&world, "bob").await;
    let path = "/t/acme/v1/me/organization";
    for refresh_token in [
        json!(null),
        json!(""),
        json!("plinto_rt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        json!(alice.access_token),
        json!(elsewhere.refresh_token),
        json!(bob.refresh_token),
    ] {
        let body = json!({"organization_id": null, "refresh_token": refresh_token});
        let answer = alice.client(&world).post(path, body).await;
        let answer = answer.expect_problem(422, "validation_failed");
        assert_eq!(pointers(&answer), ["/refresh_token"]);
    }
    let body = json!({"organization_id": null});
    let answer = alice.client(&world).post(path, body).await.expect(422);
    assert_eq!(pointers(&answer), ["/refresh_token"]);
    assert_eq!(count(&world, "session.created").await, 3);
    assert_eq!(count(&world, "session.revoked").await, 0);
    for person in [&alice, &elsewhere, &bob] {
        refresh(&world, &person.refresh_token).await;
    }
}

/// S8: a switch spends the token like a refresh does. Who brings it again a moment later gets
/// nothing; who brings it late ends the session, wherever it goes on by then.
#[apply(each_database)]
async fn a_token_spent_on_a_switch_is_single_use_too(world: World) {
    let path = "/t/acme/v1/me/organization";
    let switch = async |access: &str, refresh_token: &str| {
        let body = json!({"organization_id": null, "refresh_token": refresh_token});
        world.bearer(access).post(path, body).await
    };
    let alice = sign_up(&world, "alice").await;
    let (access, current) = refresh(&world, &alice.refresh_token).await;
    // Within the grace, and whoever else holds it.
    let answer = switch(&access, &alice.refresh_token).await.expect(422);
    assert_eq!(pointers(&answer), ["/refresh_token"]);
    let first = switch(&access, &current).await.expect(200).json();
    let access = text(&first["access_token"]);
    expect_oauth(&try_refresh(&world, &current).await, 400, "invalid_grant");
    world.bearer(&access).get("/t/acme/v1/me").await.expect(200);
    let second = switch(&access, &text(&first["refresh_token"])).await;
    let second = second.expect(200).json();
    assert_eq!(count(&world, "refresh_token.reused").await, 0);

    world.clock.advance_millis(10_001);
    expect_oauth(&try_refresh(&world, &current).await, 400, "invalid_grant");
    assert_eq!(count(&world, "refresh_token.reused").await, 1);
    let last = text(&second["refresh_token"]);
    expect_oauth(&try_refresh(&world, &last).await, 400, "invalid_grant");
    world
        .bearer(&text(&second["access_token"]))
        .get("/t/acme/v1/me")
        .await
        .expect_problem(401, "token_revoked");

    let bob = sign_up(&world, "bob").await;
    let (access, current) = refresh(&world, &bob.refresh_token).await;
    world.clock.advance_millis(10_001);
    switch(&access, &bob.refresh_token).await.expect(422);
    assert_eq!(count(&world, "refresh_token.reused").await, 2);
    expect_oauth(&try_refresh(&world, &current).await, 400, "invalid_grant");
}

/// S5: a new password ends the other sessions, unless they are to stay.
#[apply(each_database)]
async fn a_new_password_ends_the_other_sessions(world: World) {
    let first = sign_up(&world, "alice").await;
    let second = sign_in(&world, &first).await;
    let path = "/t/acme/v1/me/password";
    let body = json!({"current_password": PASSWORD, "new_password": OTHER_PASSWORD});
    first.client(&world).post(path, body).await.expect(204);
    first.client(&world).get("/t/acme/v1/me").await.expect(200);
    refresh(&world, &first.refresh_token).await;
    second
        .client(&world)
        .get("/t/acme/v1/me")
        .await
        .expect_problem(401, "token_revoked");
    expect_oauth(
        &try_refresh(&world, &second.refresh_token).await,
        400,
        "invalid_grant",
    );
    try_sign_in(&world.anon(), &first.email, PASSWORD)
        .await
        .expect(401);
    try_sign_in(&world.anon(), &first.email, OTHER_PASSWORD)
        .await
        .expect(200);
    assert_eq!(count(&world, "password.changed").await, 1);

    let body = json!({
        "current_password": OTHER_PASSWORD, "new_password": PASSWORD,
        "keep_other_sessions": true,
    });
    let third = try_sign_in(&world.anon(), &first.email, OTHER_PASSWORD)
        .await
        .expect(200);
    first.client(&world).post(path, body).await.expect(204);
    let third = text(&third.json()["access_token"]);
    world.bearer(&third).get("/t/acme/v1/me").await.expect(200);
}

/// S10, A1, A2, A5: the current password is needed, counted, and the new one judged.
#[tokio::test]
async fn a_password_is_changed_only_by_who_knows_it() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    let path = "/t/acme/v1/me/password";
    let change = |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        let client = alice.client(&world);
        async move { client.post(path, body).await }
    };
    change("not her password", OTHER_PASSWORD)
        .await
        .expect_problem(401, "invalid_credentials");
    for (new, code) in [
        ("short", "password_too_short"),
        ("passwordpassword", "password_too_common"),
        ("alice@example.com", "password_too_common"),
    ] {
        let answer = change(PASSWORD, new).await.expect_problem(422, code);
        assert_eq!(pointers(&answer), ["/new_password"]);
    }
    for _ in 0..10 {
        change("not her password", OTHER_PASSWORD).await.expect(401);
    }
    change(PASSWORD, OTHER_PASSWORD)
        .await
        .expect_problem(429, "sign_in_throttled");
    try_sign_in(&world.anon(), &alice.email, PASSWORD)
        .await
        .expect(429);
    world.clock.advance_seconds(1);
    change(PASSWORD, OTHER_PASSWORD).await.expect(204);
    assert_eq!(count(&world, "password.changed").await, 1);
    let me = alice
        .client(&world)
        .get("/t/acme/v1/me")
        .await
        .expect(200)
        .json();
    assert_eq!(read::<plinto_contract::ids::UserId>(&me["id"]), alice.id);
}
