//! The forms in which groups of routes refuse.

use axum::{
    Json,
    body::Body,
    http::{HeaderValue, StatusCode, header, response::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// In which form a group of routes refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorFormat {
    /// A problem. Source: RFC 9457.
    Problem,
    /// OAuth's, where it has a word for it; what it has none for (too many requests, a fault on our
    /// side) is a problem. Source: RFC 6749 §5.2.
    OAuth,
}

/// An OAuth error. Source: RFC 6749 §5.2.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    #[schema(example = "invalid_grant")]
    error: &'static str,
    error_description: String,
}

/// A refusal in OAuth's form, whose words have statuses of their own (RFC 6749 §5.2, RFC 6750 §3.1).
pub(super) fn in_oauth(mut parts: Parts, error: &'static str, description: String) -> Response {
    parts.status = match error {
        "invalid_client" => StatusCode::UNAUTHORIZED,
        "insufficient_scope" => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    };
    let body = ErrorBody {
        error,
        error_description: description,
    };
    let written: Response<Body> = Json(body).into_response();
    let (head, body) = written.into_parts();
    parts.headers.extend(head.headers);
    parts
        .headers
        .insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    Response::from_parts(parts, body)
}
