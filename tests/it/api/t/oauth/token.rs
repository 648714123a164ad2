//! `POST /t/{tenant}/oauth/token`: refresh tokens, S8 and S9.

use std::collections::BTreeSet;

use plinto_tests::world::World;
use serde_json::json;

use crate::setup::{
    admin, apply, count, each_database, each_database_with_threads, expect_oauth, refresh,
    sign_in_to, sign_up, text, try_refresh,
};

const PATH: &str = "/t/acme/oauth/token";

/// RFC 6749 §5.1, §6.
#[apply(each_database)]
async fn a_refresh_token_buys_a_new_pair(world: World) {
    let alice = sign_up(&world, "alice").await;
    world.clock.advance_seconds(60);
    let answer = try_refresh(&world, &alice.refresh_token).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("pragma"), "no-cache");
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 600);
    assert_eq!(body["session_id"], alice.session.to_string());
    assert_ne!(text(&body["refresh_token"]), alice.refresh_token);
    assert_ne!(text(&body["access_token"]), alice.access_token);
    world
        .bearer(&text(&body["access_token"]))
        .get("/t/acme/v1/me")
        .await
        .expect(200);
    assert_eq!(count(&world, "session.refreshed").await, 1);
}

/// S8: ten seconds, the same client, the same successor, and no second event.
#[apply(each_database)]
async fn within_the_grace_the_same_client_gets_the_same_successor(world: World) {
    let alice = sign_up(&world, "alice").await;
    let (_, successor) = refresh(&world, &alice.refresh_token).await;
    for seconds in [0, 5, 5] {
        world.clock.advance_seconds(seconds);
        assert_eq!(refresh(&world, &alice.refresh_token).await.1, successor);
    }
    assert_eq!(count(&world, "session.refreshed").await, 1);
    refresh(&world, &successor).await;
}

/// S8, RFC 9700 §4.14.2: a spent token that comes late ends the family and the session.
#[apply(each_database)]
async fn reused_refresh_token_revokes_the_family(world: World) {
    let alice = sign_up(&world, "alice").await;
    let (access, successor) = refresh(&world, &alice.refresh_token).await;
    world.clock.advance_millis(10_001);
    expect_oauth(
        &try_refresh(&world, &alice.refresh_token).await,
        400,
        "invalid_grant",
    );
    expect_oauth(&try_refresh(&world, &successor).await, 400, "invalid_grant");
    for token in [&access, &alice.access_token] {
        let answer = world.bearer(token).get("/t/acme/v1/me").await;
        answer.expect_problem(401, "token_revoked");
    }
    assert_eq!(count(&world, "refresh_token.reused").await, 1);
    assert_eq!(count(&world, "session.revoked").await, 1);
    let session = format!("/v1/sessions/{}", alice.session);
    let session = admin(&world).get(&session).await.expect(200).json();
    assert_eq!(session["revoked_reason"], "refresh_token_reused");
}

/// S8: who left the organization gets nothing, and a copy that turns up still ends the session.
#[apply(each_database)]
async fn a_reuse_counts_also_after_its_user_left_the_organization(world: World) {
    let owner = sign_up(&world, "owner").await;
    let alice = sign_up(&world, "alice").await;
    let body = json!({"slug": "initech", "name": "Initech", "owner_id": owner.id});
    let made = admin(&world)
        .post("/v1/organizations", body)
        .await
        .expect(201)
        .json();
    let members = format!("/v1/organizations/{}/members", text(&made["id"]));
    let body = json!({"user_id": alice.id, "roles": ["member"]});
    admin(&world).post(&members, body).await.expect(201);
    let alice = sign_in_to(&world, &alice, &made["id"]).await;
    refresh(&world, &alice.refresh_token).await;
    let member = format!("{members}/{}", alice.id);
    admin(&world).delete(&member).await.expect(204);
    world.clock.advance_seconds(11);
    expect_oauth(
        &try_refresh(&world, &alice.refresh_token).await,
        400,
        "invalid_grant",
    );
    assert_eq!(count(&world, "refresh_token.reused").await, 1);
    let session = format!("/v1/sessions/{}", alice.session);
    let session = admin(&world).get(&session).await.expect(200).json();
    assert_eq!(session["revoked_reason"], "refresh_token_reused");
}

