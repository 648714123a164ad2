//! What is open to everybody stays open, whoever comes and from whichever page.

use axum::{body::Body, http::Method};
use plinto_platform::http::Slots;
use plinto_tests::world::{Answer, Client, World};
use serde_json::{Value, json};

use crate::setup::{CLOSED, PASSWORD, activate, admin, bundle_of, publish, sign_up};

const DOCUMENTS: [&str; 7] = [
    "/t/acme/edge/revocations",
    "/t/acme/edge/keys",
    "/t/acme/edge/bundle",
    "/t/acme/.well-known/jwks.json",
    "/t/acme/.well-known/openid-configuration",
    "/.well-known/openid-configuration/t/acme",
    "/.well-known/oauth-authorization-server/t/acme",
];
const PAGE: &str = "https://app.example.com";

/// S4: a credential is judged where it matters, and nowhere else.
#[tokio::test]
async fn a_credential_that_is_no_longer_good_closes_no_door_that_is_open_to_everybody() {
    let world = World::new().await;
    let revision = publish(&admin(&world), bundle_of(CLOSED)).await;
    activate(&admin(&world), &revision).await;
    let alice = sign_up(&world, "alice").await;
    let signed_out = world.bearer(&alice.access_token);
    signed_out
        .post_empty("/t/acme/v1/sign_out")
        .await
        .expect(204);
    let of = |value: &str| world.anon().with("authorization", value);
    let bad = [
        format!("Bearer {}", alice.access_token),
        "Bearer plinto_sk_made_up".to_owned(),
        "Bearer a b".to_owned(),
        "Basic eDp5".to_owned(),
        "nonsense".to_owned(),
    ];
    for (number, credential) in bad.iter().enumerate() {
        let client = of(credential);
        for path in DOCUMENTS {
            client.get(path).await.expect(200);
        }
        client.get("/openapi.json").await.expect(200);
        let email = format!("person-{number}@example.com");
        let body = json!({"email": email, "password": PASSWORD});
        let made = client.post("/t/acme/v1/sign_up", body.clone()).await;
        let made = made.expect(201).json();
        client.post("/t/acme/v1/sign_in", body).await.expect(200);
        let refresh = made["refresh_token"].as_str().unwrap();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
        client
            .form("/t/acme/oauth/token", &fields)
            .await
            .expect(200);
        let fields = [("token", refresh)];
        client
            .form("/t/acme/oauth/revoke", &fields)
            .await
            .expect(200);
        // Here it matters, and the refusal says so.
        client.get("/t/acme/v1/me").await.expect(401);
        client.get("/v1/roles").await.expect(401);
        let refused = client.form("/t/acme/oauth/introspect", &fields).await;
        assert_eq!(refused.expect(401).json()["error"], "invalid_client");
    }
}

/// A preflight as a browser sends it.
async fn preflight(world: &World, path: &str, method: &str, headers: &str) -> Answer {
    let client = world
        .anon()
        .with("origin", PAGE)
        .with("access-control-request-method", method)
        .with("access-control-request-headers", headers);
    client
        .send(Method::OPTIONS, path, None, Body::empty())
        .await
}

fn from_page(client: Client) -> Client {
    client.with("origin", PAGE)
}

#[tokio::test]
async fn what_is_public_can_be_read_by_every_page() {
    let world = World::new().await;
    let revision = publish(&admin(&world), bundle_of(CLOSED)).await;
    activate(&admin(&world), &revision).await;
    for path in DOCUMENTS.into_iter().chain(["/openapi.json"]) {
        let answer = from_page(world.anon()).get(path).await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert!(!answer.header("vary").contains("origin"), "{path}");
        let asked = preflight(&world, path, "GET", "if-none-match")
            .await
            .expect(200);
        assert_eq!(asked.header("access-control-allow-origin"), "*", "{path}");
        let headers = asked.header("access-control-allow-headers");
        assert!(headers.contains("if-none-match"), "{path}: {headers}");
    }
}

