//! What wraps every request: its name, its log line, its limits, the headers of its answer.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use plinto_contract::{headers, ids::RequestId, limits::BUNDLE_PACKED_BYTES, problem::Code};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tracing::Instrument;

use crate::{
    Platform,
    actor::Actor,
    http::{
        ApiError, Ask, Bodies, Group, Groups, Overloaded, RateLimits, Slots,
        actor::{bearer, client_ip},
        rate_limit::network,
        shares::Full,
    },
    secret::Secret,
};

/// 128 characters: a client's own name for a request, when it is one.
const CLIENT_REQUEST_ID_MAX: usize = 128;

/// 2 MiB: the largest body, a bundle. Its reader says what is wrong with one that is too large.
const LARGE_BODY_BYTES: usize = BUNDLE_PACKED_BYTES * 2;

/// The request's name, in its extensions.
#[derive(Debug, Clone, Copy)]
pub struct RequestName(pub RequestId);

/// Names the request, logs and counts its answer. The outermost layer.
pub async fn name_and_log(
    State(platform): State<Platform>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let id: RequestId = platform.random.id(platform.clock.now());
    request.extensions_mut().insert(RequestName(id));
    let method = method_name(request.method());
    // The route, never the path: a path may hold what must not be logged.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str)
        .to_owned();
    let client_name = client_request_id(&request);
    let span = tracing::info_span!("request", request_id = %id, method, route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    let elapsed = started.elapsed();
    span.in_scope(|| {
        let duration_ms = elapsed.as_secs_f64() * 1_000.0;
        tracing::info!(
            status = status.as_u16(),
            duration_ms,
            client_request_id = client_name.as_deref(),
            "request answered"
        );
    });
    count(method, route, status, elapsed);
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response
            .headers_mut()
            .insert(HeaderName::from_static(headers::REQUEST_ID), value);
    }
    if let Some(value) = client_name.and_then(|name| HeaderValue::try_from(name).ok()) {
        response
            .headers_mut()
            .insert(HeaderName::from_static(headers::CLIENT_REQUEST_ID), value);
    }
    response
}

/// The method, if it is one of HTTP's own (RFC 9110 §9.3, RFC 5789). Any other is whatever the
/// client wrote: each would be a time series of its own, kept for ever.
fn method_name(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = [
        "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE",
    ];
    KNOWN
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("other")
}

fn count(method: &'static str, route: String, status: StatusCode, elapsed: Duration) {
    let labels = [
        ("method", method.to_owned()),
        (
            "route",
            if route.is_empty() {
                "none".to_owned()
            } else {
                route
            },
        ),
        ("status", status.as_u16().to_string()),
    ];
    metrics::counter!("plinto_http_requests_total", &labels).increment(1);
    metrics::histogram!("plinto_http_request_duration_seconds", &labels)
        .record(elapsed.as_secs_f64());
}

/// Printable ASCII only: it goes back into a header and into a log line.
fn client_request_id(request: &Request) -> Option<String> {
    request
        .headers()
        .get(headers::CLIENT_REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|name| {
            (1..=CLIENT_REQUEST_ID_MAX).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_graphic())
        })
        .map(str::to_owned)
}

/// Headers that every answer carries unless a handler chose its own. Statement W8.
pub async fn security_headers(
    State(platform): State<Platform>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut or_default = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    or_default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    or_default(header::X_FRAME_OPTIONS, "DENY");
    or_default(header::REFERRER_POLICY, "no-referrer");
    or_default(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    );
    or_default(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-site",
    );
    or_default(header::CACHE_CONTROL, "no-store");
    if platform.config.public_url.is_https() {
        or_default(
            header::STRICT_TRANSPORT_SECURITY,
            "max-age=31536000; includeSubDomains",
        );
    }
    response
}

/// Bounds a request's time: that of its work, and beside it how long it may wait for something to
/// happen.
pub async fn time_limit(
    State((platform, groups)): State<(Platform, Groups)>,
    request: Request,
    next: Next,
) -> Response {
    let group = groups.of(request.extensions().get::<MatchedPath>());
    let work = Duration::from_secs(platform.config.http.timeout_s);
    let limit = work + group.map_or(Duration::ZERO, |group| group.may_wait);
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::new(Code::RequestTimeout, Code::RequestTimeout.title()).into_response(),
    }
}

/// Waits for the body, so that nobody who sends slowly holds a slot.
pub async fn whole_body(
    State(platform): State<Platform>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let address = client_ip(&parts, &platform.config.http).map(network);
    let limit = platform.config.http.body_bytes;
    match platform.state::<Bodies>().read(address, body, limit).await {
        Ok(body) => next.run(Request::from_parts(parts, body)).await,
        Err(error) => readable_by_pages(error.into_response()),
    }
}

