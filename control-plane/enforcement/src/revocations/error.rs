//! What can go wrong with the revocation feed.

use plinto_contract::problem::Code;
use plinto_platform::{db::DbError, http::HasCode};
use plinto_tenancy::{signing_keys::SigningKeysError, tenants::TenantsError};

/// Why there is no feed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RevocationsError {
    /// The tenant is not there, or cannot be read.
    #[error(transparent)]
    Tenant(#[from] TenantsError),
    /// The bundle key.
    #[error(transparent)]
    Signing(#[from] SigningKeysError),
    /// The feed could not be written as JSON.
    #[error("the feed could not be written")]
    Unwritable(#[from] serde_json::Error),
    /// The database refused, or was not there.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl HasCode for RevocationsError {
    fn code(&self) -> Code {
        match self {
            Self::Tenant(error) => error.code(),
            Self::Signing(error) => error.code(),
            Self::Unwritable(_) => Code::Internal,
            Self::Database(error) => error.code(),
        }
    }
}
