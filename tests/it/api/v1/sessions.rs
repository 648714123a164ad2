//! `/v1/sessions`. How all of a user's or a tenant's end is in `users.rs` and `tenant.rs`.

use plinto_tests::world::World;
use serde_json::json;

use crate::setup::{
    PASSWORD, Person, admin, apply, client_with, count, each_database, expect_good, expect_oauth,
    pages, pointers, refresh, sign_in, sign_in_to, sign_up, sign_up_with, text, try_refresh,
};

#[apply(each_database)]
async fn sessions_come_page_by_page_in_the_order_in_which_they_end(world: World) {
    let mut all = Vec::new();
    for name in ["alice", "bob", "cleo"] {
        all.push(sign_up(&world, name).await);
        world.clock.advance_seconds(1);
    }
    for _ in 0..2 {
        all.push(sign_in(&world, &all[0]).await);
        world.clock.advance_seconds(1);
    }
    // Those that are used do not end later for that.
    refresh(&world, &all[0].refresh_token).await;
    let ids: Vec<_> = all.iter().map(|one| one.session.to_string()).collect();
    let key = admin(&world);
    assert_eq!(
        pages(&key, "/v1/sessions?limit=2").await,
        [&ids[0..2], &ids[2..4], &ids[4..5]]
    );
    let of_alice = format!("/v1/sessions?user_id={}&limit=2", all[0].id);
    assert_eq!(
        pages(&key, &of_alice).await,
        [vec![ids[0].clone(), ids[3].clone()], vec![ids[4].clone()]]
    );
    let nobodys = "/v1/sessions?user_id=user_01h455vb4pex5vsknk084sn02q&limit=2";
    assert_eq!(pages(&key, nobodys).await, [Vec::<String>::new()]);
}

#[apply(each_database)]
async fn a_session_that_has_ended_is_in_no_list_and_says_why_when_it_is_asked_for(world: World) {
    let alice = sign_up(&world, "alice").await;
    let phone = sign_in(&world, &alice).await;
    let desk = sign_in(&world, &alice).await;
    let (key, own) = (admin(&world), alice.client(&world));
    world.clock.advance_seconds(5);
    let revoke = format!("/v1/sessions/{}/revoke", phone.session);
    key.post_empty(&revoke).await.expect(200);
    let end = format!("/t/acme/v1/me/sessions/{}/revoke", desk.session);
    own.post_empty(&end).await.expect(204);
    for path in [
        "/v1/sessions?limit=9".to_owned(),
        format!("/v1/sessions?user_id={}&limit=9", alice.id),
    ] {
        assert_eq!(pages(&key, &path).await, [[alice.session.to_string()]]);
    }
    own.post_empty("/t/acme/v1/sign_out").await.expect(204);
    assert_eq!(
        pages(&key, "/v1/sessions?limit=9").await,
        [Vec::<String>::new()]
    );
    for (session, reason) in [
        (phone.session, "by_api_key"),
        (desk.session, "by_user"),
        (alice.session, "signed_out"),
    ] {
        let path = format!("/v1/sessions/{session}");
        let session = key.get(&path).await.expect(200).json();
        assert_eq!(session["revoked_reason"], reason);
        assert_eq!(session["revoked_at"], "2026-11-11T09:01:05.000Z");
    }
}

#[apply(each_database)]
async fn a_session_whose_time_is_over_is_in_no_list(world: World) {
    let alice = sign_up(&world, "alice").await;
    let path = format!("/v1/sessions/{}", alice.session);
    let session = admin(&world).get(&path).await.expect(200).json();
    assert_eq!(session["expires_at"], "2026-12-11T09:01:00.000Z");
    world.clock.advance_seconds(30 * 24 * 60 * 60 - 1);
    let bob = sign_up(&world, "bob").await;
    let (first, second) = (alice.session.to_string(), bob.session.to_string());
    let all = "/v1/sessions?limit=9";
    let of_alice = format!("/v1/sessions?user_id={}&limit=9", alice.id);
    let key = admin(&world);
    assert_eq!(pages(&key, all).await, [[first.clone(), second.clone()]]);
    assert_eq!(pages(&key, &of_alice).await, [[first]]);
    world.clock.advance_seconds(1);
    assert_eq!(pages(&key, all).await, [[second]]);
    assert_eq!(pages(&key, &of_alice).await, [Vec::<String>::new()]);
}