/// Waits for the rest of a body that only those with a good API key may send. Runs after
/// authentication.
pub async fn large_body(
    State(platform): State<Platform>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    // A person with rights in an organization at most, as any user may be, has nothing large to send.
    let actor = parts.extensions.get::<Actor>();
    let actor = actor.filter(|actor| !actor.permissions.is_empty());
    let Some(tenant) = actor.map(|actor| actor.tenant) else {
        return next.run(Request::from_parts(parts, body)).await;
    };
    match platform
        .state::<Bodies>()
        .read_large(tenant, body, LARGE_BODY_BYTES)
        .await
    {
        Ok(body) => next.run(Request::from_parts(parts, body)).await,
        Err(error) => error.into_response(),
    }
}

/// Bounds how many requests run at once: the rest are told to come again instead of waiting.
pub async fn slot(State(platform): State<Platform>, mut request: Request, next: Next) -> Response {
    let Ok(slot) = platform.state::<Slots>().work().try_acquire_owned() else {
        return readable_by_pages(ApiError::from(Overloaded).into_response());
    };
    let slot = WorkSlot(Arc::new(Mutex::new(Some(slot))));
    request.extensions_mut().insert(slot.clone());
    let response = next.run(request).await;
    drop(slot);
    response
}

/// The slot of a request, in its extensions: work that goes on when the client has gone keeps it.
#[derive(Debug, Clone)]
pub struct WorkSlot(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl WorkSlot {
    /// Gives it back while the request waits for something to happen: others work meanwhile.
    pub fn give_back(&self) {
        self.permit().take();
    }

    /// Takes one again. Errors: `Overloaded`, when there is none.
    pub fn take_again(&self, platform: &Platform) -> Result<(), Overloaded> {
        let slots = platform.state::<Slots>().work();
        let permit = slots.try_acquire_owned().map_err(|_| Overloaded)?;
        self.permit().replace(permit);
        Ok(())
    }

    fn permit(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for WorkSlot {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let slot = parts.extensions.get::<Self>().cloned();
        slot.ok_or_else(|| ApiError::from(Overloaded))
    }
}

/// The same for public documents: edges get theirs while all else is taken, and while one address
/// asks for more than its share.
pub async fn document_slot(
    State(platform): State<Platform>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let address = client_ip(&parts, &platform.config.http).map(network);
    match platform.state::<Slots>().documents.acquire(address) {
        Ok(_slot) => next.run(Request::from_parts(parts, body)).await,
        Err(Full::All) => ApiError::from(Overloaded).into_response(),
        Err(Full::Share) => {
            let detail = "too many documents are being read for this address";
            ApiError::new(Code::RateLimited, detail)
                .retry_after(1)
                .into_response()
        }
    }
}

/// Whose budget a request is paid from.
#[derive(Debug, Clone)]
pub struct Budgets {
    /// Has the budgets.
    pub platform: Platform,
    /// Who pays depends on what a request asks for.
    pub groups: Groups,
    /// Whether a credential is one that we made, and so has a budget of its own. Asked before any
    /// budget is charged: it must cost next to nothing, and nobody may be able to make one up.
    pub has_own: fn(&Platform, &str) -> bool,
}

/// Bounds a client's requests. Requests without an address (tests, in process) pass.
pub async fn rate_limit(
    State(Budgets {
        platform,
        groups,
        has_own,
    }): State<Budgets>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Some(ip) = client_ip(&parts, &platform.config.http) else {
        return next.run(Request::from_parts(parts, body)).await;
    };
    let route = parts.extensions.get::<MatchedPath>();
    let group = groups.of(route);
    let ask = group.map_or_else(
        || Ask::beside_groups(route.map_or("", MatchedPath::as_str)),
        |group| group.ask,
    );
    let credential = bearer(&parts.headers).ok().flatten();
    let credential = credential.as_ref().map(Secret::expose);
    let own = credential
        .filter(|_| group.is_some_and(Group::takes_api_keys))
        .filter(|credential| has_own(&platform, credential));
    let (limit_headers, result) = platform.state::<RateLimits>().check(ip, ask, own);
    let mut response = match result {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(error) => readable_by_pages(error.into_response()),
    };
    response.headers_mut().extend(limit_headers);
    response
}

/// A page's script may learn that it asks too often, too slowly or of a busy server, and when to come
/// again: this is said before anybody looks whose page it is, and tells nothing else.
fn readable_by_pages(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("retry-after,ratelimit,ratelimit-policy,x-request-id"),
    );
    response
}

/// What is answered to a method that a path does not know.
#[expect(clippy::unused_async, reason = "axum wants a handler to be async")]
pub async fn method_not_allowed() -> ApiError {
    ApiError::new(Code::MethodNotAllowed, Code::MethodNotAllowed.title())
}

/// What is answered when a handler panicked; the process lives on, and the panic hook has logged it.
pub fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    ApiError::new(Code::Internal, Code::Internal.title()).into_response()
}
