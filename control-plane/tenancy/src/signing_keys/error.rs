//! What can go wrong with signing keys.

use plinto_contract::problem::Code;
use plinto_platform::{
    actor::Denied, db::DbError, envelope::EnvelopeError, http::HasCode, tells_refusals,
};

use crate::tenants;

/// What can go wrong with signing keys.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SigningKeysError {
    /// The actor may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The successor is not yet known to every verifier.
    #[error("the next key can sign in {0} s, when every verifier has it")]
    RotationInProgress(i64),
    /// No tenant has this slug.
    #[error("there is no such tenant")]
    NoTenant,
    /// The tenant has no key of this id.
    #[error("there is no such signing key")]
    NotFound,
    /// The tenant has no key to sign with.
    #[error("the tenant has no active key")]
    NoKey,
    /// Making, sealing, opening or using a key failed.
    #[error("{0}")]
    Key(String),
    /// The database refused, or was not there.
    #[error("{0}")]
    Database(std::sync::Arc<DbError>),
}

impl From<DbError> for SigningKeysError {
    fn from(error: DbError) -> Self {
        Self::Database(std::sync::Arc::new(error))
    }
}

impl From<EnvelopeError> for SigningKeysError {
    fn from(error: EnvelopeError) -> Self {
        Self::Key(error.to_string())
    }
}

impl From<plinto_jose::Error> for SigningKeysError {
    fn from(error: plinto_jose::Error) -> Self {
        Self::Key(error.to_string())
    }
}

impl From<tenants::TenantsError> for SigningKeysError {
    fn from(error: tenants::TenantsError) -> Self {
        match error {
            tenants::TenantsError::Database(error) => error.into(),
            tenants::TenantsError::Denied(denied) => Self::Denied(denied),
            tenants::TenantsError::NotFound => Self::NoTenant,
            _ => Self::NoKey,
        }
    }
}

tells_refusals!(SigningKeysError);

impl HasCode for SigningKeysError {
    fn code(&self) -> Code {
        match self {
            Self::Denied(denied) => denied.code(),
            Self::RotationInProgress(_) => Code::RotationInProgress,
            Self::NoTenant | Self::NotFound => Code::NotFound,
            Self::NoKey | Self::Key(_) => Code::Internal,
            Self::Database(error) => error.code(),
        }
    }

    fn retry_after_s(&self) -> Option<i64> {
        match self {
            Self::RotationInProgress(seconds) => Some(*seconds),
            _ => None,
        }
    }
}
