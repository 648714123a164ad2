//! What the gate reads of a request: method, path, host, and the bearer token.

use plinto_jose::MAX_TOKEN_BYTES;

use crate::path::{CanonicalPath, PathError};

/// One request, without its body and without the headers that decide nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeRequest {
    /// The method, as sent.
    pub method: String,
    /// Scheme and authority: `https://app.example.com`.
    pub origin: String,
    /// Host and port.
    pub host: String,
    /// The path as it stands in the URL, still encoded: to tell a client what it asked for, and
    /// for nothing else.
    pub raw_path: String,
    /// The one reading of that path by which the request is judged and forwarded.
    pub path: Result<CanonicalPath, PathError>,
    /// The query with its `?`; empty when there is none.
    pub query: String,
    /// The value of `Authorization`; several headers come joined with `, `.
    pub authorization: Option<String>,
    /// The client's address, as the platform tells it.
    pub ip: Option<String>,
}

/// Why the `Authorization` header is not one bearer token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// Several credentials, or characters that a token does not have.
    #[error("the Authorization header must hold one bearer token")]
    Malformed,
    /// Longer than 8 KiB.
    #[error("the access token is too long")]
    TooLong,
}

impl EdgeRequest {
    /// Splits a request's URL.
    /// `url`: absolute, as the platform gives it; its fragment never reaches a server.
    pub fn new(
        method: impl Into<String>,
        url: &str,
        authorization: Option<String>,
        ip: Option<String>,
    ) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, target) = rest.split_at_checked(end)?;
        let target = target.split('#').next().unwrap_or_default();
        let (path, query) = match target.find('?') {
            Some(index) => target.split_at_checked(index)?,
            None => (target, ""),
        };
        let path = if path.is_empty() { "/" } else { path };
        Some(Self {
            method: method.into(),
            origin: format!("{scheme}://{host}"),
            host: host.to_owned(),
            raw_path: path.to_owned(),
            path: CanonicalPath::parse(path),
            query: query.to_owned(),
            authorization,
            ip,
        })
    }

    /// The bearer token, from the header only; `None` when the client sent none.
    /// Source: RFC 6750 §2.1, RFC 9700 §4.3.2 (never from the query).
    pub fn bearer(&self) -> Result<Option<&str>, BearerError> {
        let Some(value) = self.authorization.as_deref() else {
            return Ok(None);
        };
        let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            // Two headers, the second of which might be the bearer's: nobody can say which counts.
            return if value.contains(',') && value.to_ascii_lowercase().contains("bearer") {
                Err(BearerError::Malformed)
            } else {
                Ok(None)
            };
        }
        let token = rest.trim_start_matches(' ').trim_end_matches(' ');
        if token.len() > MAX_TOKEN_BYTES {
            return Err(BearerError::TooLong);
        }
        if token.is_empty() || !token.bytes().all(is_token_byte) {
            return Err(BearerError::Malformed);
        }
        Ok(Some(token))
    }
}

/// `b64token` of RFC 6750 §2.1.
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(authorization: &str) -> EdgeRequest {
        EdgeRequest::new(
            "GET",
            "https://app.example.com:8443/documents/7?access_token=stolen#x",
            Some(authorization.to_owned()),
            None,
        )
        .unwrap()
    }

    #[test]
    fn a_url_is_split_without_touching_its_encoding() {
        let request = with("");
        assert_eq!(request.origin, "https://app.example.com:8443");
        assert_eq!(request.host, "app.example.com:8443");
        assert_eq!(request.raw_path, "/documents/7");
        assert_eq!(request.query, "?access_token=stolen");
        let bare = EdgeRequest::new("GET", "http://a?b=/c", None, None).unwrap();
        assert_eq!((&*bare.raw_path, &*bare.query), ("/", "?b=/c"));
    }

    #[test]
    fn the_bearer_token_comes_from_the_header_only() {
        assert_eq!(with("Bearer abc.def.ghi").bearer(), Ok(Some("abc.def.ghi")));
        assert_eq!(with("bEARER  abc").bearer(), Ok(Some("abc")));
        assert_eq!(with("Basic dTpw").bearer(), Ok(None));
        let mut request = with("");
        request.authorization = None;
        assert_eq!(request.bearer(), Ok(None));
    }

    #[test]
    fn anything_but_one_token_is_malformed() {
        for value in [
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Bearer a, Bearer b",
            "Basic dTpw, Bearer b",
            "Bearer a,b",
            "Bearer ä",
        ] {
            assert_eq!(with(value).bearer(), Err(BearerError::Malformed), "{value}");
        }
        // T11
        let long = format!("Bearer {}", "a".repeat(MAX_TOKEN_BYTES + 1));
        assert_eq!(with(&long).bearer(), Err(BearerError::TooLong));
    }
}
