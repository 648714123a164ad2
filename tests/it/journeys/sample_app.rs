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
        let port = free_port();
        let child = Command::new("node")
            .arg(root().join("examples/sample-app/server.mjs"))
            .env("PORT", port.to_string())
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
