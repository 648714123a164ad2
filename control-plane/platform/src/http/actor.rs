//! The [`Actor`] as a handler's argument. `authentication.rs` finds out who it is.

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use plinto_contract::problem::Code;
use std::net::{IpAddr, SocketAddr};

use crate::{actor::Actor, config::HttpConfig, http::ApiError, secret::Secret};

/// 256 characters: more of a `User-Agent` than that is noise.
const USER_AGENT_MAX: usize = 256;

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| ApiError::new(Code::AuthenticationRequired, "this needs credentials"))
    }
}

/// The bearer token of the `Authorization` header. Source: RFC 6750 §2.1; never query or body.
/// Errors: a header that is there but is not one bearer token.
pub fn bearer(headers: &HeaderMap) -> Result<Option<Secret>, ApiError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let malformed = || {
        ApiError::new(
            Code::AuthenticationRequired,
            "the Authorization header must read `Bearer <token>`, once",
        )
    };
    if values.next().is_some() {
        return Err(malformed());
    }
    let text = value.to_str().map_err(|_| malformed())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(malformed)?;
    let token = token.trim_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.contains(' ') {
        return Err(malformed());
    }
    Ok(Some(Secret::new(token)))
}

/// The client's address: the peer's, or what a trusted proxy says.
pub fn client_ip(parts: &Parts, config: &HttpConfig) -> Option<IpAddr> {
    let named = config.client_ip_header.as_deref().and_then(|name| {
        let value = parts.headers.get_all(name).iter().next_back()?;
        // The last entry is the one our own proxy appended; earlier ones are the client's word.
        value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
    });
    named.or_else(|| {
        parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|info| info.0.ip().to_canonical())
    })
}

/// The client's `User-Agent`, shortened; may be empty.
pub fn user_agent(headers: &HeaderMap) -> String {
    headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .chars()
        .take(USER_AGENT_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

    use super::bearer;

    fn read(values: &[&'static str]) -> Result<Option<String>, ()> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        bearer(&headers)
            .map(|token| token.map(|token| token.expose().to_owned()))
            .map_err(|_| ())
    }

    #[test]
    fn only_one_bearer_token_is_read() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["Bearer abc"]), Ok(Some("abc".to_owned())));
        assert_eq!(read(&["bearer  abc"]), Ok(Some("abc".to_owned())));
        for wrong in [
            &["Basic abc"][..],
            &["Bearer"],
            &["Bearer "],
            &["Bearer a b"],
            &["Bearer a", "Bearer b"],
        ] {
            assert_eq!(read(wrong), Err(()), "{wrong:?}");
        }
    }
}
