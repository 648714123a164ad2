//! What can go wrong with credentials.

use plinto_contract::problem::{Code, FieldError};
use plinto_platform::{db::DbError, http::problem::HasCode};

use super::{hashing::HashingError, model::PasswordProblem};

/// Why a credential was not stored or not checked.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The new password is not acceptable.
    #[error("{problem}")]
    Password {
        /// Why.
        problem: PasswordProblem,
        /// Which member of the request it stood in, as a JSON Pointer.
        pointer: &'static str,
    },
    /// No hash was made.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl HasCode for CredentialError {
    fn code(&self) -> Code {
        match self {
            Self::Password {
                problem: PasswordProblem::TooShort,
                ..
            } => Code::PasswordTooShort,
            Self::Password {
                problem: PasswordProblem::TooLong,
                ..
            } => Code::PasswordTooLong,
            Self::Password {
                problem: PasswordProblem::TooCommon,
                ..
            } => Code::PasswordTooCommon,
            Self::Hashing(HashingError::Overloaded(error)) => error.code(),
            Self::Hashing(_) => Code::Internal,
            Self::Database(error) => error.code(),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Self::Password { problem, pointer } => {
                vec![FieldError::new(
                    *pointer,
                    self.code().as_str(),
                    problem.to_string(),
                )]
            }
            _ => Vec::new(),
        }
    }

    fn retry_after_s(&self) -> Option<i64> {
        match self {
            Self::Hashing(HashingError::Overloaded(error)) => error.retry_after_s(),
            _ => None,
        }
    }
}
