//! The revocation feed under an issuer.

use std::sync::Arc;

use axum::{Extension, body::Bytes, extract::State, http::HeaderMap, response::Response};
use plinto_platform::{
    Platform,
    http::{ApiError, CachePolicy, Path, aged, cached},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::service::{self, Feeds};

/// 1 s: how much later an edge behind a cache learns of a revocation.
const MAX_AGE_S: u32 = 1;

/// Routes under an issuer, open to everybody.
pub fn public_routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(get_revocations))
        .layer(Extension(Arc::new(Feeds::default())))
}

/// What ended before its tokens did
///
/// A compact JWS (`typ: plinto-revocations+jwt`) by the tenant's bundle key. An entry leaves it
/// once every token it concerns has expired.
#[utoipa::path(get, path = "/t/{tenant}/edge/revocations", tag = "edge",
    params(("tenant" = String, Path)),
    responses((status = 200, content_type = "application/jwt", body = String),
        (status = 304)))]
async fn get_revocations(
    State(platform): State<Platform>,
    Extension(feeds): Extension<Arc<Feeds>>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let served = service::feed(&platform, &feeds, &slug).await?;
    let policy = CachePolicy::Brief {
        max_age_s: MAX_AGE_S,
    };
    let body = Bytes::copy_from_slice(served.value.token.as_bytes());
    let etag = Some(&*served.value.etag);
    let answer = cached(&headers, "application/jwt", body, etag, policy);
    Ok(aged(answer, served.age_s))
}
