//! Where work that may write begins: the one place that looks at its actor again.
//!
//! Between a request's arrival and its write, time goes by: a body dawdles, a password is hashed, a
//! bundle is checked. Meanwhile the API key may have been revoked, here or by another process, the
//! session ended, the user disabled. So the transaction itself asks whether the actor is still live
//! and still has the right, and holds what they act by until it ends: of a write and the end of its
//! authority, one commits first and the other sees that. Knows no feature: each says how its own
//! kind of actor is looked at.

use plinto_contract::ids::UserId;

use crate::{
    Platform,
    actor::{Actor, Denied, Permission, PermissionSet, Principal},
    db::{DbError, Held, Tx},
    fault,
    feed::Feed,
    recheck::Refused,
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

/// A piece of work that may write: what it happens in, by what means and for whom. Dropped without
/// [`commit`](Self::commit), it never happened. Its event: [`record`](Self::record).
///
/// It has no moment of its own: a row may be waited for within it, what ends somebody's rights must
/// not be dated before that wait, and events stand in the order of their moments. Whoever needs the
/// time asks the clock.
#[derive(Debug)]
pub struct Work<'a> {
    /// What stores read and write in.
    pub tx: Tx,
    /// The clock, chance, settings and whatever else the server keeps at hand.
    pub platform: &'a Platform,
    /// For whom, and in which tenant.
    pub actor: &'a Actor,
    /// What the actor may do in the tenant, as read in this transaction.
    pub permissions: PermissionSet,
    /// Whether there is an event among what it writes.
    pub(crate) has_recorded: bool,
}

impl<'a> Work<'a> {
    fn new(tx: Tx, platform: &'a Platform, actor: &'a Actor) -> Self {
        Self {
            tx,
            platform,
            actor,
            permissions: PermissionSet::none(),
            has_recorded: false,
        }
    }

    /// Errors: `Denied` when the actor is not live any more, or lacks by now what the verb needs.
    async fn recheck(&mut self, need: Need) -> Result<(), Refused> {
        self.permissions = permissions_now(self.platform, &mut self.tx, self.actor).await?;
        match need {
            Need::Permission(permission) => self.require(permission)?,
            Need::All(permissions) => self.require_all(&permissions)?,
            Need::Person => {
                self.actor.user()?;
            }
            Need::Live | Need::Open => {}
        }
        Ok(())
    }

    /// Errors: `Denied` when the actor lacks the permission.
    pub fn require(&self, permission: Permission) -> Result<(), Denied> {
        if self.permissions.contains(permission) {
            Ok(())
        } else {
            Err(Denied::Lacks(permission))
        }
    }

    /// Errors: `Denied` when the actor lacks one of them: nobody grants, or takes from others, what
    /// they lack themselves (Z6).
    pub fn require_all(&self, permissions: &PermissionSet) -> Result<(), Denied> {
        permissions
            .iter()
            .try_for_each(|permission| self.require(permission))
    }

    /// Errors: `Denied` when a user of the tenant may do more with the management API than the actor:
    /// nobody gives or takes such rights by the way (Z6).
    pub async fn require_rights_of(&mut self, user: UserId) -> Result<(), Refused> {
        let rights_of = self.platform.rechecks.rights_of;
        let rights = rights_of(&mut self.tx, self.actor.tenant, user).await?;
        Ok(self.require_all(&rights)?)
    }

    /// Makes it so. Answers only when the disk has it.
    /// Errors: `Aborted` when a statement had failed; nothing was stored then.
    pub async fn commit(self) -> Result<(), DbError> {
        fault::reach("work_done");
        self.tx.commit().await?;
        fault::reach("work_committed");
        if self.has_recorded {
            let feed = self.platform.state::<Feed>();
            feed.recorded(&self.platform.db, self.actor.tenant);
        }
        Ok(())
    }
}

/// Begins work in a transaction in which the actor is live and has what the verb needs.
/// Errors: `Denied`; nothing was begun then.
pub async fn begin<'a>(
    platform: &'a Platform,
    actor: &'a Actor,
    need: Need,
) -> Result<Work<'a>, Refused> {
    if matches!(need, Need::Open) {
        let tx = platform.db.begin().await?;
        return Ok(Work::new(tx, platform, actor));
    }
    let tx = platform.db.begin_holding(&held(actor, false)).await?;
    let mut work = Work::new(tx, platform, actor);
    work.recheck(need).await?;
    Ok(work)
}

/// The same for work that changes what people may do: nobody acts by that meanwhile, so of a write and
/// the end of its right, one commits first and the other sees that. The name is held from the
/// beginning, before any row, or two who share it would wait for each other.
pub async fn begin_changing_rights<'a>(
    platform: &'a Platform,
    actor: &'a Actor,
    need: Need,
) -> Result<Work<'a>, Refused> {
    let tx = platform.db.begin_holding(&held(actor, true)).await?;
    let mut work = Work::new(tx, platform, actor);
    work.recheck(need).await?;
    Ok(work)
}

/// Begins to read for an actor who may have waited for a while: in the state that is read, they are
/// live and have the permission.
/// Errors: `Denied`.
pub async fn begin_reading(
    platform: &Platform,
    actor: &Actor,
    permission: Permission,
) -> Result<Tx, Refused> {
    let mut tx = platform.db.read().await?;
    let permissions = permissions_now(platform, &mut tx, actor).await?;
    if permissions.contains(permission) {
        Ok(tx)
    } else {
        Err(Denied::Lacks(permission).into())
    }
}

/// What the actor may do, as the transaction sees it.
/// Errors: `Denied` when they are not live any more.
async fn permissions_now(
    platform: &Platform,
    tx: &mut Tx,
    actor: &Actor,
) -> Result<PermissionSet, Refused> {
    let now = platform.clock.now();
    match actor.principal {
        Principal::ApiKey { .. } => (platform.rechecks.api_key)(tx, actor, now).await,
        Principal::User { .. } => (platform.rechecks.person)(tx, actor, now).await,
        Principal::Anonymous | Principal::System => Ok(actor.permissions.clone()),
    }
}

/// Opens a transaction that may write, for the server's own work that nobody is behind.
pub async fn begin_own(platform: &Platform) -> Result<Tx, DbError> {
    platform.db.begin().await
}

/// What an actor acts by. Whoever ends one of these holds it alone. A person's own writes take
/// turns: most of them end something that the others act by.
fn held(actor: &Actor, changes_rights: bool) -> Held {
    let managing = |held: Held, acts_by_it: bool| {
        if changes_rights {
            held.alone(rights(actor))
        } else if acts_by_it {
            held.shared(rights(actor))
        } else {
            held
        }
    };
    match actor.principal {
        Principal::ApiKey { key } => managing(Held::default().shared(key), false),
        Principal::User {
            user,
            home,
            session,
            token,
        } => managing(Held::default().shared(home), token.is_for_management)
            .alone(user)
            .shared(session),
        Principal::Anonymous | Principal::System => managing(Held::default(), false),
    }
}

/// What people may do in the actor's tenant.
fn rights(actor: &Actor) -> String {
    format!("rights in {}", actor.tenant)
}
