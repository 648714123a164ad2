//! `POST /t/{tenant}/oauth/introspect`: RFC 7662.

use plinto_jose::Algorithm;
use plinto_tests::world::{Client, World};
use serde_json::{Value, json};

use crate::setup::{
    PASSWORD, admin, apply, client_with, each_database, expect_oauth, refresh, sign_up, text,
};

async fn ask(client: &Client, token: &str) -> Value {
    let answer = client
        .form("/t/acme/oauth/introspect", &[("token", token)])
        .await
        .expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()
}

fn inactive() -> Value {
    json!({"active": false})
}

/// RFC 7662 §2.2: what is said of good tokens.
#[apply(each_database)]
async fn good_tokens_are_described(world: World) {
    let alice = sign_up(&world, "alice").await;
    let access = ask(&admin(&world), &alice.access_token).await;
    assert_eq!(access["active"], true);
    assert_eq!(access["token_type"], "Bearer");
    assert_eq!(access["sub"], alice.id.to_string());
    assert_eq!(access["sid"], alice.session.to_string());
    assert_eq!(access["iss"], world.acme.issuer);
    assert_eq!(access["client_id"], "plinto");
    assert_eq!(access["exp"], access["iat"].as_i64().unwrap() + 600);

    let hint = [
        ("token", alice.refresh_token.as_str()),
        ("token_type_hint", "access_token"),
    ];
    let refresh = admin(&world)
        .form("/t/acme/oauth/introspect", &hint)
        .await
        .expect(200);
    let refresh = refresh.json();
    assert_eq!(refresh["active"], true);
    assert_eq!(refresh["sub"], alice.id.to_string());
    assert_eq!(refresh["sid"], alice.session.to_string());
    assert_eq!(
        refresh["exp"],
        refresh["iat"].as_i64().unwrap() + 7 * 24 * 60 * 60
    );
}

/// RFC 7662 §2.2: of anything else nothing is said but that it is not active.
#[apply(each_database)]
async fn everything_else_is_inactive_and_nothing_more(world: World) {
    let alice = sign_up(&world, "alice").await;
    let key = admin(&world);
    let cut = &alice.access_token[..alice.access_token.len() - 4];
    let altered = format!("{cut}AAAA");
    for token in ["x", "a.b.c", "plinto_rt_x", cut, altered.as_str()] {
        assert_eq!(ask(&key, token).await, inactive(), "{token}");
    }
    // Spent.
    let (access, next) = refresh(&world, &alice.refresh_token).await;
    assert_eq!(ask(&key, &alice.refresh_token).await, inactive());
    // Expired, thirty seconds of leeway included.
    world.clock.advance_seconds(600 + 30);
    assert_eq!(ask(&key, &access).await, inactive());
    assert_eq!(ask(&key, &next).await["active"], true);
    // Revoked.
    let (access, next) = refresh(&world, &next).await;
    assert_eq!(ask(&key, &access).await["active"], true);
    key.post_empty(&format!("/v1/sessions/{}/revoke", alice.session))
        .await
        .expect(200);
    assert_eq!(ask(&key, &access).await, inactive());
    assert_eq!(ask(&key, &next).await, inactive());
}

/// Z2: another tenant's token is inactive here, also when its keys are of the same kind.
#[tokio::test]
async fn another_tenants_tokens_are_inactive() {
    let world = World::new().await;
    let globex = world.tenant("globex").await;
    let alice = sign_up(&world, "alice").await;
    let key = world.bearer(globex.api_key.expose());
    for token in [&alice.access_token, &alice.refresh_token] {
        let answer = key
            .form("/t/globex/oauth/introspect", &[("token", token)])
            .await
            .expect(200);
        assert_eq!(answer.json(), inactive());
    }
    // Nor does another tenant's key open this tenant's endpoint.
    let answer = key
        .form(
            "/t/acme/oauth/introspect",
            &[("token", &alice.access_token)],
        )
        .await;
    expect_oauth(&answer, 401, "invalid_client");
}

/// RFC 7662 §2.1: the endpoint itself is protected.
#[tokio::test]
async fn introspection_needs_a_key_that_may() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    let fields = [("token", alice.access_token.as_str())];
    let path = "/t/acme/oauth/introspect";
    let answer = world.anon().form(path, &fields).await;
    expect_oauth(&answer, 401, "invalid_client");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    let answer = alice.client(&world).form(path, &fields).await;
    expect_oauth(&answer, 403, "insufficient_scope");
    let other = client_with(&world, &["users:read"]).await;
    expect_oauth(&other.form(path, &fields).await, 403, "insufficient_scope");
    let may = client_with(&world, &["tokens:introspect"]).await;
    assert_eq!(ask(&may, &alice.access_token).await["active"], true);
    expect_oauth(&may.form(path, &[]).await, 400, "invalid_request");
}

/// Every kind of key signs tokens that the control plane itself takes.
#[tokio::test]
async fn every_signing_algorithm_works() {
    let world = World::new().await;
    for (slug, algorithm) in [("r", Algorithm::Rs256), ("ed", Algorithm::EdDsa)] {
        let tenant = world.tenant_signing(slug, algorithm).await;
        let body = json!({"email": "a@example.com", "password": PASSWORD});
        let made = world
            .anon()
            .post(&format!("/t/{slug}/v1/sign_up"), body)
            .await
            .expect(201);
        let token = text(&made.json()["access_token"]);
        let key = world.bearer(tenant.api_key.expose());
        let path = format!("/t/{slug}/oauth/introspect");
        let answer = key
            .form(&path, &[("token", token.as_str())])
            .await
            .expect(200);
        assert_eq!(answer.json()["active"], true);
    }
}
