//! A request arrives at the edge: who passes, who doesn't, and what the application sees.

use serde_json::{Value, json};

use super::stage::{Stage, now_s, read};
use super::tokens::{base64, claims, spoiled, with_header};

/// The issue's first path: permission decides, and the application sees who it is.
#[tokio::test(flavor = "multi_thread")]
async fn permission_passes_and_the_application_sees_the_person() {
    let stage = Stage::start().await;
    let ada = stage
        .person("ada", "editor", &["document:read", "document:write"])
        .await;
    let grace = stage.person("grace", "reader", &["document:read"]).await;

    let nobody = stage.through("GET", "/documents/1", None).await;
    assert_eq!(
        (nobody.status, nobody.code()),
        (401, "authentication_required")
    );
    let challenge = nobody.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with("Bearer"), "{challenge}");
    assert_eq!(nobody.headers["content-type"], "application/problem+json");

    // roles reach the edge with the bundle that the role change rebuilt
    stage
        .until_status(
            200,
            "/documents/1",
            &ada.token,
            std::time::Duration::from_secs(10),
        )
        .await;
    let allowed = stage.through("PUT", "/documents/1", Some(&ada.token)).await;
    assert_eq!(allowed.status, 200, "{allowed:?}");
    assert_eq!(allowed.seen("x-plinto-subject"), Some(ada.id.as_str()));
    assert_eq!(allowed.seen("x-plinto-session"), Some(ada.session.as_str()));
    assert_eq!(
        allowed.seen("x-plinto-tenant"),
        Some(stage.tenant.tenant.as_str())
    );
    assert_eq!(allowed.seen("x-plinto-roles"), Some("editor,owner"));

    let before = stage.app.requests();
    let refused = stage
        .through("PUT", "/documents/1", Some(&grace.token))
        .await;
    assert_eq!((refused.status, refused.code()), (403, "policy_denied"));
    assert_eq!(
        refused.body["reasons"],
        json!(["no role permits document:write"])
    );
    let unknown = stage
        .through("DELETE", "/documents/1", Some(&ada.token))
        .await;
    assert_eq!((unknown.status, unknown.code()), (403, "no_route"));
    assert_eq!(
        stage.app.requests(),
        before,
        "a refused request reached the application"
    );
}

/// Identity headers that a client sends never reach the application; the body does, unchanged.
#[tokio::test(flavor = "multi_thread")]
async fn forged_identity_headers_are_stripped() {
    let stage = Stage::start().await;
    let ada = stage
        .person("ada", "editor", &["document:read", "document:write"])
        .await;
    stage
        .until_status(
            200,
            "/documents/1",
            &ada.token,
            std::time::Duration::from_secs(10),
        )
        .await;
    let body = vec![b'x'; 300_000];
    let request = stage
        .http
        .post(format!("{}/documents/1", stage.edge.url()))
        .bearer_auth(&ada.token)
        .header("x-plinto-subject", "user_root")
        .header("X-Plinto-Roles", "owner")
        .header("x-plinto-anything", "else")
        .header("x-mine", "kept")
        .body(body);
    let answer = read(request.send().await.unwrap()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.seen("x-plinto-subject"), Some(ada.id.as_str()));
    assert_eq!(answer.seen("x-plinto-roles"), Some("editor,owner"));
    assert_eq!(answer.seen("x-plinto-anything"), None);
    assert_eq!(answer.seen("x-mine"), Some("kept"));
    assert_eq!(answer.body["body_bytes"], 300_000);
}

/// T1, T3, T4, T6–T9 at the edge: everything but a whole, right token is a 401.
#[expect(clippy::too_many_lines, reason = "a table of tokens")]
#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_not_right_are_refused() {
    let stage = Stage::start().await;
    let key = &stage.key;
    let ada = stage.person("ada", "editor", &["document:read"]).await;
    let good = claims(&stage, "editor");
    // the trusted key is known and the role is there: what is refused below is refused for itself
    stage
        .until_status(
            200,
            "/documents/1",
            &key.token(&good),
            std::time::Duration::from_secs(10),
        )
        .await;
    stage
        .until_status(
            200,
            "/documents/1",
            &ada.token,
            std::time::Duration::from_secs(10),
        )
        .await;

    let stranger = plinto_jose::SigningKey::generate(plinto_jose::Algorithm::Es256).unwrap();
    let other = stage.server.bootstrap("other", super::AUDIENCE);
    let (head, signature) = ada.token.rsplit_once('.').unwrap();
    let swapped: String = signature.chars().rev().collect();
    let none = format!(
        "{}.{}.",
        base64(br#"{"alg":"none","typ":"at+jwt"}"#),
        base64(good.to_string().as_bytes())
    );
    let bad: Vec<(&str, String)> = vec![
        ("garbage", "garbage".to_owned()),
        ("three parts of garbage", "a.b.c".to_owned()),
        ("another signature", format!("{head}.{swapped}")),
        ("no signature", format!("{head}.")),
        ("alg none", none),
        (
            "alg changed",
            with_header(&ada.token, &json!({ "alg": "HS256" })),
        ),
        (
            "alg of another case",
            with_header(&ada.token, &json!({ "alg": "rs256" })),
        ),
        ("crit", with_header(&ada.token, &json!({ "crit": ["exp"] }))),
        (
            "jku",
            with_header(&ada.token, &json!({ "jku": "http://127.0.0.1/keys" })),
        ),
        (
            "a key nobody published",
            stranger
                .sign(Some("at+jwt"), good.to_string().as_bytes())
                .unwrap(),
        ),
        (
            "another kind of token",
            key.sign(Some("JWT"), good.to_string().as_bytes()),
        ),
        (
            "expired",
            key.token(&spoiled(&good, "exp", json!(now_s() - 120))),
        ),
        (
            "expiry as text",
            key.token(&spoiled(&good, "exp", json!("2100-01-01"))),
        ),
        (
            "not valid yet",
            key.token(&spoiled(&good, "nbf", json!(now_s() + 600))),
        ),
        (
            "another audience",
            key.token(&spoiled(&good, "aud", json!("https://other.example.com"))),
        ),
        (
            "part of the audience",
            key.token(&spoiled(&good, "aud", json!("https://api.example"))),
        ),
        (
            "another issuer",
            key.token(&spoiled(&good, "iss", json!(other.issuer))),
        ),
        (
            "another tenant",
            key.token(&spoiled(&good, "tenant", json!(other.tenant))),
        ),
        (
            "another tenant's token",
            sign_up(&stage, &other.issuer).await,
        ),
    ];
    let before = stage.app.requests();
    for (what, token) in bad {
        let answer = stage.through("GET", "/documents/1", Some(&token)).await;
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        assert_eq!(
            answer.headers["content-type"], "application/problem+json",
            "{what}"
        );
        assert!(answer.headers.contains_key("www-authenticate"), "{what}");
    }
    assert_eq!(
        stage.app.requests(),
        before,
        "a refused request reached the application"
    );
}

/// An access token of another tenant of the same control plane, whose own key signed it.
async fn sign_up(stage: &Stage, issuer: &str) -> String {
    let body = json!({ "email": "eve@example.com", "password": crate::setup::PASSWORD });
    let answer = stage
        .http
        .post(format!("{issuer}/v1/sign_up"))
        .json(&body)
        .send()
        .await
        .unwrap();
    let body: Value = answer.json().await.unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}
