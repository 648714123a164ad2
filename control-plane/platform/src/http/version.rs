//! Versions of configuration resources: `ETag`, `If-Match`. Source: RFC 9110 §13.1.1, RFC 6585 §3.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use plinto_contract::{problem::Code, text::number};
use serde::Serialize;

use crate::http::{ApiError, CachePolicy, Json, cached};

/// A resource with its version as `ETag`; 304 when the client has this version.
pub fn read<T: Serialize>(
    request: &HeaderMap,
    version: i64,
    body: &T,
) -> Result<Response, ApiError> {
    let body = serde_json::to_vec(body)
        .map_err(|_| ApiError::new(Code::Internal, Code::Internal.title()))?;
    let etag = version.to_string();
    Ok(cached(
        request,
        "application/json",
        body,
        Some(&etag),
        CachePolicy::Private,
    ))
}

/// A resource as it is after a change, with its new version as `ETag`.
pub fn written<T: Serialize>(status: StatusCode, version: i64, body: T) -> Response {
    let mut response = (status, Json(body)).into_response();
    if let Ok(etag) = HeaderValue::try_from(format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// The version a change is meant for; `None` when the client does not care.
/// Errors: a value that no version of ours can have.
pub fn expected(request: &HeaderMap) -> Result<Option<i64>, ApiError> {
    let mut values = request.get_all(header::IF_MATCH).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = match values.next() {
        None => value.to_str().unwrap_or_default(),
        // Several are a list, and no two versions are current.
        Some(_) => "",
    };
    if text == "*" {
        return Ok(None);
    }
    // An entity tag is compared letter by letter: `"+1"` and `"01"` are not `"1"`.
    text.strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .and_then(number)
        .map(Some)
        .ok_or_else(|| {
            ApiError::new(
                Code::PreconditionFailed,
                "If-Match must repeat the ETag of the resource",
            )
        })
}

/// The version a change is meant for, where a change without one would be blind.
/// Errors: 428 without the header.
pub fn required(request: &HeaderMap) -> Result<i64, ApiError> {
    expected(request)?.ok_or_else(|| {
        ApiError::new(
            Code::PreconditionRequired,
            "send the ETag of the version that you have seen as If-Match",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(if_match: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, HeaderValue::from_static(if_match));
        headers
    }

    #[test]
    fn a_version_is_read_from_a_strong_entity_tag() {
        assert_eq!(expected(&HeaderMap::new()).unwrap(), None);
        assert_eq!(expected(&asked("*")).unwrap(), None);
        assert_eq!(expected(&asked("\"7\"")).unwrap(), Some(7));
        for wrong in [
            "7",
            "W/\"7\"",
            "\"x\"",
            "\"7\", \"8\"",
            "",
            "\"+7\"",
            "\"07\"",
            "\" 7\"",
            "\"-0\"",
        ] {
            let error = expected(&asked(wrong)).unwrap_err();
            assert_eq!(error.code(), Code::PreconditionFailed, "{wrong}");
        }
        let mut twice = asked("\"7\"");
        twice.append(header::IF_MATCH, HeaderValue::from_static("\"7\""));
        let error = expected(&twice).unwrap_err();
        assert_eq!(error.code(), Code::PreconditionFailed);
        let error = required(&HeaderMap::new()).unwrap_err();
        assert_eq!(error.code(), Code::PreconditionRequired);
    }
}
