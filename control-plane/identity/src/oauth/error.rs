//! OAuth's own error words. Source: RFC 6749 §5.2, RFC 7009 §2.2.1, RFC 6750 §3.1.

use plinto_contract::problem::Code;
use plinto_platform::{actor::Denied, http::HasCode};

use super::model::FormProblem;
use crate::sessions::SessionError;

/// Why an OAuth endpoint refuses.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// The request is not one.
    #[error("{0}")]
    InvalidRequest(String),
    /// The client id is not one, or none of the tenant's.
    #[error("the client is not known")]
    InvalidClient,
    /// The refresh token buys nothing.
    #[error("the refresh token is expired, revoked, spent or another client's")]
    InvalidGrant,
    /// The session's tokens are for another API. Source: RFC 8707 §2.
    #[error("the session is for another resource; sign in for this one")]
    InvalidTarget,
    /// The token belongs to another client.
    #[error("the token was issued to another client")]
    UnauthorizedClient,
    /// The grant type is not one of ours.
    #[error("the grant type is not supported")]
    UnsupportedGrantType,
    /// The caller sent no credentials that are good here.
    #[error("this needs an API key of the tenant")]
    Unauthenticated,
    /// The caller's credentials do not allow it.
    #[error("{0}")]
    InsufficientScope(Denied),
    /// Something on our side failed: not OAuth's to tell.
    #[error(transparent)]
    Session(SessionError),
}

impl From<FormProblem> for OAuthError {
    fn from(problem: FormProblem) -> Self {
        Self::InvalidRequest(problem.to_string())
    }
}

impl From<SessionError> for OAuthError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::InvalidGrant => Self::InvalidGrant,
            SessionError::UnknownClient => Self::InvalidClient,
            SessionError::OtherResource => Self::InvalidTarget,
            SessionError::OtherClient => Self::UnauthorizedClient,
            SessionError::Denied(Denied::Unauthenticated) => Self::Unauthenticated,
            SessionError::Denied(denied) => Self::InsufficientScope(denied),
            other => Self::Session(other),
        }
    }
}

impl HasCode for OAuthError {
    fn code(&self) -> Code {
        match self {
            Self::Session(error) => error.code(),
            // Asks for credentials; an unknown client has none that would help.
            Self::Unauthenticated => Code::AuthenticationRequired,
            Self::InsufficientScope(_) => Code::PermissionDenied,
            _ => Code::MalformedRequest,
        }
    }

    fn retry_after_s(&self) -> Option<i64> {
        match self {
            Self::Session(error) => error.retry_after_s(),
            _ => None,
        }
    }

    fn oauth_error(&self) -> Option<&'static str> {
        match self {
            Self::InvalidRequest(_) => Some("invalid_request"),
            Self::InvalidClient | Self::Unauthenticated => Some("invalid_client"),
            Self::InsufficientScope(_) => Some("insufficient_scope"),
            Self::InvalidGrant => Some("invalid_grant"),
            Self::InvalidTarget => Some("invalid_target"),
            Self::UnauthorizedClient => Some("unauthorized_client"),
            Self::UnsupportedGrantType => Some("unsupported_grant_type"),
            Self::Session(_) => None,
        }
    }
}
