//! How an actor is checked again when their work begins to write. Knows no feature: each says how its
//! own kind of actor is checked.

use std::{fmt, pin::Pin};

use plinto_contract::time::UnixMillis;

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

/// How each kind of actor is checked again.
#[derive(Clone, Copy)]
pub struct Rechecks {
    /// One that came with an API key.
    pub api_key: Recheck,
    /// One that came with a person's access token.
    pub person: Recheck,
}

impl fmt::Debug for Rechecks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rechecks").finish_non_exhaustive()
    }
}
