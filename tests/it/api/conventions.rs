//! What every endpoint has in common: names, problems, limits, headers, pages, idempotency.

use axum::{body::Body, http::Method};
use plinto_platform::http::Slots;
use plinto_tests::world::World;
use serde_json::json;

use crate::setup::{admin, apply, each_database, pointers};

#[tokio::test]
async fn every_answer_names_its_request_and_repeats_the_clients_own_name_apart() {
    let world = World::new().await;
    let client = world
        .anon()
        .with("x-client-request-id", "mine-1")
        .with("x-request-id", "forged");
    let answer = client
        .get("/nowhere")
        .await
        .expect_problem(404, "not_found");
    let name = answer.header("x-request-id");
    assert!(name.starts_with("req_"), "{name}");
    assert_eq!(answer.json()["request_id"], name);
    assert_eq!(answer.header("x-client-request-id"), "mine-1");
    assert_eq!(answer.json()["instance"], "/nowhere");
    let page = "http://127.0.0.1:7400/docs/errors/not_found";
    assert_eq!(answer.json()["type"], page);
    assert_eq!(answer.header("link"), format!("<{page}>; rel=\"help\""));
    let long = world
        .anon()
        .with("x-client-request-id", &"a".repeat(129))
        .get("/healthz")
        .await;
    assert_eq!(long.header("x-client-request-id"), "");
}

#[tokio::test]
async fn the_frameworks_refusals_are_problems_too() {
    let world = World::with(|config| config.http.body_bytes = 1_000).await;
    let admin = admin(&world);
    world
        .anon()
        .get("/v1/nowhere")
        .await
        .expect_problem(404, "not_found");
    world
        .anon()
        .delete("/healthz")
        .await
        .expect_problem(405, "method_not_allowed");
    let roles = "/v1/roles";
    admin
        .post_bytes(roles, "text/plain", "x")
        .await
        .expect_problem(415, "unsupported_media_type");
    admin
        .post_empty(roles)
        .await
        .expect_problem(415, "unsupported_media_type");
    let long = json!({ "key": "a".repeat(2_000) });
    admin
        .post(roles, long)
        .await
        .expect_problem(413, "payload_too_large");
    let json = "application/json";
    admin
        .post_bytes(roles, json, "{")
        .await
        .expect_problem(400, "malformed_request");
    admin
        .post_bytes(roles, json, "[]")
        .await
        .expect_problem(422, "validation_failed");
}

/// Z7: a field that is not known is refused and named.
#[tokio::test]
async fn unknown_fields_and_wrong_types_are_pointed_at() {
    let world = World::new().await;
    let admin = admin(&world);
    let unknown = admin
        .post(
            "/v1/signing_keys/rotate",
            json!({"purpose": "token", "force": true}),
        )
        .await;
    assert_eq!(
        pointers(&unknown.expect_problem(422, "validation_failed")),
        ["/force"]
    );
    for wrong in [
        json!(1),
        json!({"token": null}),
        json!(["token"]),
        json!("x"),
    ] {
        let body = json!({ "purpose": wrong });
        let answer = admin.post("/v1/signing_keys/rotate", body).await;
        assert_eq!(
            pointers(&answer.expect_problem(422, "validation_failed")),
            ["/purpose"]
        );
    }
    let array = admin
        .post("/v1/signing_keys/rotate", json!(["token"]))
        .await;
    assert_eq!(
        pointers(&array.expect_problem(422, "validation_failed")),
        [""]
    );
    let missing = admin.post("/v1/signing_keys/rotate", json!({})).await;
    assert_eq!(
        pointers(&missing.expect_problem(422, "validation_failed")),
        ["/purpose"]
    );
}

#[tokio::test]
async fn machines_need_an_api_key_and_are_told_how() {
    let world = World::new().await;
    let answer = world
        .anon()
        .get("/v1/tenant")
        .await
        .expect_problem(401, "authentication_required");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    let junk = world.bearer("plinto_sk_junk").get("/v1/tenant").await;
    junk.expect_problem(401, "api_key_invalid");
    let basic = world
        .anon()
        .with("authorization", "Basic eDp5")
        .get("/v1/tenant")
        .await;
    basic.expect_problem(401, "authentication_required");
    let tenant = admin(&world).get("/v1/tenant").await.expect(200).json();
    assert_eq!(tenant["slug"], "acme");
    assert_eq!(tenant["issuer"], world.acme.issuer);
}

