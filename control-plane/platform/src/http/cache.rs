//! Validators for documents: `ETag`, `If-None-Match`, `Cache-Control`. Source: RFC 9110 §8.8, §13.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::envelope::sha256_hex;

/// How long a document may be kept, and by whom.
#[derive(Debug, Clone, Copy)]
pub enum CachePolicy {
    /// By anybody for this many seconds, then for as long again while it is being refreshed.
    Public {
        /// `max-age` of `Cache-Control`.
        max_age_s: u32,
    },
    /// By anybody for this many seconds and no longer: what it says must reach everybody soon.
    Brief {
        /// `max-age` of `Cache-Control`.
        max_age_s: u32,
    },
    /// By anybody for ever: the address names the content.
    Immutable,
    /// By the client alone, and asked about each time.
    Private,
}

impl CachePolicy {
    fn header(self) -> Option<HeaderValue> {
        let text = match self {
            Self::Public { max_age_s } => {
                format!("public, max-age={max_age_s}, stale-while-revalidate={max_age_s}")
            }
            Self::Brief { max_age_s } => format!("public, max-age={max_age_s}, must-revalidate"),
            Self::Immutable => "public, max-age=31536000, immutable".to_owned(),
            Self::Private => "private, no-cache".to_owned(),
        };
        HeaderValue::try_from(text).ok()
    }
}

/// A document with its validator; 304 without a body when the client has it already.
/// `etag`: what names this state of it, without quotes; a digest of the body when `None`.
pub fn cached(
    request: &HeaderMap,
    content_type: &'static str,
    body: impl Into<Bytes>,
    etag: Option<&str>,
    policy: CachePolicy,
) -> Response {
    let body: Bytes = body.into();
    let etag = match etag {
        Some(etag) => format!("\"{etag}\""),
        None => format!(
            "\"{}\"",
            sha256_hex(&body).chars().take(32).collect::<String>()
        ),
    };
    let is_known = matches(request, &etag);
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(body))
    };
    let headers = response.headers_mut();
    if !is_known {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    if let Ok(etag) = HeaderValue::try_from(etag) {
        headers.insert(header::ETAG, etag);
    }
    if let Some(policy) = policy.header() {
        headers.insert(header::CACHE_CONTROL, policy);
    }
    response
}

/// Says how old a document is that could not be read anew, so that no cache and no edge takes it for
/// newer. Source: RFC 9111 §5.1.
pub fn aged(mut response: Response, age_s: i64) -> Response {
    if age_s > 0 {
        response
            .headers_mut()
            .insert(header::AGE, HeaderValue::from(age_s));
    }
    response
}

/// Weak comparison, as `If-None-Match` asks for. `etag` comes with its quotes.
pub fn matches(request: &HeaderMap, etag: &str) -> bool {
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .map(|candidate| candidate.strip_prefix("W/").unwrap_or(candidate))
        .any(|candidate| candidate == "*" || candidate == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(if_none_match: Option<&'static str>) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(value) = if_none_match {
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(value));
        }
        let policy = CachePolicy::Public { max_age_s: 300 };
        cached(&headers, "application/json", "{}", Some("7"), policy)
    }

    #[test]
    fn a_document_the_client_has_is_not_sent_again() {
        assert_eq!(asked(None).status(), StatusCode::OK);
        for other in ["\"8\"", "W/W/\"7\"", "7", "w/\"7\"", "\"07\""] {
            assert_eq!(asked(Some(other)).status(), StatusCode::OK, "{other}");
        }
        for known in ["\"7\"", "W/\"7\"", "\"8\", \"7\"", "*"] {
            let answer = asked(Some(known));
            assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(answer.headers()[header::ETAG], "\"7\"");
        }
    }
}
