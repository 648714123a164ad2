//! `/v1/users`.

use plinto_tests::world::World;
use serde_json::json;

use crate::setup::{
    admin, apply, client_with, count, each_database, expect_oauth, pointers, sign_in, sign_up,
    text, try_refresh,
};

#[apply(each_database)]
async fn users_are_listed_in_pages_and_found_by_address(world: World) {
    let mut people = Vec::new();
    for name in ["ann", "ben", "cleo", "dan", "eve"] {
        people.push(sign_up(&world, name).await);
        world.clock.advance_millis(1);
    }
    let key = admin(&world);
    let mut seen = Vec::new();
    let mut path = "/v1/users?limit=2".to_owned();
    loop {
        let page = key.get(&path).await.expect(200).json();
        assert_eq!(page["object"], "list");
        seen.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|user| text(&user["email"])),
        );
        if page["has_more"] == false {
            break;
        }
        path = format!("/v1/users?limit=2&cursor={}", text(&page["next_cursor"]));
    }
    let emails: Vec<_> = people.iter().map(|person| person.email.clone()).collect();
    assert_eq!(seen, emails);

    let found = key
        .get("/v1/users?email=CLEO@example.com")
        .await
        .expect(200)
        .json();
    assert_eq!(found["data"][0]["id"], people[2].id.to_string());
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    key.post_empty(&format!("/v1/users/{}/disable", people[1].id))
        .await
        .expect(200);
    let disabled = key
        .get("/v1/users?status=disabled")
        .await
        .expect(200)
        .json();
    assert_eq!(disabled["data"].as_array().unwrap().len(), 1);
    assert_eq!(disabled["data"][0]["id"], people[1].id.to_string());
    for (query, pointer) in [
        ("status=gone", "?status"),
        ("email=x", "?email"),
        ("name=x", "?name"),
        ("limit=0", "?limit"),
    ] {
        let answer = key.get(&format!("/v1/users?{query}")).await;
        assert_eq!(pointers(&answer.expect(422)), [pointer]);
    }
    key.get("/v1/users?cursor=x")
        .await
        .expect_problem(400, "invalid_cursor");
}

/// S4: disabling ends every session and refresh token at once, and says so once.
#[apply(each_database)]
async fn disabling_a_user_ends_everything_of_theirs(world: World) {
    let first = sign_up(&world, "alice").await;
    let second = sign_in(&world, &first).await;
    let bob = sign_up(&world, "bob").await;
    let key = admin(&world);
    let path = format!("/v1/users/{}/disable", first.id);
    let user = key.post_empty(&path).await.expect(200).json();
    assert_eq!(user["status"], "disabled");
    assert!(user["disabled_at"].is_string());
    key.post_empty(&path).await.expect(200);
    assert_eq!(count(&world, "user.disabled").await, 1);
    for gone in [&first, &second] {
        let answer = gone.client(&world).get("/t/acme/v1/me").await;
        answer.expect_problem(401, "token_revoked");
        expect_oauth(
            &try_refresh(&world, &gone.refresh_token).await,
            400,
            "invalid_grant",
        );
    }
    bob.client(&world).get("/t/acme/v1/me").await.expect(200);
    let path = format!("/v1/users/{}/enable", first.id);
    assert_eq!(
        key.post_empty(&path).await.expect(200).json()["status"],
        "active"
    );
    key.post_empty(&path).await.expect(200);
    assert_eq!(count(&world, "user.enabled").await, 1);
    sign_in(&world, &first)
        .await
        .client(&world)
        .get("/t/acme/v1/me")
        .await
        .expect(200);
}

#[apply(each_database)]
async fn all_sessions_of_a_user_end_at_once(world: World) {
    let alice = sign_up(&world, "alice").await;
    let path = format!("/v1/users/{}/revoke_sessions", alice.id);
    admin(&world).post_empty(&path).await.expect(204);
    alice
        .client(&world)
        .get("/t/acme/v1/me")
        .await
        .expect_problem(401, "token_revoked");
    let events = world.events(world.acme.tenant).await;
    let of_users = events
        .iter()
        .filter(|event| event.kind.as_str() == "user.sessions_revoked");
    let subjects: Vec<_> = of_users.map(|event| event.target.clone()).collect();
    assert_eq!(subjects, [alice.id.to_string()]);
    assert_eq!(count(&world, "session.revoked").await, 0);
    let query = format!("/v1/sessions?user_id={}", alice.id);
    let left = admin(&world).get(&query).await.expect(200).json();
    assert_eq!(left["data"], json!([]));
    sign_in(&world, &alice)
        .await
        .client(&world)
        .get("/t/acme/v1/me")
        .await
        .expect(200);
}

/// Z2: another tenant's ids look exactly like ids of nothing.
#[apply(each_database)]
async fn another_tenants_ids_look_absent(world: World) {
    let alice = sign_up(&world, "alice").await;
    let globex = world.tenant("globex").await;
    let stranger = world.bearer(globex.api_key.expose());
    let nobody = "user_01h455vb4pex5vsknk084sn02q";
    for path in [
        format!("/v1/users/{}", alice.id),
        format!("/v1/users/{nobody}"),
    ] {
        stranger.get(&path).await.expect_problem(404, "not_found");
    }
    for path in [
        format!("/v1/users/{}/disable", alice.id),
        format!("/v1/users/{}/enable", alice.id),
        format!("/v1/users/{}/unlock", alice.id),
        format!("/v1/users/{}/revoke_sessions", alice.id),
        format!("/v1/users/{nobody}/disable"),
    ] {
        stranger
            .post_empty(&path)
            .await
            .expect_problem(404, "not_found");
    }
    let theirs = stranger.get("/v1/users").await.expect(200).json();
    assert_eq!(theirs["data"], json!([]));
    alice.client(&world).get("/t/acme/v1/me").await.expect(200);
}

#[tokio::test]
async fn a_key_does_only_what_it_may() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    let reader = client_with(&world, &["users:read"]).await;
    reader.get("/v1/users").await.expect(200);
    reader
        .get(&format!("/v1/users/{}", alice.id))
        .await
        .expect(200);
    for verb in ["disable", "enable", "unlock", "revoke_sessions"] {
        let path = format!("/v1/users/{}/{verb}", alice.id);
        reader
            .post_empty(&path)
            .await
            .expect_problem(403, "permission_denied");
    }
    world
        .anon()
        .get("/v1/users")
        .await
        .expect_problem(401, "authentication_required");
    alice.client(&world).get("/t/acme/v1/me").await.expect(200);
}
