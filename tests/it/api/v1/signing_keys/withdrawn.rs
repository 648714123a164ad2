//! `POST /v1/signing_keys/{id}/withdraw`: a key that somebody else may have.

use plinto_contract::revocation::Feed;
use plinto_jose::{JwkSet, Jws};
use plinto_tests::world::{Answer, Client, World};
use serde_json::{Value, json};

use super::states;
use crate::setup::{
    BY_ROLE, Person, activate, admin, apply, bundle_of, client_with, count, each_database,
    edge_keys, expect_oauth, publish, refresh, sign_up, text, try_refresh,
};

const JWKS: &str = "/t/acme/.well-known/jwks.json";

async fn key(world: &World, purpose: &str, state: &str) -> Value {
    let list = admin(world)
        .get("/v1/signing_keys")
        .await
        .expect(200)
        .json();
    let keys = list["data"].as_array().unwrap();
    let is_it = |key: &&Value| key["purpose"] == purpose && key["state"] == state;
    keys.iter().find(is_it).unwrap().clone()
}

async fn withdraw(client: &Client, key: &Value) -> Answer {
    let path = format!("/v1/signing_keys/{}/withdraw", text(&key["id"]));
    client.post_empty(&path).await
}

async fn published(client: &Client, path: &str) -> Vec<String> {
    let set = JwkSet::parse(&client.get(path).await.expect(200).bytes).unwrap();
    set.keys.into_iter().filter_map(|key| key.kid).collect()
}

fn kid(token: &str) -> String {
    Jws::parse(token).unwrap().header.kid.unwrap()
}

async fn feed(world: &World) -> (String, Feed) {
    let answer = world
        .anon()
        .get("/t/acme/edge/revocations")
        .await
        .expect(200);
    let jws = Jws::parse_within(&answer.text(), 1 << 20).unwrap();
    let feed = serde_json::from_slice(&jws.payload).unwrap();
    (jws.header.kid.unwrap(), feed)
}

async fn expect_void(world: &World, client: &Client, person: &Person) {
    let me = client.clone().bearer(&person.access_token);
    let refused = me.get("/t/acme/v1/me").await;
    refused.expect_problem(401, "token_invalid");
    let asks = client.clone().bearer(world.acme.api_key.expose());
    let fields = [("token", person.access_token.as_str())];
    let answer = asks
        .form("/t/acme/oauth/introspect", &fields)
        .await
        .expect(200);
    assert_eq!(answer.json(), json!({"active": false}));
}

/// T15, W10: at once, in every process; sessions go on with the next key.
#[apply(each_database)]
async fn what_a_withdrawn_key_signed_is_refused_at_once_and_sessions_go_on(world: World) {
    let alice = sign_up(&world, "alice").await;
    let other = world.elsewhere().await;
    // both processes know the keys of now
    for client in [&world.anon(), &other] {
        let me = client.clone().bearer(&alice.access_token);
        me.get("/t/acme/v1/me").await.expect(200);
        assert!(
            published(client, JWKS)
                .await
                .contains(&kid(&alice.access_token))
        );
    }
    let stolen = key(&world, "token", "active").await;
    let next = key(&world, "token", "next").await;
    let gone = withdraw(&admin(&world), &stolen).await.expect(200).json();
    assert_eq!(gone["state"], "withdrawn");
    assert_eq!(gone["withdrawn_at"], "2026-11-11T09:01:00.000Z");

    assert!(
        !published(&world.anon(), JWKS)
            .await
            .contains(&kid(&alice.access_token))
    );
    for client in [&world.anon(), &other] {
        expect_void(&world, client, &alice).await;
    }
    let (_, said) = feed(&world).await;
    assert_eq!(said.withdrawn_keys, [kid(&alice.access_token)]);
    assert_eq!(
        states(&admin(&world), "token").await,
        ["active", "next", "withdrawn"]
    );
    let sql = "select private_sealed from signing_keys where state = 'withdrawn'";
    let mut tx = world.app.db.read().await.unwrap();
    let kept: Vec<(String,)> = tx.all(sql, plinto_platform::args![]).await.unwrap();
    assert_eq!(kept, [(String::new(),)], "its private part was not erased");
    drop(tx);

    let (access, successor) = refresh(&world, &alice.refresh_token).await;
    assert_eq!(kid(&access), text(&next["kid"]));
    world.bearer(&access).get("/t/acme/v1/me").await.expect(200);
    // nor does the other process sign with what it had at hand
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", successor.as_str()),
    ];
    let answer = other.form("/t/acme/oauth/token", &fields).await.expect(200);
    assert_eq!(
        kid(&text(&answer.json()["access_token"])),
        text(&next["kid"])
    );

    // again is no error, and nothing more
    let again = withdraw(&admin(&world), &stolen).await.expect(200).json();
    assert_eq!(again["withdrawn_at"], gone["withdrawn_at"]);
    assert_eq!(count(&world, "signing_key.withdrawn").await, 1);
    expect_oauth(
        &try_refresh(&world, "plinto_rt_x").await,
        400,
        "invalid_grant",
    );
}

