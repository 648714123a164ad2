//! The edge's documents over HTTP, served by whoever the test wants: an honest control plane, a
//! replaying cache, a redirecting stranger, one that never answers. And an application behind.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use plinto_contract::time::UnixSeconds;
use plinto_jose::Algorithm;
use plinto_tests::{
    authority::{AUDIENCE, Authority},
    edge::Edge,
};
use serde_json::{Value, json};
use tokio::sync::watch;

pub(super) const TOKEN_KEYS: &str = "/t/acme/.well-known/jwks.json";
pub(super) const BUNDLE_KEYS: &str = "/t/acme/edge/keys";
pub(super) const POLICY: &str = "/t/acme/edge/bundle";
pub(super) const REVOCATIONS: &str = "/t/acme/edge/revocations";

/// How one address answers.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// With these bytes, and with 304 to who has them.
    Bytes(Vec<u8>),
    /// With a redirect there.
    Redirect(String),
    /// Never.
    Silence,
    /// As the others would, once the test says so.
    Held(watch::Receiver<bool>, Vec<u8>),
    /// With 500.
    Broken,
}

#[derive(Debug, Default)]
struct Shelf {
    answers: BTreeMap<String, Answer>,
    /// Path of every request, as it came.
    begun: Vec<String>,
    /// Path and status of every answer.
    asked: Vec<(String, u16)>,
}

/// A server of documents.
#[derive(Debug, Clone, Default)]
pub(super) struct Published(Arc<Mutex<Shelf>>);

impl Published {
    pub(super) fn set(&self, path: &str, answer: Answer) {
        self.0
            .lock()
            .unwrap()
            .answers
            .insert(path.to_owned(), answer);
    }

    pub(super) fn asked(&self, path: &str) -> Vec<u16> {
        let held = self.0.lock().unwrap();
        let of_path = held.asked.iter().filter(|(asked, _)| asked == path);
        of_path.map(|(_, status)| *status).collect()
    }

    /// How many requests have come, answered or not.
    pub(super) fn begun(&self, path: &str) -> usize {
        let held = self.0.lock().unwrap();
        held.begun.iter().filter(|begun| *begun == path).count()
    }

