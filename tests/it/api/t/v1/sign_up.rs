//! `POST /t/{tenant}/v1/sign_up`.

use plinto_tests::world::World;
use serde_json::{Value, json};

use crate::setup::{PASSWORD, Person, apply, count, each_database, pointers, sign_up, try_sign_in};

const PATH: &str = "/t/acme/v1/sign_up";

/// T16, S1: what a new user gets: ten minutes, a 256-bit refresh token, nothing for a cache.
#[apply(each_database)]
async fn a_person_signs_up_and_is_signed_in(world: World) {
    let body = json!({
        "email": "Alice@Example.com", "password": PASSWORD, "name": " Alice ",
        "client_id": "plinto",
    });
    let answer = world.anon().post(PATH, body).await.expect(201);
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 600);
    assert_eq!(body["user"]["email"], "Alice@Example.com");
    assert_eq!(body["user"]["name"], "Alice");
    assert_eq!(body["user"]["status"], "active");
    assert!(
        body["refresh_token"]
            .as_str()
            .unwrap()
            .starts_with("plinto_rt_")
    );
    let alice = Person::of(&answer);

    let me = alice.client(&world).get("/t/acme/v1/me").await.expect(200);
    assert_eq!(me.json()["id"], alice.id.to_string());
    for kind in ["user.created", "session.created"] {
        assert_eq!(count(&world, kind).await, 1, "{kind}");
    }
}

/// RFC 9068 §2.2: what the access token says.
#[tokio::test]
async fn the_access_token_says_who_where_and_how() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    let mut parts = alice.access_token.split('.');
    let mut part = || {
        use base64ct::{Base64UrlUnpadded, Encoding};
        let bytes = Base64UrlUnpadded::decode_vec(parts.next().unwrap()).unwrap();
        serde_json::from_slice::<Value>(&bytes).unwrap()
    };
    let (header, claims) = (part(), part());
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(header["alg"], "ES256");
    assert_eq!(claims["iss"], world.acme.issuer);
    assert_eq!(
        claims["aud"],
        json!([world.acme.audience, world.acme.issuer])
    );
    assert_eq!(claims["sub"], alice.id.to_string());
    assert_eq!(claims["sid"], alice.session.to_string());
    assert_eq!(claims["tenant"], world.acme.tenant.to_string());
    assert_eq!(claims["client_id"], "plinto");
    assert_eq!(claims["amr"], json!(["pwd"]));
    assert_eq!(claims["roles"], json!([]));
    assert_eq!(claims.get("org"), None);
    let issued = claims["iat"].as_i64().unwrap();
    assert_eq!(claims["exp"], issued + 600);
    assert_eq!(claims["auth_time"], issued);
    assert!(claims["jti"].as_str().unwrap().starts_with("tok_"));
    assert_eq!(claims.get("email"), None);
}

#[apply(each_database)]
async fn one_mailbox_has_one_account(world: World) {
    sign_up(&world, "alice").await;
    for email in ["alice@example.com", "ALICE@EXAMPLE.COM"] {
        let body = json!({"email": email, "password": PASSWORD});
        world
            .anon()
            .post(PATH, body)
            .await
            .expect_problem(409, "email_taken");
    }
    assert_eq!(count(&world, "user.created").await, 1);
    // Another tenant's users are other people.
    world.tenant("globex").await;
    let body = json!({"email": "alice@example.com", "password": PASSWORD});
    world
        .anon()
        .post("/t/globex/v1/sign_up", body)
        .await
        .expect(201);
}

#[apply(each_database)]
async fn of_many_sign_ups_at_once_with_one_address_one_succeeds(world: World) {
    let body = json!({"email": "alice@example.com", "password": PASSWORD});
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (client, body) = (world.anon(), body.clone());
        tasks.spawn(async move { client.post(PATH, body).await.status.as_u16() });
    }
    let mut statuses = tasks.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(count(&world, "user.created").await, 1);
}

