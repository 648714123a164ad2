//! The sample application against the example policies: what they route, it serves.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use plinto_tests::process::{free_port, root, until};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// The application, in a process of its own.
struct App {
    child: Child,
    url: String,
    http: reqwest::Client,
}

impl App {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    async fn start_with(settings: &[(&str, &str)]) -> Self {
        let port = free_port();
        let child = Command::new("node")
            .arg(root().join("examples/sample-app/server.mjs"))
            .env("PORT", port.to_string())
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let app = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            http: reqwest::Client::new(),
        };
        until("the sample app", Duration::from_secs(30), async || {
            app.http.get(&app.url).send().await.ok()
        })
        .await;
        app
    }

    async fn ask(&self, method: &str, path: &str, obligations: &Value) -> (StatusCode, Value) {
        let method: Method = method.parse().unwrap();
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.url));
        request = request.header("x-plinto-obligations", obligations.to_string());
        if [Method::POST, Method::PUT, Method::PATCH].contains(&method) {
            request = request.json(&json!({ "title": path, "salary": 7 }));
        }
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        (status, serde_json::from_str(&text).unwrap_or_default())
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_the_example_policies_leads_somewhere() {
    let app = App::start().await;
    for policy in ["rbac-organizations", "conditions"] {
        let file = root().join(format!("examples/policies/{policy}/plinto/data.json"));
        let data: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        for route in data["routes"].as_array().unwrap() {
            let path = route["path"].as_str().unwrap().replace(['{', '}'], "");
            for method in route["methods"].as_array().unwrap() {
                let method = method.as_str().unwrap();
                // so that there is something to change, read or delete
                app.ask("PUT", &path, &json!({})).await;
                let (status, body) = app.ask(method, &path, &json!({})).await;
                assert!(status.is_success(), "{policy}: {method} {path}: {body}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_document_never_replaces_another() {
    let app = App::start().await;
    let nothing = json!({});
    let mut ids = Vec::new();
    for _ in 0..3 {
        let (status, made) = app.ask("POST", "/documents", &nothing).await;
        assert_eq!(status, StatusCode::CREATED);
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    let first = format!("/documents/{}", ids[0]);
    assert_eq!(
        app.ask("DELETE", &first, &nothing).await.0,
        StatusCode::NO_CONTENT
    );
    let (_, made) = app.ask("POST", "/documents", &nothing).await;
    assert!(
        !ids.contains(&made["id"].as_str().unwrap().to_owned()),
        "{made}"
    );
    let (_, listed) = app.ask("GET", "/documents", &nothing).await;
    // the two that come with the app, two of the three, and the new one
    assert_eq!(listed["documents"].as_array().unwrap().len(), 5);
}

/// Whoever goes round the edge, with whatever identity, is not answered.
#[tokio::test(flavor = "multi_thread")]
async fn an_application_with_a_secret_answers_nobody_but_the_edge() {
    let secret = "an-edge's-secret-of-32-characters";
    let app = App::start_with(&[("UPSTREAM_SECRET", secret)]).await;
    let ask = async |secret: Option<&str>| {
        let mut request = app.http.get(format!("{}/documents/welcome", app.url));
        request = request.header("x-plinto-subject", "user_somebody_else");
        if let Some(secret) = secret {
            request = request.header("x-plinto-upstream-secret", secret);
        }
        request.send().await.unwrap()
    };
    for wrong in [
        None,
        Some(""),
        Some("an-edge's"),
        Some("another-secret-of-32-characters!!"),
    ] {
        assert_eq!(
            ask(wrong).await.status(),
            StatusCode::FORBIDDEN,
            "{wrong:?}"
        );
    }
    let answer = ask(Some(secret)).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let body = answer.text().await.unwrap();
    assert!(
        body.contains("user_somebody_else") && !body.contains(secret),
        "{body}"
    );
}

/// What the `conditions` policy asks for when support reads somebody's record.
#[tokio::test(flavor = "multi_thread")]
async fn masked_members_stay_hidden() {
    let app = App::start().await;
    let path = "/people/user_1/records/1";
    app.ask("PUT", path, &json!({})).await;
    assert_eq!(app.ask("GET", path, &json!({})).await.1["salary"], 7);
    let mask = json!({ "mask": ["salary", "birth_date"] });
    assert_eq!(app.ask("GET", path, &mask).await.1["salary"], "***");
    let (_, listed) = app.ask("GET", "/people/user_1/records", &mask).await;
    assert_eq!(listed["records"][0]["salary"], "***");
}
