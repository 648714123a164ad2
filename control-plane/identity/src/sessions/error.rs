//! What can go wrong with sessions.

use plinto_contract::problem::{Code, FieldError};
use plinto_platform::{actor::Denied, db::DbError, http::HasCode, tells_refusals};
use plinto_tenancy::{signing_keys::SigningKeysError, tenants::TenantsError};

/// Why a verb on sessions came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No such session that the caller may know of.
    #[error("there is no such session")]
    NotFound,
    /// The user is not a member of the organization, or there is no such organization.
    #[error("the user is not a member of this organization")]
    NotAMember,
    /// The tenant has no client of this name.
    #[error("the tenant has no such client; its settings list them")]
    UnknownClient,
    /// The refresh token buys nothing; why is nobody's business.
    #[error("the refresh token is not valid")]
    InvalidGrant,
    /// Not an access token of this tenant.
    #[error("the access token is not valid")]
    TokenInvalid,
    /// The access token has run out.
    #[error("the access token has expired")]
    TokenExpired,
    /// The access token's session has ended.
    #[error("the access token has been revoked")]
    TokenRevoked,
    /// The access token's session goes on, but what the token says of its user is true no more.
    #[error("the user's roles have changed since this access token was issued; refresh it")]
    TokenOutdated,
    /// The session's tokens are for another API.
    #[error("the session is for another resource; sign in for this one")]
    OtherResource,
    /// The token belongs to another client.
    #[error("the token belongs to another client")]
    OtherClient,
    /// The caller may not do this.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The tenant's keys.
    #[error(transparent)]
    SigningKeys(#[from] SigningKeysError),
    /// The tenant.
    #[error(transparent)]
    Tenants(#[from] TenantsError),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl SessionError {
    /// Whether the token is at fault, and not the caller or ourselves.
    pub(super) fn is_of_token(&self) -> bool {
        matches!(
            self,
            Self::TokenInvalid | Self::TokenExpired | Self::TokenRevoked | Self::TokenOutdated
        )
    }
}

tells_refusals!(SessionError);

impl HasCode for SessionError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::NotFound,
            Self::NotAMember | Self::UnknownClient | Self::InvalidGrant => Code::ValidationFailed,
            Self::TokenInvalid | Self::OtherResource | Self::OtherClient => Code::TokenInvalid,
            Self::TokenExpired => Code::TokenExpired,
            Self::TokenRevoked => Code::TokenRevoked,
            Self::TokenOutdated => Code::TokenOutdated,
            Self::Denied(error) => error.code(),
            Self::SigningKeys(error) => error.code(),
            Self::Tenants(error) => error.code(),
            Self::Database(error) => error.code(),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        let (pointer, code) = match self {
            Self::NotAMember => ("/organization_id", "not_a_member"),
            Self::UnknownClient => ("/client_id", "client_unknown"),
            // The token endpoint says it in OAuth's own words.
            Self::InvalidGrant => ("/refresh_token", "invalid_grant"),
            _ => return Vec::new(),
        };
        vec![FieldError::new(pointer, code, self.to_string())]
    }
}