/// A1, A2: length and what everybody tries first; nothing is stored of a refused sign-up.
#[tokio::test]
async fn weak_passwords_are_refused_with_a_reason() {
    let world = World::new().await;
    let long = "x".repeat(1_025);
    for (password, code) in [
        ("", "password_too_short"),
        ("fourteen chars", "password_too_short"),
        (long.as_str(), "password_too_long"),
        ("passwordpassword", "password_too_common"),
        ("alicealicealice1", "password_too_common"),
        ("acme acme acme acme", "password_too_common"),
        ("1234567890123456", "password_too_common"),
    ] {
        let body = json!({"email": "alice@example.com", "password": password});
        let answer = world
            .anon()
            .post(PATH, body)
            .await
            .expect_problem(422, code);
        assert_eq!(pointers(&answer), ["/password"]);
    }
    assert_eq!(count(&world, "user.created").await, 0);
    let body = json!({"email": "alice@example.com", "password": &long[..64]});
    world
        .anon()
        .post(PATH, body)
        .await
        .expect_problem(422, "password_too_common");
    let sentence = "the heron waits where the river bends twice before it reaches us";
    assert_eq!(sentence.len(), 64);
    let body = json!({"email": "alice@example.com", "password": sentence});
    world.anon().post(PATH, body).await.expect(201);
}

#[tokio::test]
async fn what_does_not_fit_is_pointed_at() {
    let world = World::new().await;
    let good = json!({"email": "alice@example.com", "password": PASSWORD});
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    for (body, pointer) in [
        (json!({"password": PASSWORD}), "/email"),
        (json!({"email": "alice@example.com"}), "/password"),
        (with("email", json!(7)), "/email"),
        (with("email", json!("alice")), "/email"),
        (
            with("email", json!(format!("{}@example.com", "a".repeat(250)))),
            "/email",
        ),
        (with("password", json!(["x"])), "/password"),
        (with("name", json!("  ")), "/name"),
        (with("name", json!("x".repeat(201))), "/name"),
        (with("client_id", json!("a b")), "/client_id"),
        (with("status", json!("active")), "/status"),
        (with("id", json!("user_01h455vb4pex5vsknk084sn02q")), "/id"),
    ] {
        let answer = world.anon().post(PATH, body.clone()).await;
        let answer = answer.expect_problem(422, "validation_failed");
        assert_eq!(pointers(&answer), [pointer], "{body}");
        assert!(!answer.text().contains(PASSWORD));
    }
    for text in ["", "{", "nul", "\u{0}"] {
        let answer = world
            .anon()
            .post_bytes(PATH, "application/json", text)
            .await;
        answer.expect_problem(400, "malformed_request");
    }
    let answer = world
        .anon()
        .post_bytes(PATH, "text/plain", good.to_string())
        .await;
    answer.expect_problem(415, "unsupported_media_type");
    let huge = json!({"email": "a@example.com", "password": "x".repeat(70_000)});
    world
        .anon()
        .post(PATH, huge)
        .await
        .expect_problem(413, "payload_too_large");
    assert_eq!(count(&world, "user.created").await, 0);
}

#[tokio::test]
async fn there_is_no_door_without_a_tenant() {
    let world = World::new().await;
    let body = json!({"email": "alice@example.com", "password": PASSWORD});
    for slug in ["nobody", "", "ACME", "acme%2F"] {
        let path = format!("/t/{slug}/v1/sign_up");
        world
            .anon()
            .post(&path, body.clone())
            .await
            .expect_problem(404, "not_found");
    }
}

/// RFC 8265: one password on two keyboards is one password.
#[tokio::test]
async fn a_password_typed_in_another_unicode_form_is_the_same() {
    let world = World::new().await;
    let body = json!({"email": "zoe@example.com", "password": "caf\u{e9} au lait deux sucres"});
    world.anon().post(PATH, body).await.expect(201);
    let decomposed = "cafe\u{301} au lait deux sucres";
    try_sign_in(&world.anon(), "zoe@example.com", decomposed)
        .await
        .expect(200);
}
