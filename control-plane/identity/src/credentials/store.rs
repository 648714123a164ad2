//! SQL for `passwords`.

use plinto_contract::{
    ids::{TenantId, UserId},
    time::UnixMillis,
};
use plinto_platform::{
    args,
    db::{DbError, Tx},
};

use super::model::PasswordHash;

const FIND: &str = "select hash from passwords where tenant_id = $1 and user_id = $2";

/// The user's PHC string. Without a user the same statement runs and finds nothing.
pub(super) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    user: Option<UserId>,
) -> Result<Option<PasswordHash>, DbError> {
    let found = tx.optional::<(String,)>(FIND, args![tenant, user]).await?;
    Ok(found.map(|(hash,)| PasswordHash::new(hash)))
}

const PUT: &str = "insert into passwords (tenant_id, user_id, hash, created_at, changed_at)
    values ($1, $2, $3, $4, $4)
    on conflict (tenant_id, user_id) do update set hash = $3, changed_at = $4";

/// Sets the user's password.
pub(super) async fn put(
    tx: &mut Tx,
    tenant: TenantId,
    user: UserId,
    hash: &PasswordHash,
    now: UnixMillis,
) -> Result<(), DbError> {
    tx.execute(PUT, args![tenant, user, hash.as_str(), now])
        .await
        .map(|_| ())
}

// INVARIANT: a change of the password writes the same row, so a sign-in with the old password either
// commits before the change, which then ends its session, or finds the hash gone.
const CONFIRM: &str = "update passwords set last_used_at = $4, hash = coalesce($5, hash)
    where tenant_id = $1 and user_id = $2 and hash = $3";

/// Notes that the password behind `verified` was used, and puts a better hash of it in place.
/// `false` when the password has changed since it was verified.
pub(super) async fn confirm(
    tx: &mut Tx,
    tenant: TenantId,
    user: UserId,
    verified: &PasswordHash,
    better: Option<&PasswordHash>,
    now: UnixMillis,
) -> Result<bool, DbError> {
    let args = args![
        tenant,
        user,
        verified.as_str(),
        now,
        better.map(PasswordHash::as_str)
    ];
    Ok(tx.execute(CONFIRM, args).await? > 0)
}
