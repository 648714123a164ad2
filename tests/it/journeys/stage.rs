//! What every journey needs: a control plane, a relay before it, an application, an edge, people.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::{Request, State};
use plinto_tests::edge::Edge;
use plinto_tests::process::{Bootstrapped, CommandLine, ControlPlane, until};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::AUDIENCE;
use super::relay::Relay;
use super::tokens::TrustedKey;
use crate::setup::{BY_ROLE, PASSWORD, manifest};

/// What "within two seconds" allows: the promise.
pub(super) const PROMISED: Duration = Duration::from_secs(2);

/// Everything runs; dropped, everything stops.
pub(super) struct Stage {
    pub(super) server: ControlPlane,
    pub(super) tenant: Bootstrapped,
    pub(super) command_line: CommandLine,
    pub(super) relay: Relay,
    /// Published by the relay beside the tenant's own keys.
    pub(super) key: TrustedKey,
    pub(super) app: App,
    pub(super) edge: Edge,
    pub(super) http: reqwest::Client,
}

/// Somebody who has signed in.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) session: String,
    pub(super) token: String,
}

impl Stage {
    /// A tenant with the policy `BY_ROLE` in force and an edge that has seen it.
    pub(super) async fn start() -> Self {
        Self::start_with(&[], &[]).await
    }

    /// The same, with settings for the control plane and variables for the edge.
    pub(super) async fn start_with(settings: &[(&str, &str)], variables: &[(&str, &str)]) -> Self {
        let relay = Relay::start().await;
        let public_url = relay.url();
        let mut all = vec![
            ("PLINTO_PUBLIC_URL", public_url.as_str()),
            ("PLINTO_HTTP_REQUESTS_PER_MINUTE", "1000000"),
        ];
        all.extend_from_slice(settings);
        let server = ControlPlane::start_with(&all).await;
        relay.lead_to(&server.url());
        let key = TrustedKey::new();
        let published = key.clone();
        relay.edit(move |path| published.change(path));
        let tenant = server.bootstrap("acme", AUDIENCE);
        let command_line = CommandLine::new(&server.url(), &tenant.api_key);
        let app = App::start().await;
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        publish(&command_line, BY_ROLE);
        let edge = start_edge(&tenant, &app, variables).await;
        Self {
            server,
            tenant,
            command_line,
            relay,
            key,
            app,
            edge,
            http,
        }
    }

    /// Another edge before the same application, with nothing cached.
    pub(super) async fn cold_edge(&self) -> Edge {
        start_edge(&self.tenant, &self.app, &[]).await
    }