/// Z1: nobody's page gets at people's endpoints unless the tenant names it, and none at the
/// management API.
#[tokio::test]
async fn a_page_that_no_tenant_names_gets_nothing_of_people() {
    let world = World::new().await;
    for path in ["/t/acme/v1/sign_in", "/t/acme/v1/me", "/t/acme/oauth/token"] {
        let asked = preflight(&world, path, "POST", "authorization,content-type").await;
        assert_eq!(asked.header("access-control-allow-origin"), "", "{path}");
        let answer = from_page(world.anon()).get(path).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
    let asked = preflight(&world, "/v1/roles", "GET", "authorization").await;
    assert_eq!(asked.expect(405).header("access-control-allow-origin"), "");
    let nowhere = preflight(&world, "/t/acme/v1/nothing", "GET", "").await;
    nowhere.expect(404);
}

/// W7: looking whose page asks takes a slot like any work.
#[tokio::test]
async fn pages_are_not_looked_up_beyond_the_servers_slots() {
    let world = World::with(|config| config.http.concurrency = 1).await;
    let taken = world
        .app
        .state::<Slots>()
        .work()
        .try_acquire_owned()
        .unwrap();
    let before = world.app.db.transactions();
    let path = "/t/nobody/v1/me";
    let refused = [
        preflight(&world, path, "GET", "").await,
        from_page(world.anon()).get(path).await,
    ];
    assert_eq!(world.app.db.transactions(), before);
    for refused in refused {
        let refused = refused.expect_problem(503, "overloaded");
        // Any page may know that the server is busy.
        assert_eq!(refused.header("access-control-allow-origin"), "*");
    }
    drop(taken);
    preflight(&world, path, "GET", "").await.expect(200);
    assert!(world.app.db.transactions() > before);
}

/// Z1: what a browser asks before it lets a page of the tenant's application call.
#[tokio::test]
async fn a_page_that_the_tenant_names_gets_at_what_people_use() {
    let world = World::new().await;
    world.tenant("other").await;
    let body = json!({"allowed_origins": [PAGE]});
    let before = admin(&world).get("/v1/tenant").await.expect(200);
    let knows = admin(&world).with("if-match", before.header("etag"));
    knows.patch("/v1/tenant", body).await.expect(200);
    let alice = sign_up(&world, "alice").await;
    let paths = [
        "/t/acme/v1/sign_up",
        "/t/acme/v1/sign_in",
        "/t/acme/v1/me",
        "/t/acme/v1/me/sessions",
        "/t/acme/oauth/token",
    ];
    for path in paths {
        let headers = "authorization,content-type,idempotency-key,if-match";
        let asked = preflight(&world, path, "POST", headers).await.expect(200);
        assert_eq!(asked.header("access-control-allow-origin"), PAGE, "{path}");
        assert!(asked.header("vary").contains("origin"), "{path}");
        let allowed = asked.header("access-control-allow-headers");
        for header in headers.split(',') {
            assert!(allowed.contains(header), "{path}: {allowed}");
        }
        let theirs = preflight(&world, &path.replace("acme", "other"), "POST", "").await;
        assert_eq!(theirs.header("access-control-allow-origin"), "", "{path}");
    }
    let page = from_page(world.bearer(&alice.access_token));
    let answer = page.get("/t/acme/v1/me").await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), PAGE);
    let exposed = answer.header("access-control-expose-headers");
    assert!(exposed.contains("x-request-id"), "{exposed}");
    // A refusal can be read too; and cookies are never asked for.
    let refused = from_page(world.anon())
        .get("/t/acme/v1/me")
        .await
        .expect(401);
    assert_eq!(refused.header("access-control-allow-origin"), PAGE);
    assert_eq!(refused.header("access-control-allow-credentials"), "");
}

/// A page learns that it asks too often, and when to come again.
#[tokio::test]
async fn a_page_can_read_that_it_asks_too_often() {
    let world = World::with(|config| config.http.requests_per_minute = 1).await;
    let page = from_page(world.anon()).from("192.0.2.1");
    page.get("/t/acme/v1/me").await.expect(401);
    let refused = page.get("/t/acme/v1/me").await.expect(429);
    assert_eq!(refused.header("access-control-allow-origin"), "*");
    let exposed = refused.header("access-control-expose-headers");
    assert!(exposed.contains("retry-after"), "{exposed}");
}

#[tokio::test]
async fn whoever_comes_without_a_path_is_led_to_the_page() {
    let world = World::new().await;
    let answer = world.anon().get("/").await.expect(307);
    assert_eq!(answer.header("location"), "/docs/");
    world.anon().get("/docs/").await.expect(200);
    let document: Value = world.anon().get("/openapi.json").await.json();
    assert!(document["paths"].is_object());
}
