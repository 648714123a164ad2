//! A request is run again when the database ended its transaction for another's sake.
//!
//! Two that wait for each other (deadlock), or that can't be put in an order (serialization): the
//! server ends one of them, and nothing of that one is stored. Whatever the verb has decided, it
//! decides anew.

use axum::{
    body::{Body, Bytes, HttpBody, to_bytes},
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use plinto_contract::problem::Code;

use crate::http::ApiError;

/// 3: whoever loses that often meets more than chance, and is told to come again later.
const ATTEMPTS: usize = 3;

/// A body that was read whole. What goes on beyond the limit up to which it was read is not waited for:
/// the request has its slot by now.
async fn at_hand(body: Body) -> Option<Bytes> {
    let length = body.size_hint().exact()?;
    to_bytes(body, usize::try_from(length).ok()?).await.ok()
}

/// Runs a request until its transaction is not in another's way. The innermost layer.
pub async fn when_lost(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Some(body) = at_hand(body).await else {
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
