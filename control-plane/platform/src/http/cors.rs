//! What pages in a browser may read of us. Source: Fetch Standard §3.2.
//!
//! Credentials are tokens in a header, which a page must have to send; no cookie is ever one. So a
//! page of another origin can do no more than its own server could, and what is public is public for
//! every page.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header, request::Parts};
use plinto_contract::headers;
use tower_http::cors::{AllowHeaders, AllowOrigin, Any, CorsLayer};

/// 10 min: how long a browser goes by an answer to a preflight. Chrome keeps none for longer than two
/// hours; this short, a removed origin is soon refused.
const MAX_AGE: Duration = Duration::from_mins(10);

/// For documents that everybody may read.
pub fn for_everybody() -> CorsLayer {
    layer()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers(AllowHeaders::mirror_request())
        // The same answer for every origin: caches keep one.
        .vary([])
}

/// For what people use from a page of their application.
/// `allows`: whether an origin is one of those that the request's tenant names.
pub fn for_origins<F, A>(allows: F) -> CorsLayer
where
    F: Fn(&Parts, String) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = bool> + Send + 'static,
{
    let is_allowed = AllowOrigin::async_predicate(move |origin: HeaderValue, parts: &Parts| {
        let origin = origin.to_str().unwrap_or_default().to_owned();
        allows(parts, origin)
    });
    layer()
        .allow_origin(is_allowed)
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static(headers::CLIENT_REQUEST_ID),
        ])
}

fn layer() -> CorsLayer {
    CorsLayer::new().max_age(MAX_AGE).expose_headers([
        header::AGE,
        header::ETAG,
        header::LOCATION,
        header::RETRY_AFTER,
        header::WWW_AUTHENTICATE,
        HeaderName::from_static(headers::REQUEST_ID),
        HeaderName::from_static("ratelimit"),
        HeaderName::from_static("ratelimit-policy"),
        HeaderName::from_static("idempotent-replayed"),
    ])
}