    async fn answer(&self, request: Request) -> Response {
        let path = request.uri().path().to_owned();
        let answer = {
            let mut held = self.0.lock().unwrap();
            held.begun.push(path.clone());
            held.answers.get(&path).cloned()
        };
        let known = request.headers().get(header::IF_NONE_MATCH).cloned();
        let answer = match answer {
            Some(Answer::Held(mut released, bytes)) => {
                released.wait_for(|released| *released).await.unwrap();
                Some(Answer::Bytes(bytes))
            }
            other => other,
        };
        let response = match answer {
            Some(Answer::Bytes(bytes)) => {
                let etag = format!("\"{}\"", checksum(&bytes));
                if known.is_some_and(|known| known == etag.as_str()) {
                    StatusCode::NOT_MODIFIED.into_response()
                } else {
                    ([(header::ETAG, etag)], bytes).into_response()
                }
            }
            Some(Answer::Redirect(to)) => {
                (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
            }
            Some(Answer::Silence | Answer::Held(..)) => std::future::pending().await,
            Some(Answer::Broken) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        };
        let status = response.status().as_u16();
        self.0.lock().unwrap().asked.push((path, status));
        response
    }
}

/// FNV-1a: an `ETag` needs to change with the bytes, nothing more.
fn checksum(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// An authority whose documents are published, an application, and room for edges.
pub(super) struct Stage {
    pub(super) authority: Authority,
    pub(super) published: Published,
    pub(super) origin: String,
    pub(super) app: String,
    /// Method and target of every request that reached the application.
    pub(super) seen: Seen,
    /// How many of its answers are still going on.
    pub(super) flowing: Arc<AtomicUsize>,
    pub(super) http: reqwest::Client,
}

impl Stage {
    pub(super) async fn new(algorithms: &[Algorithm]) -> Self {
        let published = Published::default();
        let served = published.clone();
        let origin = serve(
            Router::new().fallback(async move |request: Request| served.answer(request).await),
        )
        .await;
        let seen = Seen::default();
        let flowing = Arc::default();
        let shared = (Arc::clone(&seen), Arc::clone(&flowing));
        let app = serve(Router::new().fallback(mirror).with_state(shared)).await;
        let authority = Authority::new(&format!("{origin}/t/acme"), algorithms, now());
        let stage = Self {
            published,
            origin,
            app,
            seen,
            flowing,
            authority,
            http: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
        };
        stage.publish_all();
        stage
    }

    pub(super) fn publish_all(&self) {
        for (path, bytes) in self.documents() {
            self.published.set(path, Answer::Bytes(bytes));
        }
    }

    /// All documents, and where they are.
    pub(super) fn documents(&self) -> [(&'static str, Vec<u8>); 4] {
        let authority = &self.authority;
        let feed = authority.signed_feed(&authority.feed(1)).into_bytes();
        [
            (TOKEN_KEYS, authority.token_jwks()),
            (BUNDLE_KEYS, authority.bundle_jwks()),
            (POLICY, authority.bundle(&authority.activated())),
            (REVOCATIONS, feed),
        ]
    }

    pub(super) async fn edge(&self, variables: &[(&str, &str)]) -> Edge {
        let tenant = self.authority.tenant.to_string();
        Edge::start(&self.variables(&tenant, variables)).await
    }

    /// An edge in workerd alone.
    pub(super) async fn bare(&self) -> Edge {
        let tenant = self.authority.tenant.to_string();
        Edge::bare(&self.variables(&tenant, &[])).await
    }

    /// Another isolate of that edge's data centre.
    pub(super) async fn again(&self, edge: Edge) -> Edge {
        let tenant = self.authority.tenant.to_string();
        edge.again(&self.variables(&tenant, &[])).await
    }

    fn variables<'a>(
        &'a self,
        tenant: &'a str,
        more: &[(&'a str, &'a str)],
    ) -> Vec<(&'a str, &'a str)> {
        let mut all = vec![
            ("ISSUER", self.authority.issuer.as_str()),
            ("AUDIENCE", AUDIENCE),
            ("TENANT", tenant),
            ("UPSTREAM", self.app.as_str()),
        ];
        all.extend_from_slice(more);
        all
    }

    pub(super) async fn read(&self, edge: &Edge, token: &str) -> (u16, Value) {
        let url = format!("{}/documents/7", edge.url());
        let answer = self.http.get(url).bearer_auth(token).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap())
    }
}

pub(super) fn now() -> UnixSeconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixSeconds(i64::try_from(since.as_secs()).unwrap())
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

/// An answer that comes drop by drop and does not end by itself.
fn drops(flowing: Arc<AtomicUsize>) -> Body {
    struct Flow(Arc<AtomicUsize>);
    impl Drop for Flow {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    flowing.fetch_add(1, Ordering::SeqCst);
    let pace = tokio::time::interval(Duration::from_millis(20));
    let drops = futures_util::stream::unfold((pace, Flow(flowing)), async |(mut pace, flow)| {
        pace.tick().await;
        Some((Ok::<_, std::io::Error>("data: drop\n\n"), (pace, flow)))
    });
    Body::from_stream(drops)
}

/// What has reached the application.
pub(super) type Seen = Arc<Mutex<Vec<String>>>;

/// The application: tells what it saw, or does what the path asks for.
async fn mirror(
    State((seen, flowing)): State<(Seen, Arc<AtomicUsize>)>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let line = format!("{} {}", parts.method, parts.uri);
    seen.lock().unwrap().push(line);
    match parts.uri.path() {
        "/documents/moved" => {
            return (StatusCode::FOUND, [(header::LOCATION, "/documents/7")]).into_response();
        }
        "/documents/echo" => {
            let headers = [
                ("x-plinto-subject", "user_of_the_application"),
                ("set-cookie", "a=1"),
            ];
            let mut response = (headers, Body::new(body)).into_response();
            let second = "b=2".parse().unwrap();
            response.headers_mut().append(header::SET_COOKIE, second);
            return response;
        }
        "/documents/slow" => return std::future::pending().await,
        "/documents/events" => {
            let headers = [(header::CONTENT_TYPE, "text/event-stream")];
            return (headers, drops(flowing)).into_response();
        }
        "/documents/endless" | "/public/endless" => return drops(flowing).into_response(),
        "/documents/long" => {
            let headers = [(header::CONTENT_LENGTH, 2 * 1024 * 1024)];
            return (headers, drops(flowing)).into_response();
        }
        _ => {}
    }
    let body: Bytes = axum::body::to_bytes(body, 32 * 1024 * 1024).await.unwrap();
    let headers: serde_json::Map<String, Value> = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                json!(String::from_utf8_lossy(value.as_bytes())),
            )
        })
        .collect();
    axum::Json(json!({
        "method": parts.method.as_str(),
        "target": parts.uri.to_string(),
        "headers": headers,
        "body_bytes": body.len(),
    }))
    .into_response()
}
