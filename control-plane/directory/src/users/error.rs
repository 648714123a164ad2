//! What can go wrong with users.

use plinto_contract::problem::{Code, FieldError};
use plinto_platform::{
    actor::Denied, db::DbError, http::problem::HasCode, tells_refusals, text::TextProblem,
};

use super::model::EmailProblem;

/// Why a verb on users came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// No such user in this tenant.
    #[error("there is no such user")]
    NotFound,
    /// The e-mail address belongs to another user of the tenant.
    #[error("a user with this e-mail address exists")]
    EmailTaken,
    /// The text is not an e-mail address.
    #[error("{0}")]
    Email(#[source] EmailProblem),
    /// The text is not a display name.
    #[error("{0}")]
    Name(#[source] TextProblem),
    /// The caller may not do this.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

tells_refusals!(UserError);

impl HasCode for UserError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::NotFound,
            Self::EmailTaken => Code::EmailTaken,
            Self::Email(_) | Self::Name(_) => Code::ValidationFailed,
            Self::Denied(error) => error.code(),
            Self::Database(error) => error.code(),
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Database(error) => error.detail(),
            other => other.to_string(),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Self::Email(problem) => {
                vec![FieldError::new(
                    "/email",
                    problem.code(),
                    problem.to_string(),
                )]
            }
            Self::Name(problem) => vec![problem.at("/name")],
            _ => Vec::new(),
        }
    }
}
