//! What can be refused about API keys.

use plinto_contract::problem::{Code, FieldError};
use plinto_platform::{actor::Denied, db::DbError, http::HasCode, tells_refusals};

/// Why a verb on API keys came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeysError {
    /// The presented text is not a live key. One answer for junk, unknown, expired and revoked.
    #[error("the API key is not valid")]
    NotLive,
    /// No such key in this tenant.
    #[error("no such API key")]
    NotFound,
    /// Values that cannot be.
    #[error("{} of the values are not acceptable", .0.len())]
    Invalid(Vec<FieldError>),
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database refused, or was not there.
    #[error(transparent)]
    Database(#[from] DbError),
}

tells_refusals!(ApiKeysError);

impl HasCode for ApiKeysError {
    fn code(&self) -> Code {
        match self {
            Self::NotLive => Code::ApiKeyInvalid,
            Self::NotFound => Code::NotFound,
            Self::Invalid(_) => Code::ValidationFailed,
            Self::Denied(error) => error.code(),
            Self::Database(error) => error.code(),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid(errors) => errors.clone(),
            _ => Vec::new(),
        }
    }
}
