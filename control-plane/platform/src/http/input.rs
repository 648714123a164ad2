//! Reads bodies, paths and queries; what does not fit is named by a pointer (RFC 6901).

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use plinto_contract::problem::{Code, FieldError};
use serde::{Serialize, de::DeserializeOwned};
use serde_path_to_error::Segment;

use crate::http::{ApiError, query, strict::Strict, text};

/// A JSON body in, a JSON body out. Types that come in deny unknown fields (statement Z7).
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        require_json(request.headers())?;
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(too_large)?;
        text::check_json(&bytes)?;
        parse(&bytes).map(Self)
    }
}

/// A JSON body that may be left out: without one, the defaults hold. One that is there is read as
/// strictly as any.
#[derive(Debug, Clone, Copy)]
pub struct OptionalJson<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let is_json = require_json(request.headers());
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(too_large)?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        is_json?;
        text::check_json(&bytes)?;
        parse(&bytes).map(Self)
    }
}

fn require_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(ApiError::new(
        Code::UnsupportedMediaType,
        "the body must be `application/json`",
    ))
}

/// What axum's refusal of a body means.
pub fn too_large(rejection: BytesRejection) -> ApiError {
    if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::new(Code::PayloadTooLarge, Code::PayloadTooLarge.title())
    } else {
        ApiError::new(Code::MalformedRequest, "the body broke off")
    }
}

/// Reads a JSON body. Errors: 400 when it is not JSON, 422 with a pointer when it does not fit.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(Strict(&mut reader)).map_err(|error| {
        let pointer = pointer(error.path());
        let inner = error.into_inner();
        if inner.is_data() {
            let field = describe(pointer, &inner.to_string());
            ApiError::fields(Code::ValidationFailed, vec![field])
        } else {
            not_json(&inner)
        }
    })?;
    reader.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> ApiError {
    ApiError::new(
        Code::MalformedRequest,
        format!(
            "the body is not JSON at line {}, column {}",
            error.line(),
            error.column()
        ),
    )
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        pointer.push('/');
        match segment {
            Segment::Seq { index } => pointer.push_str(&index.to_string()),
            Segment::Map { key } => pointer.push_str(&escape(key)),
            Segment::Enum { variant } => pointer.push_str(&escape(variant)),
            Segment::Unknown => pointer.push('?'),
        }
    }
    pointer
}

pub(super) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Turns serde's message into a field error; the position it ends with means nothing to a client.
fn describe(pointer: String, message: &str) -> FieldError {
    let message = message
        .rsplit_once(" at line ")
        .map_or(message, |(before, _)| before);
    if let Some(rest) = message.strip_prefix("unknown field `") {
        // The name is the client's and may hold anything; what follows it is serde's.
        let name = ["`, expected ", "`, there are no fields"]
            .iter()
            .find_map(|end| Some(rest.rsplit_once(end)?.0));
        let name = escape(name.unwrap_or_default());
        let pointer = if pointer.ends_with(&format!("/{name}")) {
            pointer
        } else {
            format!("{pointer}/{name}")
        };
        return FieldError::new(pointer, "unknown_field", "this field is not known here");
    }
    // The names in these are ours, and the path ends before them.
    let name = message.split('`').nth(1).unwrap_or_default();
    if message.starts_with("missing field") {
        let pointer = format!("{pointer}/{}", escape(name));
        return FieldError::new(pointer, "required", "this field is required");
    }
    if message.starts_with("duplicate field") {
        let pointer = format!("{pointer}/{}", escape(name));
        return FieldError::new(pointer, "duplicate_field", "this field stands twice");
    }
    if message.starts_with("invalid type") {
        // `invalid type: string "hunter2", expected …`: the value itself is not repeated.
        let expected = message
            .rsplit_once(", expected ")
            .map_or("another type", |(_, it)| it);
        return FieldError::new(pointer, "invalid_type", format!("expected {expected}"));
    }
    if let Some((_, expected)) = message.rsplit_once(", expected ") {
        return FieldError::new(pointer, "invalid_value", format!("expected {expected}"));
    }
    FieldError::new(pointer, "invalid_value", message)
}

/// Path parameters. What does not parse is not there: 404.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let nothing = || ApiError::new(Code::NotFound, Code::NotFound.title());
        if parts.uri.path().contains("%00") {
            return Err(nothing());
        }
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|_| nothing())
    }
}

/// Query parameters other than `limit` and `cursor`, which belong to [`Page`](crate::http::Page).
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let pairs: Vec<(String, String)> = pairs(parts)
            .into_iter()
            .filter(|(name, _)| name != "limit" && name != "cursor")
            .collect();
        let text = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        let reader =
            serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(text.as_bytes()));
        serde_path_to_error::deserialize(reader)
            .map(Self)
            .map_err(|error| {
                let path = error.path().to_string();
                let name = if path == "." { String::new() } else { path };
                let described = describe(String::new(), &error.into_inner().to_string());
                let pointer = described.pointer.trim_start_matches('/');
                let pointer = format!("?{}", if pointer.is_empty() { &name } else { pointer });
                ApiError::fields(
                    Code::ValidationFailed,
                    vec![FieldError::new(pointer, described.code, described.detail)],
                )
            })
    }
}

/// The query string's pairs, decoded; [`refuse_unknown`](query::refuse_unknown) has looked at them.
pub(super) fn pairs(parts: &Parts) -> Vec<(String, String)> {
    query::read(parts.uri.query().unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Member {
        #[expect(dead_code, reason = "only the reading matters")]
        name: String,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Team {
        #[expect(dead_code, reason = "only the reading matters")]
        members: Vec<Member>,
    }

    fn refusal(body: &str) -> (u16, Option<(String, String)>) {
        let error = parse::<Team>(body.as_bytes()).unwrap_err();
        let field = error
            .errors()
            .first()
            .map(|field| (field.pointer.clone(), field.code.clone()));
        (error.into_response().status().as_u16(), field)
    }

    #[test]
    fn a_value_that_does_not_fit_is_named_by_its_pointer() {
        let at = |pointer: &str, code: &str| (422, Some((pointer.to_owned(), code.to_owned())));
        assert_eq!(
            refusal(r#"{"members":[{"name":1}]}"#),
            at("/members/0/name", "invalid_type")
        );
        assert_eq!(
            refusal(r#"{"members":[{"name":"a","a/b":1}]}"#),
            at("/members/0/a~1b", "unknown_field")
        );
        assert_eq!(
            refusal(r#"{"members":[],"admin":true}"#),
            at("/admin", "unknown_field")
        );
        assert_eq!(
            refusal(r#"{"members":[],"a`b, expected `x":true}"#),
            at("/a`b, expected `x", "unknown_field")
        );
        assert_eq!(
            refusal(r#"{"members":[{"name":"a","name":"b"}]}"#),
            at("/members/0/name", "duplicate_field")
        );
        assert_eq!(
            refusal(r#"{"members":[{}]}"#),
            at("/members/0/name", "required")
        );
        assert_eq!(refusal(r"{}"), at("/members", "required"));
        for (body, pointer) in [
            ("[]", ""),
            ("[[]]", ""),
            (r#"{"members":[["a"]]}"#, "/members/0"),
        ] {
            assert_eq!(refusal(body), at(pointer, "invalid_type"), "{body}");
        }
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        for body in ["", "{", "{]", "{\"members\":[]} x", "\u{feff}{}"] {
            assert_eq!(refusal(body), (400, None), "{body}");
        }
    }

    #[test]
    fn a_wrong_value_is_not_repeated_in_the_answer() {
        let error = parse::<Team>(br#"{"members":"hunter2"}"#).unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
