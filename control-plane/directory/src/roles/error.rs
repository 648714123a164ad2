//! What can be refused about roles.

use plinto_contract::problem::{Code, FieldError};
use plinto_platform::{actor::Denied, db::DbError, http::HasCode, tells_refusals};

/// Why a verb on roles came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RolesError {
    /// No such role in this tenant.
    #[error("no such role")]
    NotFound,
    /// Another role of the tenant has the key.
    #[error("a role with the key `{0}` exists")]
    KeyTaken(String),
    /// Somebody still has the role.
    #[error("members still have the role `{0}`")]
    InUse(String),
    /// Plinto's own roles stay.
    #[error("the role `{0}` belongs to Plinto and stays")]
    System(String),
    /// The tenant has as many roles as a bundle may carry.
    #[error("a tenant has at most {0} roles")]
    TooMany(i64),
    /// The tenant's roles together are more than a bundle carries.
    #[error(
        "all roles together have at most {0} bytes of keys and permissions; take some away first"
    )]
    TooLarge(usize),
    /// The version that the caller named is gone.
    #[error("the role has changed meanwhile")]
    Changed,
    /// Values that cannot be.
    #[error("{} not acceptable", .0.len())]
    Invalid(Vec<FieldError>),
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

tells_refusals!(RolesError);

impl HasCode for RolesError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::NotFound,
            Self::KeyTaken(_) => Code::RoleKeyTaken,
            Self::InUse(_) => Code::RoleInUse,
            Self::System(_) | Self::TooMany(_) | Self::TooLarge(_) | Self::Invalid(_) => {
                Code::ValidationFailed
            }
            Self::Changed => Code::PreconditionFailed,
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
