//! How an actor is checked again when their work begins to write. Knows no feature: each says how its
//! own kind of actor is checked.

use std::{fmt, pin::Pin};

use plinto_contract::{
    ids::{TenantId, UserId},
    time::UnixMillis,
};

use crate::{
    actor::{Actor, Denied, PermissionSet},
    db::{DbError, Tx},
};

/// Why no work began.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The actor may not, or not any more.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Lets a feature's error, which has a place for `Denied` and one for `DbError`, tell of [`Refused`].
#[macro_export]
macro_rules! tells_refusals {
    ($error:ty) => {
        impl From<$crate::recheck::Refused> for $error {
            fn from(refused: $crate::recheck::Refused) -> Self {
                match refused {
                    $crate::recheck::Refused::Denied(denied) => denied.into(),
                    $crate::recheck::Refused::Database(error) => error.into(),
                }
            }
        }
    };
}

/// What an actor may do at this moment, read in the given transaction.
/// Errors: `Denied` when they are not live any more.
pub type Recheck = for<'a> fn(&'a mut Tx, &'a Actor, UnixMillis) -> Rechecked<'a>;

/// The answer to come.
pub type Rechecked<'a> = Pin<Box<dyn Future<Output = Result<PermissionSet, Refused>> + Send + 'a>>;

/// What one of a tenant's users may do with the management API at this moment, as an administrator of
/// that tenant.
pub type RightsOf = for<'a> fn(&'a mut Tx, TenantId, UserId) -> Rights<'a>;

/// The answer to come.
pub type Rights<'a> = Pin<Box<dyn Future<Output = Result<PermissionSet, DbError>> + Send + 'a>>;

/// How each kind of actor is checked again, and those whom they act upon.
#[derive(Clone, Copy)]
pub struct Rechecks {
    /// One that came with an API key.
    pub api_key: Recheck,
    /// One that came with a person's access token.
    pub person: Recheck,
    /// Somebody whose rights would come or go with what is done to them.
    pub rights_of: RightsOf,
}

impl fmt::Debug for Rechecks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rechecks").finish_non_exhaustive()
    }
}
