//! What stands between the edge and the control plane: passes everything on, and changes answers
//! when a test says so, as a broken cache or an attacker would.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Turns an answer's body into another.
pub(super) type Change = Box<dyn FnOnce(Vec<u8>) -> Vec<u8> + Send>;
/// Says what becomes of the answer for a path; `None` passes it on untouched.
type Edit = Arc<dyn Fn(&str) -> Option<Change> + Send + Sync>;

/// A proxy in this process.
#[derive(Clone)]
pub(super) struct Relay {
    port: u16,
    state: Arc<RelayState>,
}

struct RelayState {
    target: Mutex<String>,
    edit: Mutex<Option<Edit>>,
    paths: Mutex<Vec<String>>,
    http: reqwest::Client,
}

impl Relay {
    /// Starts one that leads nowhere yet.
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(RelayState {
            target: Mutex::new(String::new()),
            edit: Mutex::new(None),
            paths: Mutex::new(Vec::new()),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        });
        let router = axum::Router::new().fallback(pass).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, state }
    }

    /// Where it listens.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Leads to this origin from now on.
    pub(super) fn lead_to(&self, origin: &str) {
        origin.clone_into(&mut self.state.target.lock().unwrap());
    }

    /// Changes answers from now on.
    pub(super) fn edit(&self, edit: impl Fn(&str) -> Option<Change> + Send + Sync + 'static) {
        *self.state.edit.lock().unwrap() = Some(Arc::new(edit));
    }

    /// How many requests for a path that ends like this have passed.
    pub(super) fn count(&self, ending: &str) -> usize {
        self.state
            .paths
            .lock()
            .unwrap()
            .iter()
            .filter(|path| path.ends_with(ending))
            .count()
    }
}

async fn pass(State(state): State<Arc<RelayState>>, request: Request) -> Response {
    let (target, edit) = (
        state.target.lock().unwrap().clone(),
        state.edit.lock().unwrap().clone(),
    );
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 2 * 1024 * 1024).await.unwrap();
    let path = parts.uri.path().to_owned();
    state.paths.lock().unwrap().push(path.clone());
    let url = format!(
        "{target}{}",
        parts.uri.path_and_query().map_or("/", |path| path.as_str())
    );
    let mut headers = parts.headers;
    headers.remove(header::HOST);
    let change = edit.and_then(|edit| edit(&path));
    if change.is_some() {
        headers.remove(header::IF_NONE_MATCH);
    }
    let answer = state
        .http
        .request(parts.method, url)
        .headers(headers)
        .body(body)
        .send()
        .await;
    let Ok(answer) = answer else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    for name in [
        header::TRANSFER_ENCODING,
        header::CONTENT_LENGTH,
        header::CONNECTION,
    ] {
        headers.remove(name);
    }
    let mut bytes = answer.bytes().await.unwrap_or_default();
    if let Some(change) = change {
        headers.remove(header::ETAG);
        bytes = Bytes::from(change(bytes.to_vec()));
    }
    (status, headers, bytes).into_response()
}
