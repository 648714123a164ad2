//! Endpoints for operators: health, readiness, version, figures, the `OpenAPI` document and its page.
//! The pages about problem codes stand in `problem_pages.rs`.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use plinto_contract::problem::Code;
use plinto_platform::{
    Platform,
    http::{ApiError, Json, Slots, cors, layers},
};
use plinto_tenancy::tenants;
use serde_json::json;
use tokio::{sync::Mutex, time::timeout};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{openapi::TENANT, problem_pages};

/// The page's own scripts and styles, and nothing from elsewhere. Its styles are set inline by its
/// scripts, which is why styles alone may be.
const DOCS_CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
     form-action 'none'";

/// 1 s: what is not to be had for this long is refused to requests, too, or keeps them waiting.
const MOMENT: Duration = Duration::from_secs(1);
/// 100 ms: how long a check of readiness answers for.
const CHECK_SHARED: Duration = Duration::from_millis(100);

/// Mounts them. `api`: the document that they serve.
pub fn routes(api: &OpenApi) -> Router<Platform> {
    let text: Arc<str> = api.to_json().unwrap_or_default().into();
    let described =
        move |State(platform): State<Platform>| description(platform, Arc::clone(&text));
    let docs = Router::new()
        .merge(SwaggerUi::new("/docs").config(Config::new(["/openapi.json"])))
        .route("/openapi.json", get(described))
        .method_not_allowed_fallback(layers::method_not_allowed)
        .layer(middleware::from_fn(docs_headers))
        .layer(cors::for_everybody());
    Router::new()
        .route("/", get(start))
        .route("/healthz", get(healthz))
        .route(
            "/readyz",
            get(readyz).layer(Extension(Arc::new(LastCheck::default()))),
        )
        .route("/version", get(version))
        .route("/metrics", get(figures))
        .merge(problem_pages::routes())
        .merge(docs)
}

/// Whoever comes without knowing where to go finds the API's page.
async fn start() -> Redirect {
    Redirect::temporary("/docs/")
}

/// The process runs.
async fn healthz() -> &'static str {
    "ok\n"
}

/// The process can answer requests: it is not stopping, and within a moment there is a slot, an
/// answer of the database, and a turn to write.
async fn readyz(
    State(platform): State<Platform>,
    Extension(last): Extension<Arc<LastCheck>>,
) -> Result<&'static str, ApiError> {
    if platform.stopping.is_cancelled() {
        return Err(ApiError::new(Code::Unavailable, "the server is stopping"));
    }
    last.checked(&platform).await?;
    Ok("ready\n")
}

/// The last check of readiness and when it ended. Whoever asks at the same time, or just after, shares
/// it: nobody takes writers' turns by asking often.
#[derive(Debug, Default)]
struct LastCheck(Mutex<Option<(Instant, Result<(), ApiError>)>>);

impl LastCheck {
    async fn checked(&self, platform: &Platform) -> Result<(), ApiError> {
        let mut last = self.0.lock().await;
        if let Some((at, result)) = &*last
            && at.elapsed() < CHECK_SHARED
        {
            return result.clone();
        }
        let result = check(platform).await;
        *last = Some((Instant::now(), result.clone()));
        result
    }
}

async fn check(platform: &Platform) -> Result<(), ApiError> {
    let (slot, answer, turn) = tokio::join!(
        timeout(MOMENT, async {
            platform
                .state::<Slots>()
                .work()
                .acquire_owned()
                .await
                .is_ok()
        }),
        timeout(MOMENT, platform.db.ping()),
        timeout(MOMENT, platform.db.wait_to_write()),
    );
    if slot.is_err() {
        let detail = "all slots for requests are taken";
        return Err(ApiError::new(Code::Overloaded, detail));
    }
    answer.map_err(|_| busy("the database has no connection free, or does not answer"))??;
    turn.map_err(|_| busy("writes wait for their turn"))??;
    Ok(())
}

fn busy(detail: &str) -> ApiError {
    ApiError::new(Code::Unavailable, detail)
}

/// The API's description, with the tenant filled in where there is only one.
async fn description(platform: Platform, text: Arc<str>) -> Response {
    let slug = tenants::only(&platform).await.ok().flatten();
    let text = match slug {
        Some(slug) => text.replace(&format!("\"{TENANT}\""), &format!("\"{slug}\"")),
        None => text.to_string(),
    };
    let content_type = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}

async fn version(State(platform): State<Platform>) -> Json<serde_json::Value> {
    Json(json!({
        "name": "plinto-control-plane",
        "version": env!("CARGO_PKG_VERSION"),
        "database": platform.db.engine(),
    }))
}

async fn figures(State(platform): State<Platform>) -> Response {
    let Some(recorder) = recorder() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    metrics::counter!("plinto_db_transactions_total").absolute(platform.db.transactions());
    if let Some(commits) = platform.db.group_commits() {
        metrics::counter!("plinto_sqlite_group_commits_total").absolute(commits);
    }
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, content_type)], recorder.render()).into_response()
}

/// The process's figures; the recorder is installed at the first use.
pub fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: std::sync::OnceLock<Option<PrometheusHandle>> = std::sync::OnceLock::new();
    const SECONDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];
    RECORDER
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new()
                .set_buckets(&SECONDS)
                .ok()?
                .install_recorder()
                .ok()?;
            describe();
            Some(recorder)
        })
        .as_ref()
}

/// What each figure means, for whoever looks at them.
fn describe() {
    metrics::describe_counter!(
        "plinto_http_requests_total",
        "Requests answered, by method, route and status."
    );
    metrics::describe_histogram!(
        "plinto_http_request_duration_seconds",
        metrics::Unit::Seconds,
        "Time from a request's headers to its answer, by method, route and status."
    );
    metrics::describe_counter!(
        "plinto_db_transactions_total",
        "Transactions begun, those that only read included."
    );
    metrics::describe_histogram!(
        "plinto_background_duration_seconds",
        metrics::Unit::Seconds,
        "Time of a round of background work, by task."
    );
    metrics::describe_counter!(
        "plinto_background_failures_total",
        "Rounds of background work that failed and are tried again, by task."
    );
    metrics::describe_counter!(
        "plinto_events_sequenced_total",
        "Events that were numbered; where the database has an outbox."
    );
    metrics::describe_histogram!(
        "plinto_event_lag_seconds",
        metrics::Unit::Seconds,
        "Time from an event to its number, of the oldest in each batch; where the database has an outbox."
    );
    metrics::describe_counter!(
        "plinto_event_sequencing_failures_total",
        "Rounds of numbering events that failed and are tried again."
    );
    metrics::describe_counter!(
        "plinto_sqlite_group_commits_total",
        "Disk flushes of the SQLite writer, each for a group of transactions."
    );
}

/// Takes in what was measured since the last time. The recorder keeps every single sample until
/// then, so somebody must call this again and again, whether anybody reads the figures or not.
pub fn take_in_figures() {
    if let Some(recorder) = recorder() {
        recorder.run_upkeep();
    }
}

async fn docs_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(DOCS_CSP),
    );
    response
}
