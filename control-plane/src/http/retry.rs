//! A request is run again when the database ended its transaction for another's sake.
//!
//! Two that wait for each other (deadlock), or that can't be put in an order (serialization): the
//! server ends one of them, and nothing of that one is stored. Whatever the verb has decided, it
//! decides anew.

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use plinto_contract::{limits::BUNDLE_PACKED_BYTES, problem::Code};

use crate::{app::App, http::ApiError};

/// 3: whoever loses that often meets more than chance, and is told to come again later.
const ATTEMPTS: usize = 3;

/// Runs a request until its transaction is not in another's way. The innermost layer.
pub async fn when_lost(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let limit = app.config.http.body_bytes.max(BUNDLE_PACKED_BYTES);
    let Ok(body) = to_bytes(body, limit).await else {
        let code = Code::PayloadTooLarge;
        return ApiError::new(code, code.title()).into_response();
    };
    let mut attempt = 1;
    loop {
        let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
        let response = next.clone().run(request).await;
        let refusal = response.extensions().get::<ApiError>();
        if attempt == ATTEMPTS || !refusal.is_some_and(ApiError::is_lost) {
            return response;
        }
        attempt += 1;
    }
}