/// W8
#[tokio::test]
async fn answers_carry_security_headers_and_are_not_stored() {
    let world = World::with(|config| config.public_url = "https://id.test".parse().unwrap()).await;
    let answer = admin(&world).get("/v1/users").await.expect(200);
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("x-frame-options"), "DENY");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(
        answer
            .header("content-security-policy")
            .starts_with("default-src 'none'")
    );
    assert!(
        answer
            .header("strict-transport-security")
            .starts_with("max-age=31536000")
    );
}

#[tokio::test]
async fn an_address_that_asks_too_often_is_told_when_to_come_again() {
    let world = World::with(|config| config.http.requests_per_minute = 3).await;
    let client = world.anon().from("192.0.2.1");
    for left in [2, 1, 0] {
        let answer = client.get("/version").await.expect(200);
        assert_eq!(answer.header("ratelimit-policy"), "\"default\";q=3;w=60");
        assert!(
            answer
                .header("ratelimit")
                .starts_with(&format!("\"default\";r={left};"))
        );
    }
    let answer = client
        .get("/version")
        .await
        .expect_problem(429, "rate_limited");
    let wait: i64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=21).contains(&wait), "{wait}");
    world
        .anon()
        .from("192.0.2.2")
        .get("/version")
        .await
        .expect(200);
}

#[tokio::test]
async fn a_trusted_proxy_names_the_client_and_a_client_cannot() {
    let world = World::with(|config| {
        config.http.requests_per_minute = 1;
        config.http.client_ip_header = Some("x-forwarded-for".to_owned());
    })
    .await;
    let proxy = world.anon().from("10.0.0.1");
    let forged = |own: &str, real: &str| {
        proxy
            .clone()
            .with("x-forwarded-for", &format!("{own}, {real}"))
    };
    forged("1.1.1.1", "192.0.2.1")
        .get("/version")
        .await
        .expect(200);
    forged("2.2.2.2", "192.0.2.1")
        .get("/version")
        .await
        .expect(429);
    forged("1.1.1.1", "192.0.2.2")
        .get("/version")
        .await
        .expect(200);
}

/// One busy address must not keep probes, verifiers and edges from what they need.
#[tokio::test]
async fn probes_and_public_documents_do_not_share_a_busy_addresss_budget() {
    let world = World::with(|config| config.http.requests_per_minute = 2).await;
    let client = world.anon().from("192.0.2.1");
    for _ in 0..2 {
        client.get("/nowhere").await.expect(404);
    }
    client.get("/nowhere").await.expect(429);
    client.get("/version").await.expect(429);
    let jwks = client
        .get("/t/acme/.well-known/jwks.json")
        .await
        .expect(200);
    assert_eq!(jwks.header("ratelimit-policy"), "\"documents\";q=20;w=60");
    client.get("/t/acme/edge/keys").await.expect(200);
    for _ in 0..100 {
        for probe in ["/healthz", "/readyz", "/metrics"] {
            assert_ne!(client.get(probe).await.status.as_u16(), 429);
        }
    }
    for _ in 0..18 {
        client.get("/t/acme/edge/keys").await.expect(200);
    }
    client.get("/t/acme/edge/keys").await.expect(429);
}

/// W7: a machine is not refused for what others at its address do, also when it was not seen before.
#[tokio::test]
async fn a_good_api_key_keeps_its_budget_though_its_address_has_spent_its_own() {
    let world = World::with(|config| config.http.requests_per_minute = 2).await;
    for status in [401, 401, 429] {
        let stranger = world.anon().from("192.0.2.1");
        stranger.get("/v1/tenant").await.expect(status);
    }
    let machine = admin(&world).from("192.0.2.1");
    for _ in 0..10 {
        let answer = machine.get("/v1/tenant").await.expect(200);
        assert_eq!(answer.header("ratelimit-policy"), "\"api_key\";q=100;w=60");
    }
    // From wherever it comes, and also under an issuer.
    let elsewhere = admin(&world).from("192.0.2.2");
    let answer = elsewhere.get("/t/acme/oauth/introspect").await;
    assert_eq!(answer.header("ratelimit-policy"), "\"api_key\";q=100;w=60");
}