    /// Signs somebody up, as a member of a new organization with this role, and its owner: the
    /// first member always is.
    pub(super) async fn person(&self, name: &str, role: &str, permissions: &[&str]) -> Person {
        let email = format!("{name}@example.com");
        let body = json!({ "email": email, "password": PASSWORD });
        let url = format!("{}/v1/sign_up", self.tenant.issuer);
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        assert!(
            answer.status().is_success(),
            "{}",
            answer.text().await.unwrap()
        );
        let user = answer.json::<Value>().await.unwrap()["user"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let role_body =
            json!({ "key": role, "name": role, "description": "", "permissions": permissions });
        self.manage("/v1/roles", &role_body, &[StatusCode::CONFLICT])
            .await;
        let organization = self
            .manage(
                "/v1/organizations",
                &json!({ "slug": name, "name": name }),
                &[],
            )
            .await;
        let organization = organization["id"].as_str().unwrap();
        let members = format!("/v1/organizations/{organization}/members");
        self.manage(
            &members,
            &json!({ "user_id": user, "roles": [role, "owner"] }),
            &[],
        )
        .await;
        self.sign_in(&email, Some(organization)).await
    }

    /// Signs in.
    pub(super) async fn sign_in(&self, email: &str, organization: Option<&str>) -> Person {
        let body = json!({ "email": email, "password": PASSWORD, "organization_id": organization });
        let url = format!("{}/v1/sign_in", self.tenant.issuer);
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{status}: {body}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Person {
            id: text(&body["user"]["id"]),
            email: email.to_owned(),
            session: text(&body["session_id"]),
            token: text(&body["access_token"]),
        }
    }

    /// Asks the management API, with the tenant's key. Other answers than 2xx and `accepted` fail.
    pub(super) async fn manage(&self, path: &str, body: &Value, accepted: &[StatusCode]) -> Value {
        let url = format!("{}{path}", self.server.url());
        let request = self
            .http
            .post(url)
            .bearer_auth(&self.tenant.api_key)
            .json(body);
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(
            status.is_success() || accepted.contains(&status),
            "POST {path}: {status}: {text}"
        );
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// One request through the edge.
    pub(super) async fn through(&self, method: &str, path: &str, token: Option<&str>) -> Answer {
        ask(&self.http, &self.edge, method, path, token).await
    }

    /// Publishes a policy and puts it in force.
    pub(super) fn publish(&self, policy: &str) -> Value {
        publish(&self.command_line, policy)
    }

    /// Waits until the edge answers with this status, and says how long it took.
    pub(super) async fn until_status(
        &self,
        status: u16,
        path: &str,
        token: &str,
        within: Duration,
    ) -> Duration {
        let began = std::time::Instant::now();
        until(&format!("{status} from {path}"), within, async || {
            (self.through("GET", path, Some(token)).await.status == status).then_some(())
        })
        .await;
        began.elapsed()
    }
}

/// What came back through an edge.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) body: Value,
}

impl Answer {
    /// The problem's code.
    pub(super) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// A header of the request as the application saw it.
    pub(super) fn seen(&self, name: &str) -> Option<&str> {
        self.body["headers"][name].as_str()
    }
}

pub(super) async fn ask(
    http: &reqwest::Client,
    edge: &Edge,
    method: &str,
    path: &str,
    token: Option<&str>,
) -> Answer {
    let method = method.parse().unwrap();
    let mut request = http.request(method, format!("{}{path}", edge.url()));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    read(request.send().await.unwrap()).await
}

pub(super) async fn read(answer: reqwest::Response) -> Answer {
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Answer {
        status,
        headers,
        body,
    }
}

async fn start_edge(tenant: &Bootstrapped, app: &App, variables: &[(&str, &str)]) -> Edge {
    let upstream = app.url();
    let mut all = vec![
        ("ISSUER", tenant.issuer.as_str()),
        ("AUDIENCE", AUDIENCE),
        ("TENANT", tenant.tenant.as_str()),
        ("UPSTREAM", upstream.as_str()),
    ];
    all.extend_from_slice(variables);
    Edge::start(&all).await
}

/// The files of a policy whose routes are documents.
pub(super) fn policy_folder(policy: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let routes = json!({ "routes": [
        { "methods": ["GET"], "path": "/documents/{id}", "action": "document:read",
          "resource_type": "document", "resource_id": "{id}" },
        { "methods": ["PUT", "POST"], "path": "/documents/{id}", "action": "document:write",
          "resource_type": "document", "resource_id": "{id}" },
    ] });
    let manifest = serde_json::to_string(&manifest()).unwrap();
    std::fs::create_dir(folder.path().join("plinto")).unwrap();
    std::fs::write(folder.path().join("plinto/data.json"), routes.to_string()).unwrap();
    std::fs::write(folder.path().join(".manifest"), manifest).unwrap();
    std::fs::write(folder.path().join("authz.rego"), policy).unwrap();
    folder
}

pub(super) fn publish(command_line: &CommandLine, policy: &str) -> Value {
    let folder = policy_folder(policy);
    let folder = folder.path().to_str().unwrap();
    command_line.json(&["policy", "publish", folder, "--activate"])
}

/// Seconds since 1970.
pub(super) fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// The application behind the edge: answers with what it saw.
#[derive(Clone)]
pub(super) struct App {
    port: u16,
    requests: Arc<AtomicUsize>,
}

impl App {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(AtomicUsize::new(0));
        let router = axum::Router::new()
            .fallback(mirror)
            .with_state(requests.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, requests }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many requests have reached it.
    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

async fn mirror(State(requests): State<Arc<AtomicUsize>>, request: Request) -> axum::Json<Value> {
    requests.fetch_add(1, Ordering::SeqCst);
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 16 * 1024 * 1024).await.unwrap();
    let headers: serde_json::Map<String, Value> = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                Value::from(String::from_utf8_lossy(value.as_bytes())),
            )
        })
        .collect();
    axum::Json(json!({
        "method": parts.method.as_str(),
        "path": parts.uri.path(),
        "headers": headers,
        "body_bytes": body.len(),
    }))
}
