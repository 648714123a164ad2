//! S1, W10, N10: what the database holds, and what it never holds.

use plinto_tests::world::World;
use serde_json::json;

use crate::setup::{OTHER_PASSWORD, PASSWORD, refresh, sign_in, sign_up, text, try_sign_in};

/// Every byte of the database, its log included.
fn database_bytes(world: &World) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(world.database().folder()).unwrap() {
        bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    bytes
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

/// S1: neither passwords nor tokens are anywhere in the files, spent, live or within the grace.
#[tokio::test]
async fn no_password_or_token_is_stored_in_clear() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    let again = sign_in(&world, &alice).await;
    let (access, second) = refresh(&world, &alice.refresh_token).await;
    let (_, third) = refresh(&world, &second).await;
    try_sign_in(&world.anon(), &alice.email, "a wrong guess at her password")
        .await
        .expect(401);
    let change = json!({"current_password": PASSWORD, "new_password": OTHER_PASSWORD});
    again
        .client(&world)
        .post("/t/acme/v1/me/password", change)
        .await
        .expect(204);

    let bytes = database_bytes(&world);
    assert!(
        holds(&bytes, "alice@example.com"),
        "the wrong files were read"
    );
    assert!(holds(&bytes, "$argon2id$v=19$m=19456,t=2,p=1$"));
    let secrets = [
        PASSWORD,
        OTHER_PASSWORD,
        "a wrong guess at her password",
        &alice.access_token,
        &access,
        &alice.refresh_token,
        &again.refresh_token,
        &second,
        &third,
        world.acme.api_key.expose(),
    ];
    for secret in secrets {
        assert!(!holds(&bytes, secret), "{secret} is stored in clear");
        // Nor the random part alone, nor a signature.
        let tail = &secret[secret.len().saturating_sub(24)..];
        assert!(!holds(&bytes, tail), "{tail} is stored in clear");
    }
}

/// N10: a change that is refused leaves no event, and one that is made has left it when it answers.
#[tokio::test]
async fn a_change_and_its_event_are_one() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    let before = world.event_kinds().await;
    // Refused after the session had been ended inside the transaction: all of it is taken back.
    let body = json!({"organization_id": "org_01h455vb4pex5vsknk084sn02q"});
    alice
        .client(&world)
        .post("/t/acme/v1/me/organization", body)
        .await
        .expect(422);
    // Refused by the unique address, after nothing or everything else was written.
    let body = json!({"email": alice.email, "password": PASSWORD});
    world
        .anon()
        .post("/t/acme/v1/sign_up", body)
        .await
        .expect(409);
    assert_eq!(world.event_kinds().await, before);

    world.clock.advance_millis(1);
    alice
        .client(&world)
        .post_empty("/t/acme/v1/sign_out")
        .await
        .expect(204);
    let events = world.events(world.acme.tenant).await;
    let last = events.last().unwrap();
    assert_eq!(last.kind.as_str(), "session.revoked");
    assert_eq!(last.target, alice.session.to_string());
    assert_eq!(last.actor.id, alice.id.to_string());
    assert_eq!(last.data["reason"], "signed_out");
}

/// N17: events carry ids, not people's data or secrets.
#[tokio::test]
async fn events_carry_no_personal_data() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    refresh(&world, &alice.refresh_token).await;
    try_sign_in(&world.anon(), "alice@example.com", "wrong password, sorry")
        .await
        .expect(401);
    try_sign_in(&world.anon(), "nobody@example.com", "wrong password, sorry")
        .await
        .expect(401);
    let events = world.events(world.acme.tenant).await;
    let text = text(&json!(serde_json::to_string(&events).unwrap()));
    for secret in [
        "example.com",
        "wrong password",
        &alice.refresh_token,
        &alice.access_token,
    ] {
        assert!(!text.contains(secret), "{secret} is in an event");
    }
}