/// W7: where nobody looks at keys, a revoked one would do as well.
#[tokio::test]
async fn an_api_key_buys_nothing_where_it_is_not_looked_at() {
    let world = World::with(|config| config.http.requests_per_minute = 2).await;
    let machine = admin(&world).from("192.0.2.1");
    for path in ["/t/acme/v1/me", "/t/acme/v1/sign_in"] {
        let answer = machine.get(path).await;
        assert_eq!(
            answer.header("ratelimit-policy"),
            "\"default\";q=2;w=60",
            "{path}"
        );
    }
}

/// W7: a new made-up key for each request is no way around the limit, however well it is made up.
#[tokio::test]
async fn a_made_up_api_key_has_no_budget_of_its_own() {
    let world = World::with(|config| config.http.requests_per_minute = 2).await;
    // Right in its form and checksum, but another server's.
    let other = World::with(|config| {
        config.master_key = Some(
            "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8"
                .to_owned()
                .into(),
        );
    })
    .await;
    let made_up = [
        "plinto_sk_1".to_owned(),
        other.acme.api_key.expose().to_owned(),
        "plinto_sk_3".to_owned(),
        other.tenant("other").await.api_key.expose().to_owned(),
    ];
    let mut answers = Vec::new();
    for key in &made_up {
        let client = world.bearer(key).from("192.0.2.1");
        answers.push(client.get("/v1/tenant").await.status.as_u16());
    }
    assert_eq!(answers, [401, 401, 429, 429]);
}

#[tokio::test]
async fn requests_beyond_the_servers_slots_are_sent_away_at_once() {
    let world = World::with(|config| config.http.concurrency = 1).await;
    let taken = world
        .app
        .state::<Slots>()
        .work()
        .try_acquire_owned()
        .unwrap();
    let answer = world.anon().get("/t/acme/v1/me").await;
    assert_eq!(
        answer
            .expect_problem(503, "overloaded")
            .header("retry-after"),
        "1"
    );
    world.anon().get("/healthz").await.expect(200);
    // Edges have slots of their own.
    let documents = "/t/acme/.well-known/jwks.json";
    world.anon().get(documents).await.expect(200);
    let all = world.app.state::<Slots>().documents.acquire(None).unwrap();
    let refused = world.anon().get(documents).await;
    refused.expect_problem(503, "overloaded");
    drop((taken, all));
    world.anon().get(documents).await.expect(200);
    world.anon().get("/t/acme/v1/me").await.expect(401);
}

/// W7: who asks for more documents than anybody needs keeps no edge elsewhere from its own.
#[tokio::test]
async fn an_address_has_a_quarter_of_the_slots_for_documents() {
    let world = World::with(|config| config.http.concurrency = 8).await;
    let address: std::net::IpAddr = "192.0.2.1".parse().unwrap();
    let slots = world.app.state::<Slots>();
    let documents = &slots.documents;
    let taken = [(); 2].map(|()| documents.acquire(Some(address)).unwrap());
    let path = "/t/acme/edge/revocations";
    let refused = world.anon().from("192.0.2.1").get(path).await;
    let refused = refused.expect_problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), "1");
    world.anon().from("192.0.2.2").get(path).await.expect(200);
    drop(taken);
    world.anon().from("192.0.2.1").get(path).await.expect(200);
}

