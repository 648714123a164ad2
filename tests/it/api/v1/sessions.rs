//! `/v1/sessions`. How all of a user's or a tenant's end is in `users.rs` and `tenant.rs`.

use plinto_tests::world::World;
use serde_json::json;

use crate::setup::{PASSWORD, Person, admin, apply, count, each_database, sign_up, text};

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