#[apply(each_database)]
async fn a_session_shows_how_it_began_and_when_it_was_last_used(world: World) {
    let alice = sign_up(&world, "alice").await;
    let body = json!({"slug": "initech", "name": "Initech", "owner_id": alice.id});
    let made = admin(&world).post("/v1/organizations", body).await;
    let organization = made.expect(201).json()["id"].clone();
    world.clock.advance_seconds(5);
    let inside = sign_in_to(&world, &alice, &organization).await;
    world.clock.advance_seconds(60);
    refresh(&world, &inside.refresh_token).await;
    let path = format!("/v1/sessions/{}", inside.session);
    let session = admin(&world).get(&path).await.expect(200).json();
    let wanted = json!({
        "object": "session",
        "id": inside.session,
        "user_id": alice.id,
        "organization_id": organization,
        "client_id": "plinto",
            "is_for_management": false,
        "amr": ["pwd"],
        "authenticated_at": "2026-11-11T09:01:05.000Z",
        "created_at": "2026-11-11T09:01:05.000Z",
        "last_used_at": "2026-11-11T09:02:05.000Z",
        "expires_at": "2026-12-11T09:01:05.000Z",
        "ip": null,
        "user_agent": null,
        "revoked_at": null,
        "revoked_reason": null,
    });
    assert_eq!(session, wanted);
}

/// S3: the one that was named, for its access and its refresh token, and no other.
#[apply(each_database)]
async fn a_session_that_a_key_ends_opens_nothing_any_more(world: World) {
    let alice = sign_up(&world, "alice").await;
    let phone = sign_in(&world, &alice).await;
    let path = format!("/v1/sessions/{}/revoke", phone.session);
    admin(&world).post_empty(&path).await.expect(200);
    let refused = phone.client(&world).get("/t/acme/v1/me").await;
    refused.expect_problem(401, "token_revoked");
    let refused = try_refresh(&world, &phone.refresh_token).await;
    expect_oauth(&refused, 400, "invalid_grant");
    expect_good(&world, &alice).await;
    let events = world.events(world.acme.tenant).await;
    let ended: Vec<_> = events
        .iter()
        .filter(|event| event.kind.as_str() == "session.revoked")
        .map(|event| event.target.clone())
        .collect();
    assert_eq!(ended, [phone.session.to_string()]);
}

/// Z2: another tenant's session looks exactly like none.
#[apply(each_database)]
async fn another_tenants_session_looks_like_none(world: World) {
    let alice = sign_up(&world, "alice").await;
    let globex = world.tenant("globex").await;
    let stranger = world.bearer(globex.api_key.expose());
    let own = sign_up_with(&world, "globex", "grace").await;
    let mut answers = Vec::new();
    for id in [
        alice.session.to_string(),
        "sess_01h455vb4pex5vsknk084sn02q".to_owned(),
    ] {
        let path = format!("/v1/sessions/{id}");
        for answer in [
            stranger.get(&path).await,
            stranger.post_empty(&format!("{path}/revoke")).await,
        ] {
            let mut problem = answer.expect_problem(404, "not_found").json();
            for own in ["request_id", "instance"] {
                problem[own].take();
            }
            answers.push(problem);
        }
    }
    for answer in &answers {
        assert_eq!(*answer, answers[0]);
    }
    for path in ["/v1/sessions/x", &format!("/v1/sessions/{}", alice.id)] {
        stranger.get(path).await.expect_problem(404, "not_found");
    }
    assert_eq!(
        pages(&stranger, "/v1/sessions?limit=9").await,
        [[own.session.to_string()]]
    );
    let of_alice = format!("/v1/sessions?user_id={}&limit=9", alice.id);
    assert_eq!(pages(&stranger, &of_alice).await, [Vec::<String>::new()]);
    expect_good(&world, &alice).await;
}

#[apply(each_database)]
async fn reading_sessions_does_not_allow_ending_them_nor_the_other_way_round(world: World) {
    let alice = sign_up(&world, "alice").await;
    let path = format!("/v1/sessions/{}", alice.session);
    let revoke = format!("{path}/revoke");
    let reader = client_with(&world, &["sessions:read"]).await;
    reader.get("/v1/sessions").await.expect(200);
    reader.get(&path).await.expect(200);
    let refused = reader.post_empty(&revoke).await;
    refused.expect_problem(403, "permission_denied");
    let revoker = client_with(&world, &["sessions:revoke"]).await;
    for path in ["/v1/sessions", &path] {
        let refused = revoker.get(path).await;
        refused.expect_problem(403, "permission_denied");
        let refused = world.anon().get(path).await;
        refused.expect_problem(401, "authentication_required");
        // For machines: a person has their own under their issuer.
        let refused = alice.client(&world).get(path).await;
        assert_eq!(refused.status, 401, "{}", refused.text());
    }
    expect_good(&world, &alice).await;
    revoker.post_empty(&revoke).await.expect(200);
}

