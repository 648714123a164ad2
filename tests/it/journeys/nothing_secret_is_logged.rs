//! N17, W6, W9: passwords, tokens, keys and addresses never reach log, events, export, figures or, but for an
//! address where it belongs, the database, whatever goes wrong.

use std::time::Duration;

use plinto_tests::process::{CommandLine, ControlPlane, until};
use serde_json::{Value, json};

use super::AUDIENCE;

#[expect(
    clippy::too_many_lines,
    reason = "one walk, and all that it leaves behind"
)]
#[tokio::test(flavor = "multi_thread")]
async fn no_log_line_holds_a_secret_or_an_address() {
    let mut server = ControlPlane::start_with(&[("PLINTO_LOG_FILTER", "debug")]).await;
    let tenant = server.bootstrap("acme", AUDIENCE);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = |path: &str| format!("{}{path}", tenant.issuer);
    let (email, password) = (
        "canary-address@example.com",
        "canary password of four words",
    );
    let person = json!({ "email": email, "password": password });

    let answer = http
        .post(url("/v1/sign_up"))
        .json(&person)
        .send()
        .await
        .unwrap();
    let signed_up: Value = answer.json().await.unwrap();
    let text = |name: &str| signed_up[name].as_str().unwrap().to_owned();
    let (access, refresh) = (text("access_token"), text("refresh_token"));
    let wrong = json!({ "email": email, "password": "canary guess of four words" });
    http.post(url("/v1/sign_in"))
        .json(&wrong)
        .send()
        .await
        .unwrap();
    let malformed = format!("{{\"email\": \"{email}\", \"password\": 7, \"canary-member\": 1}}");
    let request = http
        .post(url("/v1/sign_in"))
        .header("content-type", "application/json");
    request.body(malformed).send().await.unwrap();
    http.get(url("/v1/me"))
        .bearer_auth(&access)
        .send()
        .await
        .unwrap();
    http.get(url("/v1/me"))
        .bearer_auth("canary-token")
        .send()
        .await
        .unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &refresh),
        ("client_id", "plinto"),
    ];
    http.post(url("/oauth/token"))
        .form(&form)
        .send()
        .await
        .unwrap();
    http.post(url("/oauth/token"))
        .form(&form)
        .send()
        .await
        .unwrap();
    let users = format!("{}/v1/users", server.url());
    http.get(&users)
        .bearer_auth(&tenant.api_key)
        .send()
        .await
        .unwrap();
    http.get(&users)
        .bearer_auth("plinto_sk_canary")
        .send()
        .await
        .unwrap();
    let events = text_of(
        &http,
        &tenant.api_key,
        format!("{}/v1/audit/events?limit=100", server.url()),
    )
    .await;
    assert!(
        events.contains("sign_in.failed") && events.contains("session.refreshed"),
        "{events}"
    );
    let figures = text_of(&http, &tenant.api_key, format!("{}/metrics", server.url())).await;
    let plinto = CommandLine::new(&server.url(), &tenant.api_key);
    let folder = tempfile::tempdir().unwrap();
    let export = folder.path().join("export.ndjson");
    let exported = until("the log is signed", Duration::from_secs(30), async || {
        let output = plinto.run(&["audit", "export", "--force", export.to_str().unwrap()]);
        let exported = std::fs::read_to_string(&export).unwrap_or_default();
        (output.status.success() && exported.contains("session.refreshed")).then_some(exported)
    })
    .await;
    assert_eq!(server.stop().await, Some(0));

    let log = server.log();
    assert!(
        log.contains("sign_in"),
        "the log says nothing of the requests: {log}"
    );
    let secrets = [
        access.as_str(),
        &refresh,
        &tenant.api_key,
        password,
        email,
        "canary",
    ];
    for secret in secrets {
        for (place, text) in [
            ("events", &events),
            ("figures", &figures),
            ("export", &exported),
        ] {
            assert!(
                !text.contains(secret),
                "`{secret}` is in the {place}: {text}"
            );
        }
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "`{secret}` is in the log: {line:?}");
    }
    // A person's address is theirs to be found by; what opens something is kept by its digest.
    let database = std::fs::read(server.file()).unwrap();
    for secret in [
        access.as_str(),
        &refresh,
        &tenant.api_key,
        password,
        "canary guess",
    ] {
        let found = database
            .windows(secret.len())
            .any(|bytes| bytes == secret.as_bytes());
        assert!(!found, "`{secret}` is in the database");
    }
}

async fn text_of(http: &reqwest::Client, key: &str, url: String) -> String {
    let answer = http.get(url).bearer_auth(key).send().await.unwrap();
    answer.text().await.unwrap()
}
