//! The whole Worker in workerd: WebCrypto, the Cache API, forwarding, health, and a control plane
//! that misbehaves.

use std::time::{Duration, Instant};

use plinto_contract::limits::CLOCK_LEEWAY_S;
use plinto_jose::{Algorithm, SigningKey};
use plinto_tests::{
    authority::{AUDIENCE, Activated, Authority},
    edge::Edge,
    process::until,
};
use serde_json::{Value, json};

use super::published::{Answer, BUNDLE_KEYS, POLICY, REVOCATIONS, Stage, TOKEN_KEYS};

const CLOSED: &str = "package app.authz\n\nimport rego.v1\n\ndecision := {\"allow\": false, \"reasons\": [\"closed\"]}\n";

/// T1, T2: WebCrypto accepts what each algorithm of the list signed, and nothing altered.
#[tokio::test(flavor = "multi_thread")]
async fn webcrypto_checks_every_algorithm() {
    let stage = Stage::new(&Algorithm::ALL).await;
    let edge = stage.edge(&[]).await;
    let claims = serde_json::to_value(stage.authority.claims()).unwrap();
    for (key, algorithm) in stage.authority.token_keys.iter().zip(Algorithm::ALL) {
        let token = Authority::token_by(key, &claims);
        let (status, body) = stage.read(&edge, &token).await;
        assert_eq!(status, 200, "{algorithm:?}: {body}");
        // the same key id, another key
        let stranger = SigningKey::generate(algorithm).unwrap();
        let forged = Authority::token_by(&stranger, &claims);
        let signature = forged.rsplit_once('.').unwrap().1;
        let forged = format!("{}.{signature}", token.rsplit_once('.').unwrap().0);
        let (status, body) = stage.read(&edge, &forged).await;
        assert_eq!(
            (status, &body["code"]),
            (401, &json!("token_invalid")),
            "{algorithm:?}"
        );
    }
}

/// Identity headers, canonical path, streamed body, redirects and cookies of the application.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_forwarded_without_what_a_client_could_pretend() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.edge(&[]).await;
    let token = stage.authority.token(&stage.authority.claims());
    let ask = |method: reqwest::Method, path: &str| {
        let url = format!("{}{path}", edge.url());
        stage.http.request(method, url).bearer_auth(&token)
    };

    let answer = ask(reqwest::Method::PUT, "/%64ocuments/a%20b?x=%2F&y")
        .header("x-plinto-subject", "user_root")
        .header("x_plinto_roles", "owner")
        .header("X-Plinto-Organization", "org_root")
        .header("x-http-method-override", "DELETE")
        .header("x-forwarded-host", "evil.example.com")
        .header("x-forwarded-for", "10.0.0.1")
        .header("x-real-ip", "10.0.0.1")
        .header("remote-user", "root")
        .header("cf-connecting-ip", "203.0.113.7")
        .header("x-request-id", "mine")
        .header("proxy", "http://evil.example.com")
        .header("X-Goog-Authenticated-User-Email", "root")
        .header("CF_Access.Jwt-Assertion", "e30")
        .header("client-ip", "10.0.0.1")
        .header("x-kept", "yes")
        .body(vec![b'x'; 3_000_000])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-plinto-sequence"], "1");
    let request_id = answer.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let seen: Value = answer.json().await.unwrap();
    let headers = &seen["headers"];
    let claims = stage.authority.claims();
    assert_eq!(seen["method"], "PUT");
    assert_eq!(seen["target"], "/documents/a%20b?x=%2F&y");
    assert_eq!(seen["body_bytes"], 3_000_000);
    assert_eq!(headers["x-plinto-subject"], claims.sub.to_string());
    assert_eq!(
        headers["x-plinto-organization"],
        claims.org.unwrap().to_string()
    );
    assert_eq!(headers["x-plinto-roles"], "editor");
    assert_eq!(headers["x_plinto_roles"], Value::Null);
    assert_eq!(headers["x-http-method-override"], Value::Null);
    assert_eq!(
        headers["x-forwarded-host"],
        edge.url().replace("http://", "")
    );
    assert_eq!(headers["x-forwarded-for"], "203.0.113.7");
    assert_eq!(headers["x-real-ip"], Value::Null);
    for name in [
        "remote-user",
        "proxy",
        "x-goog-authenticated-user-email",
        "cf_access.jwt-assertion",
        "client-ip",
    ] {
        assert_eq!(headers[name], Value::Null, "{name}");
    }
    assert_eq!(headers["x-client-request-id"], "mine");
    assert_eq!(headers["x-request-id"], request_id.as_str());
    assert_eq!(headers["x-kept"], "yes");

    let moved = ask(reqwest::Method::GET, "/documents/moved")
        .send()
        .await
        .unwrap();
    assert_eq!(moved.status(), 302);
    assert_eq!(moved.headers()["location"], "/documents/7");

    let body = "streamed ".repeat(200_000);
    let echo = ask(reqwest::Method::POST, "/documents/echo").body(body.clone());
    let echo = echo.send().await.unwrap();
    assert!(echo.headers().get("x-plinto-subject").is_none());
    assert_eq!(echo.headers().get_all("set-cookie").iter().count(), 2);
    assert_eq!(echo.text().await.unwrap(), body);

    for path in ["/documents/..%2f7", "/documents//7", "/documents/7;a"] {
        let answer = ask(reqwest::Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{path}");
    }
}

