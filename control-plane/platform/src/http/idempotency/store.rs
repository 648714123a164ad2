//! SQL over `idempotency_keys`.

use plinto_contract::{ids::TenantId, time::UnixMillis};

use super::Slot;
use crate::{
    args,
    db::{DbError, Tx},
};

const INSERT: &str = "insert into idempotency_keys
    (tenant_id, scope, key, fingerprint, response_sealed, created_at)
    values ($1, $2, $3, $4, null, $5) on conflict do nothing";

const FIND: &str = "select fingerprint, response_sealed, created_at from idempotency_keys
    where tenant_id = $1 and scope = $2 and key = $3";

const KEEP: &str = "update idempotency_keys set response_sealed = $4
    where tenant_id = $1 and scope = $2 and key = $3";

const GIVE_UP: &str = "delete from idempotency_keys
    where tenant_id = $1 and scope = $2 and key = $3 and response_sealed is null";

const FORGET: &str = "delete from idempotency_keys
    where tenant_id = $1 and scope = $2 and key = $3 and created_at < $4";

const FORGET_SOME: &str = "delete from idempotency_keys where (tenant_id, scope, key) in
    (select tenant_id, scope, key from idempotency_keys
        where created_at < $1 order by created_at limit $2)";

/// 200: answers that are forgotten at once. Others write between two steps.
const AT_ONCE: i64 = 200;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub(super) fingerprint: String,
    pub(super) response_sealed: Option<String>,
    pub(super) created_at: i64,
}

/// False when the slot is taken.
pub(super) async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    slot: &Slot,
    now: UnixMillis,
) -> Result<bool, DbError> {
    let args = args![tenant, &slot.scope, &slot.key, &slot.fingerprint, now];
    Ok(tx.execute(INSERT, args).await? == 1)
}

pub(super) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    slot: &Slot,
) -> Result<Option<Row>, DbError> {
    tx.optional(FIND, args![tenant, &slot.scope, &slot.key])
        .await
}

pub(super) async fn keep(
    tx: &mut Tx,
    tenant: TenantId,
    slot: &Slot,
    answer: &str,
) -> Result<(), DbError> {
    tx.execute(KEEP, args![tenant, &slot.scope, &slot.key, answer])
        .await?;
    Ok(())
}

pub(super) async fn give_up(tx: &mut Tx, tenant: TenantId, slot: &Slot) -> Result<(), DbError> {
    tx.execute(GIVE_UP, args![tenant, &slot.scope, &slot.key])
        .await?;
    Ok(())
}

pub(super) async fn forget(
    tx: &mut Tx,
    tenant: TenantId,
    slot: &Slot,
    before: UnixMillis,
) -> Result<(), DbError> {
    tx.execute(FORGET, args![tenant, &slot.scope, &slot.key, before])
        .await?;
    Ok(())
}

/// False when nothing older is left.
pub(super) async fn forget_some(tx: &mut Tx, before: UnixMillis) -> Result<bool, DbError> {
    Ok(tx.execute(FORGET_SOME, args![before, AT_ONCE]).await? > 0)
}
