//! What can go wrong with tenants.

use plinto_contract::problem::{Code, FieldError};
use plinto_platform::{actor::Denied, db::DbError, http::HasCode, tells_refusals};

/// What can go wrong with tenants.
#[derive(Debug, thiserror::Error)]
pub enum TenantsError {
    /// The actor may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// No tenant has this slug or id.
    #[error("there is no such tenant")]
    NotFound,
    /// The slug is in use.
    #[error("the slug `{0}` is in use")]
    SlugTaken(String),
    /// Somebody changed the tenant meanwhile.
    #[error("the tenant has changed; read it again")]
    Changed,
    /// Values that cannot be.
    #[error("some values are not acceptable")]
    Invalid(Vec<FieldError>),
    /// The database refused, or was not there.
    #[error(transparent)]
    Database(#[from] DbError),
}

tells_refusals!(TenantsError);

impl HasCode for TenantsError {
    fn code(&self) -> Code {
        match self {
            Self::Denied(denied) => denied.code(),
            Self::NotFound => Code::NotFound,
            Self::SlugTaken(_) => Code::SlugTaken,
            Self::Changed => Code::PreconditionFailed,
            Self::Invalid(_) => Code::ValidationFailed,
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
