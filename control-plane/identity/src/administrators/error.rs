//! What can be refused about administrators.

use plinto_contract::problem::{Code, FieldError};
use plinto_platform::{actor::Denied, db::DbError, http::HasCode, tells_refusals};

use super::model::ADMINISTRATORS_MAX;

/// Why a verb on administrators came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum AdministratorsError {
    /// This user is no administrator of the tenant.
    #[error("no such administrator")]
    NotFound,
    /// The user is an administrator already.
    #[error("the user is an administrator already")]
    Exists,
    /// The version that the caller named is gone.
    #[error("the administrator has changed meanwhile")]
    Changed,
    /// The tenant has as many as it may have.
    #[error("a tenant has at most {ADMINISTRATORS_MAX} administrators")]
    TooMany,
    /// Values that cannot be.
    #[error("{} of the values are not acceptable", .0.len())]
    Invalid(Vec<FieldError>),
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

tells_refusals!(AdministratorsError);

impl HasCode for AdministratorsError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::NotFound,
            Self::Exists => Code::AlreadyAdministrator,
            Self::Changed => Code::PreconditionFailed,
            Self::TooMany | Self::Invalid(_) => Code::ValidationFailed,
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
