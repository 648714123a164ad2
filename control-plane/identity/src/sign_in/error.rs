//! What can go wrong when somebody signs up or signs in.

use plinto_contract::problem::{Code, FieldError};
use plinto_directory::users::UserError;
use plinto_platform::{actor::Denied, db::DbError, http::HasCode, tells_refusals};
use plinto_tenancy::tenants::TenantsError;

use crate::{credentials::CredentialError, sessions::SessionError};

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No such user, or another password: the same words for both.
    #[error("the e-mail address or the password is wrong")]
    InvalidCredentials,
    /// Too many failures; said of accounts that do not exist too.
    #[error("too many failed sign-ins; try again in {retry_after_s} s")]
    Throttled {
        /// Seconds until the next attempt makes sense.
        retry_after_s: i64,
    },
    /// The password was right, but the user is disabled.
    #[error("the user is disabled")]
    UserDisabled,
    /// The tenant takes no sign-ups.
    #[error("the tenant's administrators have closed sign-up")]
    SignUpClosed,
    /// The client id is not one.
    #[error("a client id has 1 to 64 of `A–Z a–z 0–9 . _ ~ -`")]
    Client,
    /// There is no such API to get tokens for.
    #[error("tokens are for `{own}` or for the management API, `{management}`")]
    Resource {
        /// The tenant's `audience`.
        own: String,
        /// The management API.
        management: String,
    },
    /// The caller may not do this.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The user.
    #[error(transparent)]
    User(#[from] UserError),
    /// The password.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The session.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The tenant.
    #[error(transparent)]
    Tenant(#[from] TenantsError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

tells_refusals!(SignInError);

impl HasCode for SignInError {
    fn code(&self) -> Code {
        match self {
            Self::InvalidCredentials => Code::InvalidCredentials,
            Self::Throttled { .. } => Code::SignInThrottled,
            Self::UserDisabled => Code::UserDisabled,
            Self::SignUpClosed => Code::SignUpClosed,
            Self::Client | Self::Resource { .. } => Code::ValidationFailed,
            Self::Denied(error) => error.code(),
            Self::User(error) => error.code(),
            Self::Credential(error) => error.code(),
            Self::Session(error) => error.code(),
            Self::Tenant(error) => error.code(),
            Self::Database(error) => error.code(),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Self::Client => {
                vec![FieldError::new(
                    "/client_id",
                    "client_id_invalid",
                    self.to_string(),
                )]
            }
            Self::Resource { .. } => {
                let detail = self.to_string();
                vec![FieldError::new("/resource", "resource_unknown", detail)]
            }
            Self::User(error) => error.field_errors(),
            Self::Credential(error) => error.field_errors(),
            Self::Session(error) => error.field_errors(),
            _ => Vec::new(),
        }
    }

    fn retry_after_s(&self) -> Option<i64> {
        match self {
            Self::Throttled { retry_after_s } => Some(*retry_after_s),
            Self::Credential(error) => error.retry_after_s(),
            _ => None,
        }
    }
}
