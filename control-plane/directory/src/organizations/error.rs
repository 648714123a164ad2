//! What can be refused about organizations.

use plinto_contract::problem::{Code, FieldError};
use plinto_platform::{actor::Denied, db::DbError, http::HasCode, tells_refusals};

/// Why a verb on organizations came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OrganizationsError {
    /// No such organization in this tenant.
    #[error("no such organization")]
    NotFound,
    /// No such member.
    #[error("no such member")]
    MemberNotFound,
    /// Another organization of the tenant has the slug.
    #[error("an organization with the slug `{0}` exists")]
    SlugTaken(String),
    /// The user is in the organization already.
    #[error("the user is a member already")]
    AlreadyMember,
    /// The change would leave members without an owner.
    #[error("an organization with members keeps at least one owner")]
    LastOwner,
    /// The version that the caller named is gone.
    #[error("the organization has changed meanwhile")]
    Changed,
    /// The version of the member that the caller named is gone.
    #[error("the member has changed meanwhile")]
    MemberChanged,
    /// A role of more rights than the caller's own roles in the organization would come or go.
    #[error("nobody gives or takes roles that allow more than their own in the organization")]
    BeyondOwnRoles,
    /// Values that cannot be.
    #[error("{} of the values are not acceptable", .0.len())]
    Invalid(Vec<FieldError>),
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

tells_refusals!(OrganizationsError);

impl HasCode for OrganizationsError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound | Self::MemberNotFound => Code::NotFound,
            Self::SlugTaken(_) => Code::SlugTaken,
            Self::AlreadyMember => Code::AlreadyMember,
            Self::LastOwner => Code::LastOwner,
            Self::Changed | Self::MemberChanged => Code::PreconditionFailed,
            Self::BeyondOwnRoles => Code::PermissionDenied,
            Self::Invalid(_) => Code::ValidationFailed,
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
