//! What can be refused about the audit log.

use plinto_contract::{
    events::NotCanonical,
    ids::TenantId,
    problem::{Code, FieldError},
};
use plinto_platform::{
    actor::Denied, db::DbError, envelope::EnvelopeError, http::HasCode, tells_refusals,
};
use plinto_tlog::Error as TreeError;

/// Why a verb on the audit log came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// No such event in this tenant.
    #[error("there is no such event")]
    NotFound,
    /// The event was recorded a moment ago.
    #[error("this event is not in the signed tree yet; it will be within seconds")]
    NotSealed,
    /// Values that cannot be.
    #[error("{} of the values are not acceptable", .0.len())]
    Invalid(Vec<FieldError>),
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database refused, or was not there.
    #[error(transparent)]
    Database(#[from] DbError),
    /// What the database has of the tree does not fit together.
    #[error("the tree of tenant {tenant} is damaged: {error}")]
    Damaged {
        /// Whose.
        tenant: TenantId,
        /// What does not fit.
        error: TreeError,
    },
    /// An event is missing that should come next.
    #[error("event {seq} of tenant {tenant} is missing in its log")]
    Gap {
        /// Whose.
        tenant: TenantId,
        /// Its number.
        seq: i64,
    },
    /// The tree is not the one that was signed last; nothing is signed on top of it.
    #[error(
        "the tree of tenant {0} is not the one that was signed; `plinto-control-plane verify` says where"
    )]
    Unsigned(TenantId),
    /// The key that signs does not open.
    #[error(transparent)]
    Key(#[from] EnvelopeError),
    /// An event cannot be written in one way.
    #[error(transparent)]
    Canonical(#[from] NotCanonical),
}

tells_refusals!(AuditError);

impl HasCode for AuditError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::NotFound,
            Self::NotSealed => Code::EventNotSealed,
            Self::Invalid(_) => Code::ValidationFailed,
            Self::Denied(error) => error.code(),
            Self::Database(error) => error.code(),
            Self::Damaged { .. }
            | Self::Gap { .. }
            | Self::Unsigned(_)
            | Self::Key(_)
            | Self::Canonical(_) => Code::Internal,
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid(errors) => errors.clone(),
            _ => Vec::new(),
        }
    }

    fn retry_after_s(&self) -> Option<i64> {
        matches!(self, Self::NotSealed).then_some(10)
    }
}