/// Both thieves' finds: the successor that has never signed, and the one that signed before.
#[apply(each_database)]
async fn a_key_can_be_withdrawn_before_and_after_it_signs(world: World) {
    let alice = sign_up(&world, "alice").await;
    let next = key(&world, "token", "next").await;
    withdraw(&admin(&world), &next).await.expect(200);
    assert_eq!(
        states(&admin(&world), "token").await,
        ["active", "next", "withdrawn"]
    );
    assert!(
        !published(&world.anon(), JWKS)
            .await
            .contains(&text(&next["kid"]))
    );
    alice.client(&world).get("/t/acme/v1/me").await.expect(200);

    world.clock.advance_seconds(900);
    let body = json!({"purpose": "token"});
    let rotate = "/v1/signing_keys/rotate";
    admin(&world).post(rotate, body).await.expect(200);
    let bob = sign_up(&world, "bob").await;
    let old = key(&world, "token", "retiring").await;
    withdraw(&admin(&world), &old).await.expect(200);
    let mut expected = vec!["active", "next", "withdrawn", "withdrawn"];
    assert_eq!(states(&admin(&world), "token").await, expected);
    bob.client(&world).get("/t/acme/v1/me").await.expect(200);

    // three in a row: each time somebody signs, and somebody waits
    for _ in 0..3 {
        let active = key(&world, "token", "active").await;
        withdraw(&admin(&world), &active).await.expect(200);
        expected.push("withdrawn");
        assert_eq!(states(&admin(&world), "token").await, expected);
    }
    let carol = sign_up(&world, "carol").await;
    carol.client(&world).get("/t/acme/v1/me").await.expect(200);
}

/// An edge that gets no other key set goes by the last one for a day: until then the feed says it.
#[tokio::test]
async fn a_withdrawn_key_is_named_for_as_long_as_an_edge_may_hold_it() {
    let world = World::new().await;
    let stolen = key(&world, "token", "active").await;
    withdraw(&admin(&world), &stolen).await.expect(200);
    world.clock.advance_seconds(2 * 24 * 60 * 60);
    assert_eq!(feed(&world).await.1.withdrawn_keys, [text(&stolen["kid"])]);
    world.clock.advance_seconds(1);
    assert!(feed(&world).await.1.withdrawn_keys.is_empty());
}

/// What edges enforce is signed anew at once: by the next key, which they have.
#[apply(each_database)]
async fn feed_and_policy_are_signed_by_the_next_key_as_soon_as_one_is_withdrawn(world: World) {
    let admin = admin(&world);
    let revision = publish(&admin, bundle_of(BY_ROLE)).await;
    activate(&admin, &revision).await;
    let stolen = key(&world, "bundle", "active").await;
    let next = key(&world, "bundle", "next").await;
    assert_eq!(feed(&world).await.0, text(&stolen["kid"]));
    withdraw(&admin, &stolen).await.expect(200);
    let (signer, said) = feed(&world).await;
    assert_eq!(signer, text(&next["kid"]));
    assert_eq!(said.withdrawn_keys, [text(&stolen["kid"])]);
    assert!(
        edge_keys(&world, "acme")
            .await
            .keys
            .iter()
            .all(|key| key.kid != Some(text(&stolen["kid"])))
    );
    // the next second's work
    world.run_due_work().await;
    let status = admin.get("/v1/policies/status").await.expect(200).json();
    assert_eq!(status["active"]["signed_by_kid"], next["kid"], "{status}");
    assert_eq!(status["active"]["reason"], "key_rotated");
}

/// Z2, Z6.
#[tokio::test]
async fn withdrawing_a_key_needs_its_permission_and_ones_own_key() {
    let world = World::new().await;
    let stolen = key(&world, "token", "active").await;
    let reader = client_with(&world, &["signing_keys:read"]).await;
    withdraw(&reader, &stolen)
        .await
        .expect_problem(403, "permission_denied");
    let other = world.tenant("other").await;
    let theirs = world.bearer(other.api_key.expose());
    withdraw(&theirs, &stolen)
        .await
        .expect_problem(404, "not_found");
    assert_eq!(states(&admin(&world), "token").await, ["active", "next"]);
}
