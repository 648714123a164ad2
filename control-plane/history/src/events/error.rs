//! What can be refused about events.

use plinto_contract::problem::{Code, FieldError};
use plinto_platform::{actor::Denied, db::DbError, http::HasCode, tells_refusals};

/// Why a verb on events came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// No such event, or no such cursor, in this tenant.
    #[error("there is nothing of this name here")]
    NotFound,
    /// Values that cannot be.
    #[error("{} of the values are not acceptable", .0.len())]
    Invalid(Vec<FieldError>),
    /// The position is none of this log.
    #[error("{fault}")]
    Position {
        /// Where it stands in the request.
        pointer: &'static str,
        /// Why it is none.
        fault: PositionFault,
    },
    /// The tenant has as many readers waiting as it may have.
    #[error("too many requests of this tenant are waiting for events; ask with `wait=0`")]
    TooManyWaiting,
    /// The tenant has as many named cursors as it may have.
    #[error("a tenant has at most {0} named cursors; delete one that nobody uses")]
    TooManyCursors(i64),
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database refused, or was not there.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Why a position is none of a tenant's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PositionFault {
    /// It is one of another tenant's log.
    #[error("this position belongs to the log of another tenant")]
    OtherTenant,
    /// It is one of before the database was restored.
    #[error(
        "this position is of before the database was restored: what followed it may have been \
         undone; take stock anew, then begin with `after=latest` or without `after`"
    )]
    OtherEpoch,
    /// It lies beyond the end of the log.
    #[error("this position lies beyond the last event, {0}; nothing gave it out")]
    Beyond(i64),
}

impl PositionFault {
    const fn name(self) -> &'static str {
        match self {
            Self::OtherTenant => "other_tenant",
            Self::OtherEpoch => "other_epoch",
            Self::Beyond(_) => "beyond_end",
        }
    }
}

tells_refusals!(EventsError);

impl HasCode for EventsError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::NotFound,
            Self::Invalid(_) | Self::TooManyCursors(_) => Code::ValidationFailed,
            Self::Position { fault, .. } => match fault {
                PositionFault::OtherEpoch => Code::EventLogRestored,
                PositionFault::OtherTenant | PositionFault::Beyond(_) => Code::InvalidCursor,
            },
            Self::TooManyWaiting => Code::RateLimited,
            Self::Denied(error) => error.code(),
            Self::Database(error) => error.code(),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid(errors) => errors.clone(),
            Self::Position { pointer, fault } => {
                vec![FieldError::new(*pointer, fault.name(), fault.to_string())]
            }
            Self::TooManyCursors(_) => {
                vec![FieldError::new("", "too_many", self.to_string())]
            }
            _ => Vec::new(),
        }
    }

    fn retry_after_s(&self) -> Option<i64> {
        matches!(self, Self::TooManyWaiting).then_some(1)
    }
}
