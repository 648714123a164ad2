//! Any feature's error as a problem body. Source: RFC 9457.
//!
//! A handler answers an [`ApiError`]; the response carries it as an extension, and the outermost
//! layer writes the body, because it alone knows the request id and the path.

use std::error::Error;

use axum::{
    Json,
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, StatusCode, header, response::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use plinto_contract::problem::{Code, FieldError, MEDIA_TYPE, Problem};

use crate::{
    Platform,
    actor::Denied,
    db::{DbError, Lost},
    envelope::EnvelopeError,
    http::{ErrorFormat, Groups, Overloaded, error_format::in_oauth, layers::RequestName},
    recheck::Refused,
};

/// What a feature's error tells a client.
pub trait HasCode: Error {
    /// The stable name.
    fn code(&self) -> Code;

    /// This occurrence, and what to do about it; nothing internal.
    fn detail(&self) -> String {
        self.to_string()
    }

    /// The values at fault.
    fn field_errors(&self) -> Vec<FieldError> {
        Vec::new()
    }

    /// Seconds after which a retry makes sense.
    fn retry_after_s(&self) -> Option<i64> {
        None
    }

    /// The word for it where refusals have OAuth's form, if OAuth has one.
    fn oauth_error(&self) -> Option<&'static str> {
        None
    }
}

/// A refusal on its way to the client.
#[derive(Debug, Clone)]
pub struct ApiError {
    code: Code,
    detail: String,
    errors: Vec<FieldError>,
    retry_after_s: Option<i64>,
    oauth_error: Option<&'static str>,
    /// For the log, when the fault is ours.
    cause: Option<String>,
    is_lost: bool,
}

impl ApiError {
    /// A refusal with a detail.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_s: None,
            oauth_error: None,
            cause: None,
            is_lost: false,
        }
    }

    /// Some values are not acceptable.
    pub fn fields(code: Code, errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => one.detail.clone(),
            several => format!("{} values are not acceptable", several.len()),
        };
        Self {
            errors,
            ..Self::new(code, detail)
        }
    }

    /// The stable name.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Whether the database ended the transaction for another's sake: it may be run again.
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// The values at fault.
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// Says when to come again.
    #[must_use]
    pub fn retry_after(mut self, seconds: i64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
}

impl<E: HasCode> From<E> for ApiError {
    fn from(error: E) -> Self {
        let code = error.code();
        let is_ours = code.status() >= 500;
        Self {
            code,
            detail: if is_ours {
                code.title().to_owned()
            } else {
                error.detail()
            },
            errors: error.field_errors(),
            retry_after_s: error.retry_after_s(),
            oauth_error: error.oauth_error(),
            cause: is_ours.then(|| chain(&error)),
            is_lost: is_ours && causes(&error).any(is_lost),
        }
    }
}

fn chain(error: &dyn Error) -> String {
    causes(error).fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn is_lost(cause: &(dyn Error + 'static)) -> bool {
    cause.is::<Lost>()
}

fn causes<'a>(error: &'a (dyn Error + 'a)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| Error::source(*cause))
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if let Some(seconds) = self.retry_after_s {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(0)));
        }
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the bodies of refusals in the form of the route's group, those of the framework included
/// (404, 405, 413, 415 …).
pub async fn write_problems(
    State((platform, groups)): State<(Platform, Groups)>,
    request: Request,
    next: Next,
) -> Response {
    let instance = request.uri().path().to_owned();
    let format = groups
        .of(request.extensions().get::<MatchedPath>())
        .map_or(ErrorFormat::Problem, |group| group.errors);
    let request_id = request
        .extensions()
        .get::<RequestName>()
        .map(|name| name.0.to_string())
        .unwrap_or_default();
    let mut response = next.run(request).await;
    let error = match response.extensions_mut().remove::<ApiError>() {
        Some(error) => error,
        None => match of_framework(&response) {
            Some(error) => error,
            None => return response,
        },
    };
    if let Some(cause) = &error.cause {
        tracing::error!(
            code = error.code.as_str(),
            cause,
            "the request failed on our side"
        );
    }
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts
        .headers
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if format == ErrorFormat::OAuth
        && let Some(word) = error.oauth_error
    {
        return in_oauth(parts, word, error.detail);
    }
    let mut problem = Problem::new(&platform.config.problem_pages(), error.code, error.detail);
    problem.instance = instance;
    problem.request_id = request_id;
    problem.errors = error.errors;
    as_problem(parts, problem)
}

fn as_problem(mut parts: Parts, problem: Problem) -> Response {
    let help = HeaderValue::try_from(format!("<{}>; rel=\"help\"", problem.type_uri));
    let body = Json(problem).into_response().into_body();
    parts
        .headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    if let Ok(help) = help {
        parts.headers.append(header::LINK, help);
    }
    Response::from_parts(parts, body)
}

/// A refusal that no handler of ours made.
fn of_framework(response: &Response) -> Option<ApiError> {
    let own = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("json") || value.contains("html"));
    if own {
        return None;
    }
    let code = match response.status().as_u16() {
        400 => Code::MalformedRequest,
        404 => Code::NotFound,
        405 => Code::MethodNotAllowed,
        408 => Code::RequestTimeout,
        413 => Code::PayloadTooLarge,
        414 => Code::UriTooLong,
        415 => Code::UnsupportedMediaType,
        422 => Code::ValidationFailed,
        431 => Code::HeadersTooLarge,
        503 => Code::Overloaded,
        status if status >= 500 => Code::Internal,
        _ => return None,
    };
    Some(ApiError::new(code, code.title()))
}

impl HasCode for DbError {
    fn code(&self) -> Code {
        match self {
            Self::Unavailable(_) | Self::CommitFailed(_) | Self::Lost(_) => Code::Unavailable,
            Self::Conflict { .. }
            | Self::Inconsistent { .. }
            | Self::Aborted
            | Self::Internal(_) => Code::Internal,
        }
    }
}

impl HasCode for Denied {
    fn code(&self) -> Code {
        match self {
            Self::Unauthenticated => Code::AuthenticationRequired,
            Self::Lacks(_) | Self::NotAUser | Self::NotAnAdministrator => Code::PermissionDenied,
            Self::KeyNotLive => Code::ApiKeyInvalid,
            Self::TokenExpired => Code::TokenExpired,
            Self::TokenRevoked => Code::TokenRevoked,
            Self::TokenOutdated => Code::TokenOutdated,
        }
    }
}

impl HasCode for Refused {
    fn code(&self) -> Code {
        match self {
            Self::Denied(denied) => denied.code(),
            Self::Database(error) => error.code(),
        }
    }
}

impl HasCode for Overloaded {
    fn code(&self) -> Code {
        Code::Overloaded
    }

    fn retry_after_s(&self) -> Option<i64> {
        Some(1)
    }
}

impl HasCode for EnvelopeError {
    fn code(&self) -> Code {
        Code::Internal
    }
}