/// S8: once the successor was used, the grace is over, whatever the clock says.
#[apply(each_database)]
async fn a_spent_token_is_a_reuse_once_its_successor_was_spent(world: World) {
    let alice = sign_up(&world, "alice").await;
    let (_, second) = refresh(&world, &alice.refresh_token).await;
    let (_, third) = refresh(&world, &second).await;
    expect_oauth(
        &try_refresh(&world, &alice.refresh_token).await,
        400,
        "invalid_grant",
    );
    expect_oauth(&try_refresh(&world, &third).await, 400, "invalid_grant");
    assert_eq!(count(&world, "refresh_token.reused").await, 1);
}

/// S8: of fifty at once one spends the token and the others get the same successor: exactly one
/// live token is left.
#[apply(each_database_with_threads)]
async fn fifty_refreshes_at_once_leave_one_live_token(world: World) {
    let alice = sign_up(&world, "alice").await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let client = world.anon();
        let token = alice.refresh_token.clone();
        tasks.spawn(async move {
            let fields = [
                ("grant_type", "refresh_token"),
                ("refresh_token", token.as_str()),
            ];
            client.form(PATH, &fields).await.expect(200).json()
        });
    }
    let bodies = tasks.join_all().await;
    let tokens: BTreeSet<String> = bodies
        .iter()
        .map(|body| text(&body["refresh_token"]))
        .collect();
    assert_eq!(tokens.len(), 1, "several successors");
    assert_eq!(count(&world, "session.refreshed").await, 1);
    assert_eq!(live_tokens(&world).await, 1);
    refresh(&world, tokens.first().unwrap()).await;
    assert_eq!(live_tokens(&world).await, 1);
}

/// S8: fifty at once with a token that was spent long ago end the session once.
#[apply(each_database_with_threads)]
async fn fifty_reuses_at_once_end_the_session_once(world: World) {
    let alice = sign_up(&world, "alice").await;
    refresh(&world, &alice.refresh_token).await;
    world.clock.advance_seconds(11);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let client = world.anon();
        let token = alice.refresh_token.clone();
        tasks.spawn(async move {
            let fields = [
                ("grant_type", "refresh_token"),
                ("refresh_token", token.as_str()),
            ];
            client.form(PATH, &fields).await.status.as_u16()
        });
    }
    assert!(tasks.join_all().await.iter().all(|status| *status == 400));
    assert_eq!(count(&world, "session.revoked").await, 1);
    assert_eq!(count(&world, "refresh_token.reused").await, 1);
}

async fn live_tokens(world: &World) -> i64 {
    let sql = "select count(*) from refresh_tokens where used_at is null";
    let mut tx = world.app.db.read().await.unwrap();
    tx.one::<(i64,)>(sql, plinto_platform::args![])
        .await
        .unwrap()
        .0
}

/// S9: another client's use, even of a spent token, is refused and harms nobody.
#[apply(each_database)]
async fn another_clients_use_is_refused_and_harms_nobody(world: World) {
    let alice = sign_up(&world, "alice").await;
    let (_, successor) = refresh(&world, &alice.refresh_token).await;
    world.clock.advance_seconds(60);
    for token in [&alice.refresh_token, &successor] {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token.as_str()),
            ("client_id", "somebody-else"),
        ];
        let answer = world.anon().form(PATH, &fields).await;
        expect_oauth(&answer, 400, "invalid_grant");
    }
    assert_eq!(count(&world, "refresh_token.reused").await, 0);
    refresh(&world, &successor).await;
}

/// S6, S9: a token that is not used runs out, and no use moves the absolute end.
#[apply(each_database)]
async fn idle_and_absolute_ends_hold(world: World) {
    let day_s = 24 * 60 * 60;
    let idle = sign_up(&world, "idle").await;
    let busy = sign_up(&world, "busy").await;
    let mut token = busy.refresh_token.clone();
    for _ in 0..4 {
        world.clock.advance_seconds(7 * day_s - 1);
        token = refresh(&world, &token).await.1;
    }
    expect_oauth(
        &try_refresh(&world, &idle.refresh_token).await,
        400,
        "invalid_grant",
    );
    world.clock.advance_seconds(2 * day_s - 60);
    let body = try_refresh(&world, &token).await.expect(200).json();
    assert_eq!(
        body["expires_in"], 64,
        "the access token outlives its session"
    );
    world.clock.advance_seconds(64);
    let last = text(&body["refresh_token"]);
    expect_oauth(&try_refresh(&world, &last).await, 400, "invalid_grant");
    assert_eq!(count(&world, "refresh_token.reused").await, 0);
}