/// RFC 6750 §3, RFC 9728: a client without a token learns where tokens come from.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_a_token_finds_the_issuer() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.edge(&[]).await;
    let get = async |path: &str| {
        stage
            .http
            .get(format!("{}{path}", edge.url()))
            .send()
            .await
            .unwrap()
    };
    let refused = get("/documents/7").await;
    assert_eq!(refused.status(), 401);
    let challenge = refused.headers()["www-authenticate"]
        .to_str()
        .unwrap()
        .to_owned();
    let page = "/.well-known/oauth-protected-resource";
    let expected = format!("Bearer resource_metadata=\"{AUDIENCE}{page}\"");
    assert_eq!(challenge, expected);
    let metadata: Value = get(page).await.json().await.unwrap();
    assert_eq!(metadata["resource"], AUDIENCE);
    assert_eq!(
        metadata["authorization_servers"],
        json!([stage.authority.issuer])
    );
    assert_eq!(get("/").await.status(), 200);
    assert_eq!(get("/.plinto/secrets").await.status(), 404);

    let health = get("/.plinto/health").await;
    assert_eq!(health.status(), 200);
    let health: Value = health.json().await.unwrap();
    assert_eq!(health["status"], "ready");
    assert_eq!(health["bundle"]["sequence"], 1);
    assert_eq!(health["revocations"]["version"], 1);
    assert_eq!(health["keys"]["state"], "usable");
    assert_eq!(health["keys"]["usable"], 1);
    assert_eq!(health["keys"]["skipped"], 0);
}

/// Wrong variables are named, at the start and in every refusal.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_variable_is_named_at_the_start() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage
        .edge(&[("TENANT", "acme"), ("REVOCATION_MAX_AGE_MS", "never")])
        .await;
    let log = edge.log();
    assert!(log.contains("edge configuration: TENANT"), "{log}");
    assert!(
        log.contains("edge configuration: REVOCATION_MAX_AGE_MS"),
        "{log}"
    );
    let answer = stage.http.get(edge.url()).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["code"], "edge_misconfigured");
    assert!(
        body["detail"].as_str().unwrap().contains("TENANT"),
        "{body}"
    );
}

/// Warm requests ask nobody; unchanged documents cost a 304; a new one decides within 2 s, and a
/// bundle that is not right changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn documents_are_asked_for_with_their_etag_and_bad_ones_are_refused() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.edge(&[]).await;
    let token = stage.authority.token(&stage.authority.claims());
    assert_eq!(stage.read(&edge, &token).await.0, 200);
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(2_500) {
        assert_eq!(stage.read(&edge, &token).await.0, 200);
    }
    for path in [POLICY, REVOCATIONS] {
        let asked = stage.published.asked(path);
        assert_eq!(
            asked.iter().filter(|status| **status == 200).count(),
            1,
            "{path}: {asked:?}"
        );
        assert!(
            asked.contains(&304) && asked.len() <= 12,
            "{path}: {asked:?}"
        );
    }
    assert_eq!(stage.published.asked(TOKEN_KEYS), [200]);
    assert_eq!(stage.published.asked(BUNDLE_KEYS), [200]);

    // a replayed, an altered and a stranger's bundle: the old one stays in force
    let closed = Activated {
        sequence: 2,
        policy: CLOSED.to_owned(),
        ..stage.authority.activated()
    };
    let stranger = SigningKey::generate(Algorithm::Es256).unwrap();
    let mut altered = stage.authority.bundle(&closed);
    let last = altered.len() - 20;
    altered[last] ^= 1;
    for bad in [
        altered,
        stage.authority.bundle_by(&stranger, &closed),
        stage.authority.unsigned_bundle(&closed),
    ] {
        stage.published.set(POLICY, Answer::Bytes(bad));
        let before = stage.published.asked(POLICY).len();
        until(
            "the bad bundle is fetched",
            Duration::from_secs(30),
            async || {
                assert_eq!(stage.read(&edge, &token).await.0, 200);
                (stage.published.asked(POLICY).len() > before).then_some(())
            },
        )
        .await;
        assert_eq!(stage.read(&edge, &token).await.0, 200);
    }
    stage
        .published
        .set(POLICY, Answer::Bytes(stage.authority.bundle(&closed)));
    until(
        "the new bundle decides",
        Duration::from_secs(15),
        async || (stage.read(&edge, &token).await.0 == 403).then_some(()),
    )
    .await;
    // and once it is in force, the one before is a replay
    let first = stage.authority.bundle(&stage.authority.activated());
    stage.published.set(POLICY, Answer::Bytes(first));
    let before = stage.published.asked(POLICY).len();
    until(
        "the replay is fetched",
        Duration::from_secs(30),
        async || {
            assert_eq!(stage.read(&edge, &token).await.0, 403);
            (stage.published.asked(POLICY).len() > before).then_some(())
        },
    )
    .await;
    assert_eq!(stage.read(&edge, &token).await.0, 403);
}

