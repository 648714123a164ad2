//! Where work that may write begins: the one place that looks at its actor again.
//!
//! Between a request's arrival and its write, time goes by: a body dawdles, a password is hashed, a
//! bundle is checked. Meanwhile the API key may have been revoked, here or by another process, the
//! session ended, the user disabled. So the transaction itself asks whether the actor is still live
//! and still has the right, and holds what they act by until it ends: of a write and the end of its
//! authority, one commits first and the other sees that. Knows no feature: each says how its own
//! kind of actor is looked at.

use std::{fmt, pin::Pin};

use plinto_contract::time::UnixMillis;

use crate::{
    actor::{Actor, Denied, Permission, PermissionSet, Principal},
    app::App,
    db::{DbError, Held, Tx},
};

/// What a verb needs of its actor.
#[derive(Debug, Clone)]
pub enum Need {
    /// To carry a permission.
    Permission(Permission),
    /// To carry all of these.
    All(PermissionSet),
    /// To be a person, who acts on what is their own.
    Person,
    /// To be live, whoever they are.
    Live,
    /// Nothing: the verb is open to everybody, and what they present to it decides.
    Open,
}

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
        impl From<$crate::authority::Refused> for $error {
            fn from(refused: $crate::authority::Refused) -> Self {
                match refused {
                    $crate::authority::Refused::Denied(denied) => denied.into(),
                    $crate::authority::Refused::Database(error) => error.into(),
                }
            }
        }
    };
}

/// What an actor may do at this moment, read in the given transaction.
/// Errors: `Denied` when they are not live any more.
pub type LookAgain = for<'a> fn(&'a mut Tx, &'a Actor, UnixMillis) -> Looking<'a>;

/// The answer to come.
pub type Looking<'a> = Pin<Box<dyn Future<Output = Result<PermissionSet, Refused>> + Send + 'a>>;

/// How each kind of actor is looked at again.
#[derive(Clone, Copy)]
pub struct Authority {
    /// One that came with an API key.
    pub api_key: LookAgain,
    /// One that came with a person's access token.
    pub person: LookAgain,
}

impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// Opens a transaction that may write, in which the actor is live and has what the verb needs.
/// Errors: `Denied`; nothing was begun then.
pub async fn begin(app: &App, actor: &Actor, need: Need) -> Result<Tx, Refused> {
    if matches!(need, Need::Open) {
        return Ok(app.db.begin().await?);
    }
    let mut tx = app.db.begin_holding(&held(actor)).await?;
    let now = app.clock.now();
    let permissions = match actor.principal {
        Principal::ApiKey { .. } => (app.authority.api_key)(&mut tx, actor, now).await?,
        Principal::User { .. } => (app.authority.person)(&mut tx, actor, now).await?,
        Principal::Anonymous | Principal::System => actor.permissions.clone(),
    };
    let actor = Actor {
        permissions,
        ..actor.clone()
    };
    match need {
        Need::Permission(permission) => actor.require(permission)?,
        Need::All(permissions) => {
            for permission in permissions.iter() {
                actor.require(permission)?;
            }
        }
        Need::Person => {
            actor.user()?;
        }
        Need::Live | Need::Open => {}
    }
    Ok(tx)
}

/// Opens a transaction that may write, for the server's own work.
pub async fn begin_own(app: &App) -> Result<Tx, DbError> {
    app.db.begin().await
}

/// What an actor acts by. Whoever ends one of these holds it alone. A person's own writes take
/// turns: most of them end something that the others act by.
fn held(actor: &Actor) -> Held {
    match actor.principal {
        Principal::ApiKey { key } => Held::default().shared(key),
        Principal::User { user, session, .. } => Held::default()
            .shared(actor.tenant)
            .alone(user)
            .shared(session),
        Principal::Anonymous | Principal::System => Held::default(),
    }
}