#[apply(each_database)]
async fn a_question_that_cannot_be_answered_is_pointed_at(world: World) {
    let key = admin(&world);
    for (query, pointer) in [
        ("user_id=x", "?user_id"),
        ("user_id=sess_01h455vb4pex5vsknk084sn02q", "?user_id"),
        ("limit=0", "?limit"),
        ("limit=101", "?limit"),
        ("status=active", "?status"),
    ] {
        let answer = key.get(&format!("/v1/sessions?{query}")).await;
        let answer = answer.expect_problem(422, "validation_failed");
        assert_eq!(pointers(&answer), [pointer], "{query}");
    }
    let alice = sign_up(&world, "alice").await;
    sign_in(&world, &alice).await;
    let first = key.get("/v1/sessions?limit=1").await.expect(200).json();
    let cursor = text(&first["next_cursor"]);
    for path in [
        "/v1/sessions?cursor=x".to_owned(),
        // It goes on in the list that it came from, and in no other.
        format!("/v1/sessions?user_id={}&cursor={cursor}", alice.id),
    ] {
        let refused = key.get(&path).await;
        refused.expect_problem(400, "invalid_cursor");
    }
}

#[apply(each_database)]
async fn a_session_is_seen_and_revoked_by_a_key(world: World) {
    let client = world
        .anon()
        .with("user-agent", "Phone/1")
        .from("203.0.113.9");
    let body = json!({"email": "a@example.com", "password": PASSWORD});
    let alice = Person::of(&client.post("/t/acme/v1/sign_up", body).await.expect(201));
    let path = format!("/v1/sessions/{}", alice.session);
    let session = admin(&world).get(&path).await.expect(200).json();
    assert_eq!(session["user_id"], alice.id.to_string());
    assert_eq!(session["ip"], "203.0.113.9");
    assert_eq!(session["user_agent"], "Phone/1");
    assert_eq!(session["revoked_at"], json!(null));
    for _ in 0..2 {
        let session = admin(&world)
            .post_empty(&format!("{path}/revoke"))
            .await
            .expect(200);
        assert_eq!(session.json()["revoked_reason"], "by_api_key");
    }
    assert_eq!(count(&world, "session.revoked").await, 1);
    alice
        .client(&world)
        .get("/t/acme/v1/me")
        .await
        .expect_problem(401, "token_revoked");
}

/// S4: a session that ended with all of its user's is said to have ended, wherever it is looked for.
#[apply(each_database)]
async fn sessions_that_ended_with_their_user_are_not_said_to_live(world: World) {
    let disabled = sign_up(&world, "alice").await;
    let bob = sign_up(&world, "bob").await;
    let ended = sign_up(&world, "cleo").await;
    let key = admin(&world);
    world.clock.advance_seconds(5);
    for verb in [
        format!("{}/disable", disabled.id),
        format!("{}/revoke_sessions", ended.id),
    ] {
        let answer = key.post_empty(&format!("/v1/users/{verb}")).await;
        assert!(answer.status.is_success());
    }
    let mut seen = Vec::new();
    let mut path = "/v1/sessions?limit=1".to_owned();
    loop {
        let page = key.get(&path).await.expect(200).json();
        let data = page["data"].as_array().unwrap();
        seen.extend(data.iter().map(|session| text(&session["id"])));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/v1/sessions?limit=1&cursor={cursor}");
    }
    assert_eq!(seen, [bob.session.to_string()]);
    for gone in [&disabled, &ended] {
        let path = format!("/v1/sessions/{}", gone.session);
        let session = key.get(&path).await.expect(200).json();
        assert_eq!(session["revoked_at"], "2026-11-11T09:01:05.000Z");
        assert_eq!(session["revoked_reason"], "all_ended");
        let again = key.post_empty(&format!("{path}/revoke")).await;
        assert_eq!(again.expect(200).json(), session);
    }
    assert_eq!(count(&world, "session.revoked").await, 0);
}