/// T14: a key set's address that redirects is not followed.
#[tokio::test(flavor = "multi_thread")]
async fn redirected_keys_are_refused() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let elsewhere = "/elsewhere/jwks.json";
    stage
        .published
        .set(elsewhere, Answer::Bytes(stage.authority.token_jwks()));
    let to = format!("{}{elsewhere}", stage.origin);
    stage.published.set(TOKEN_KEYS, Answer::Redirect(to));
    let edge = stage.edge(&[]).await;
    let token = stage.authority.token(&stage.authority.claims());
    let (status, body) = stage.read(&edge, &token).await;
    assert_eq!((status, &body["code"]), (503, &json!("edge_not_ready")));
    assert_eq!(stage.published.asked(elsewhere), [] as [u16; 0]);
    assert!(!stage.published.asked(TOKEN_KEYS).is_empty());
}

/// A control plane that accepts and never answers costs a warm edge one time-out, not every request;
/// a new isolate answers from what its data centre has, and one with nothing refuses, within it too.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_control_plane_does_not_hang_the_edge() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.edge(&[]).await;
    let token = stage.authority.token(&stage.authority.claims());
    let timed = async |edge: &Edge| {
        let asked_at = Instant::now();
        let answer = tokio::time::timeout(NEVER, stage.read(edge, &token)).await;
        let (status, body) = answer.expect("the request hangs");
        assert!(asked_at.elapsed() < BOUND, "{:?}", asked_at.elapsed());
        (status, body, asked_at.elapsed())
    };
    assert_eq!(stage.read(&edge, &token).await.0, 200);
    for path in [TOKEN_KEYS, BUNDLE_KEYS, POLICY, REVOCATIONS] {
        stage.published.set(path, Answer::Silence);
    }
    let (mut quick, mut slow) = (0, 0);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(8) {
        let (status, body, took) = timed(&edge).await;
        assert_eq!(status, 200, "{body}");
        if took > Duration::from_secs(1) {
            slow += 1;
        } else {
            quick += 1;
        }
    }
    assert!(
        quick > slow,
        "{slow} of {} requests were slow",
        quick + slow
    );
    let fresh = stage.again(edge).await;
    let (status, body, _) = timed(&fresh).await;
    assert_eq!(status, 200, "{body}");
    let cold = stage.edge(&[]).await;
    let (status, body, _) = timed(&cold).await;
    assert_eq!(status, 503, "{body}");
}

/// Twice what a request waits at most, for a machine that is busy with other tests.
const BOUND: Duration = Duration::from_secs(6);

/// Beyond any bound of the edge's own, on however busy a machine.
const NEVER: Duration = Duration::from_mins(1);

/// The hard limit in real time: past it the edge fails closed, and comes back by itself.
#[tokio::test(flavor = "multi_thread")]
async fn past_the_hard_limit_the_edge_refuses_and_recovers() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.edge(&[("REVOCATION_HARD_LIMIT_S", "3")]).await;
    let token = stage.authority.token(&stage.authority.claims());
    assert_eq!(stage.read(&edge, &token).await.0, 200);
    stage.published.set(REVOCATIONS, Answer::Broken);
    let (began, mut last) = (Instant::now(), Duration::ZERO);
    until(
        "the hard limit passes",
        Duration::from_secs(20),
        async || {
            let asked_at = began.elapsed();
            let (status, body) = stage.read(&edge, &token).await;
            if status == 200 {
                last = asked_at;
                return None;
            }
            assert_eq!((status, &body["code"]), (503, &json!("revocation_unknown")));
            Some(())
        },
    )
    .await;
    assert!(last < Duration::from_millis(3_500), "passed after {last:?}");
    stage.publish_all();
    until("it recovers", Duration::from_secs(15), async || {
        (stage.read(&edge, &token).await.0 == 200).then_some(())
    })
    .await;
}

/// T7: the edge's clock and leeway decide about expiry, on the real clock.
#[tokio::test(flavor = "multi_thread")]
async fn expiry_counts_on_the_platform_s_clock() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.edge(&[]).await;
    let mut claims = stage.authority.claims();
    claims.exp = super::published::now().plus_seconds(-CLOCK_LEEWAY_S - 1);
    let (status, body) = stage.read(&edge, &stage.authority.token(&claims)).await;
    assert_eq!((status, &body["code"]), (401, &json!("token_expired")));
    claims.exp = super::published::now().plus_seconds(60);
    assert_eq!(
        stage.read(&edge, &stage.authority.token(&claims)).await.0,
        200
    );
}