/// S4: nothing of a disabled user's works, also after they are enabled again.
#[apply(each_database)]
async fn a_disabled_users_tokens_stay_dead(world: World) {
    let alice = sign_up(&world, "alice").await;
    let user = format!("/v1/users/{}", alice.id);
    for verb in ["disable", "enable"] {
        admin(&world)
            .post_empty(&format!("{user}/{verb}"))
            .await
            .expect(200);
        expect_oauth(
            &try_refresh(&world, &alice.refresh_token).await,
            400,
            "invalid_grant",
        );
        let answer = alice.client(&world).get("/t/acme/v1/me").await;
        answer.expect_problem(401, "token_revoked");
    }
}

/// Z5: who has left the organization can't go on in it; changed roles go into the next token.
#[apply(each_database)]
async fn the_next_token_has_todays_roles(world: World) {
    let owner = sign_up(&world, "owner").await;
    let alice = sign_up(&world, "alice").await;
    let body = json!({"slug": "initech", "name": "Initech", "owner_id": owner.id});
    let made = admin(&world)
        .post("/v1/organizations", body)
        .await
        .expect(201)
        .json();
    let members = format!("/v1/organizations/{}/members", text(&made["id"]));
    let body = json!({"user_id": alice.id, "roles": ["member"]});
    admin(&world).post(&members, body).await.expect(201);
    let alice = sign_in_to(&world, &alice, &made["id"]).await;

    let member = format!("{members}/{}", alice.id);
    admin(&world)
        .patch(&member, json!({"roles": ["owner"]}))
        .await
        .expect(200);
    let (access, next) = refresh(&world, &alice.refresh_token).await;
    let fields = [("token", access.as_str())];
    let known = admin(&world)
        .form("/t/acme/oauth/introspect", &fields)
        .await
        .json();
    assert_eq!(known["roles"], json!(["owner"]));

    admin(&world).delete(&member).await.expect(204);
    expect_oauth(&try_refresh(&world, &next).await, 400, "invalid_grant");
}

/// A form's fields, the status it gets, and the error.
type FormCase<'a> = (&'a [(&'a str, &'a str)], u16, &'a str);

/// RFC 6749 §5.2.
#[tokio::test]
async fn bad_requests_get_oauths_own_errors() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    let token = alice.refresh_token.as_str();
    let forged = "plinto_rt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let cases: [FormCase<'_>; 9] = [
        (&[], 400, "invalid_request"),
        (&[("grant_type", "refresh_token")], 400, "invalid_request"),
        (
            &[("grant_type", ""), ("refresh_token", token)],
            400,
            "invalid_request",
        ),
        (
            &[("grant_type", "password"), ("username", "a")],
            400,
            "unsupported_grant_type",
        ),
        (
            &[("grant_type", "refresh_token"), ("refresh_token", forged)],
            400,
            "invalid_grant",
        ),
        (
            &[("grant_type", "refresh_token"), ("refresh_token", "x")],
            400,
            "invalid_grant",
        ),
        (
            &[
                ("grant_type", "refresh_token"),
                ("refresh_token", alice.access_token.as_str()),
            ],
            400,
            "invalid_grant",
        ),
        (
            &[
                ("grant_type", "refresh_token"),
                ("refresh_token", token),
                ("refresh_token", token),
            ],
            400,
            "invalid_request",
        ),
        (
            &[
                ("grant_type", "refresh_token"),
                ("refresh_token", token),
                ("client_id", "a b"),
            ],
            401,
            "invalid_client",
        ),
    ];
    for (fields, status, error) in cases {
        expect_oauth(&world.anon().form(PATH, fields).await, status, error);
    }
    let body = json!({"grant_type": "refresh_token", "refresh_token": token});
    expect_oauth(&world.anon().post(PATH, body).await, 400, "invalid_request");
    // None of it spent the token.
    refresh(&world, token).await;
}

/// Z2: another tenant's refresh token is an unknown one.
#[tokio::test]
async fn another_tenants_refresh_token_is_unknown() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    world.tenant("globex").await;
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", alice.refresh_token.as_str()),
    ];
    let answer = world.anon().form("/t/globex/oauth/token", &fields).await;
    expect_oauth(&answer, 400, "invalid_grant");
    refresh(&world, &alice.refresh_token).await;
}