#[apply(each_database)]
async fn a_list_is_read_page_by_page_and_a_cursor_fits_its_own_list_only(world: World) {
    let admin = admin(&world);
    for number in 0..5 {
        let body = json!({"name": format!("k{number}"), "permissions": ["users:read"]});
        admin.post("/v1/api_keys", body).await.expect(201);
    }
    let mut seen = Vec::new();
    let mut path = "/v1/api_keys?limit=2".to_owned();
    loop {
        let page = admin.get(&path).await.expect(200).json();
        assert_eq!(page["object"], "list");
        let data = page["data"].as_array().unwrap();
        seen.extend(
            data.iter()
                .map(|key| key["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            assert_eq!(page["has_more"], false);
            break;
        };
        path = format!("/v1/api_keys?limit=2&cursor={cursor}");
    }
    assert_eq!(seen.len(), 6);
    seen.dedup();
    assert_eq!(seen.len(), 6);
    let first = admin.get("/v1/api_keys?limit=2").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let elsewhere = admin.get(&format!("/v1/users?cursor={cursor}")).await;
    elsewhere.expect_problem(400, "invalid_cursor");
    let other = world.tenant("other").await;
    let path = format!("/v1/api_keys?limit=2&cursor={cursor}");
    let theirs = world.bearer(other.api_key.expose()).get(&path).await;
    theirs.expect_problem(400, "invalid_cursor");
    for limit in ["0", "101", "x", "-1"] {
        let answer = admin.get(&format!("/v1/users?limit={limit}")).await;
        assert_eq!(
            pointers(&answer.expect_problem(422, "validation_failed")),
            ["?limit"]
        );
    }
}

/// What matters is the answer, not which part gives it: no random request may break the server.
/// W7 in small.
#[apply(each_database)]
async fn strange_requests_get_an_answer_below_500(world: World) {
    ask_strangely(&world).await;
    send_nul_characters(&world).await;
}

async fn ask_strangely(world: &World) {
    let admin = admin(world);
    let paths = [
        "/v1/users/%00",
        "/v1/users?email=a%00@example.com",
        "/v1/users?status=%00",
        "/v1/users?cursor=%00",
        "/v1/policies/bundles/%00",
        "/v1/policies/bundles/%00/activate",
        "/t/%00/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/t/%00",
        "/t/%00/.well-known/jwks.json",
        "/t/%00/v1/me",
        "/t/%00/edge/revocations",
        "/t/acme/edge/bundles/%00",
        "/v1/users/%ff%fe",
        "/t/%2e%2e/v1/me",
        "/t//v1/me",
        "/v1/users?limit=%ff",
        "/t/acme/edge/bundles/..%2f..",
        "/v1//users",
        "/%e2%80%ae",
        "/docs/../v1/tenant",
    ];
    let methods = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    for path in paths {
        for method in &methods {
            for body in ["", "{}", "null", "\u{0}", "[[[[[[[[[["] {
                let sent = admin.send(
                    method.clone(),
                    path,
                    Some("application/json"),
                    Body::from(body),
                );
                let answer = sent.await;
                assert!(
                    answer.status.as_u16() < 500,
                    "{method} {path} {body:?}: {}",
                    answer.text()
                );
            }
        }
    }
}

/// Every text that a body brings, with the one character that a text column does not take.
async fn send_nul_characters(world: &World) {
    let admin = admin(world);
    let text = "a\u{0}b";
    let password = "gavotte brindle quokka tessellate";
    for (path, body) in [
        (
            "/t/acme/v1/sign_in",
            json!({"email": text, "password": password}),
        ),
        (
            "/t/acme/v1/sign_in",
            json!({"email": "a@example.com", "password": text}),
        ),
        (
            "/t/acme/v1/sign_in",
            json!({"email": "a@example.com", "password": password, "client_id": text}),
        ),
        (
            "/t/acme/v1/sign_up",
            json!({"email": text, "password": password}),
        ),
        (
            "/t/acme/v1/sign_up",
            json!({"email": "a@example.com", "password": password, "name": text}),
        ),
        ("/v1/roles", json!({"key": "a", "name": text})),
        (
            "/v1/roles",
            json!({"key": "a", "name": "A", "description": text}),
        ),
        (
            "/v1/roles",
            json!({"key": "a", "name": "A", "permissions": [text]}),
        ),
        ("/v1/roles", json!({"key": "a", "name": "A", text: 1})),
        ("/v1/organizations", json!({"slug": "a", "name": text})),
        ("/v1/organizations", json!({"slug": text, "name": "A"})),
        (
            "/v1/api_keys",
            json!({"name": text, "permissions": ["roles:read"]}),
        ),
    ] {
        let is_a_persons = path.starts_with("/t/");
        let client = if is_a_persons {
            world.anon()
        } else {
            admin.clone()
        };
        let answer = client.post(path, body).await;
        answer.expect_problem(422, "validation_failed");
    }
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", text),
        ("client_id", text),
    ];
    let answer = world.anon().form("/t/acme/oauth/token", &form).await;
    assert!(answer.status.is_client_error(), "{}", answer.text());
    let answer = admin
        .form("/t/acme/oauth/introspect", &[("token", text)])
        .await;
    assert!(answer.status.as_u16() < 500, "{}", answer.text());
}
