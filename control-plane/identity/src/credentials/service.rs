//! Storing and finding passwords, for the flows that check them.

use plinto_contract::{
    events::PasswordChanged,
    ids::{TenantId, UserId},
};
use plinto_platform::{
    authority::Work,
    db::{DbError, Tx},
};

use super::{model::PasswordHash, store};

/// The user's stored password. Without a user the same work is done and nothing is found.
pub async fn stored_password(
    tx: &mut Tx,
    tenant: TenantId,
    user: Option<UserId>,
) -> Result<Option<PasswordHash>, DbError> {
    store::find(tx, tenant, user).await
}

/// Gives a new user their password; `user.created` says that it happened.
pub async fn first_password(
    work: &mut Work<'_>,
    user: UserId,
    hash: &PasswordHash,
) -> Result<(), DbError> {
    let now = work.platform.clock.now();
    store::put(&mut work.tx, work.actor.tenant, user, hash, now).await
}

/// Changes a user's password.
pub async fn change_password(
    work: &mut Work<'_>,
    user: UserId,
    hash: &PasswordHash,
) -> Result<(), DbError> {
    let now = work.platform.clock.now();
    store::put(&mut work.tx, work.actor.tenant, user, hash, now).await?;
    work.record(user, &PasswordChanged {}).await
}

/// Confirms, inside the transaction that relies on it, a password that was verified before it began.
/// `better`: a hash of the same password with today's parameters.
/// `false` when the password has changed since.
pub async fn confirm(
    work: &mut Work<'_>,
    user: UserId,
    verified: &PasswordHash,
    better: Option<&PasswordHash>,
) -> Result<bool, DbError> {
    let (tenant, now) = (work.actor.tenant, work.platform.clock.now());
    store::confirm(&mut work.tx, tenant, user, verified, better, now).await
}
