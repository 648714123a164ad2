//! SQL for `api_keys`.

use plinto_contract::{
    ids::{ApiKeyId, TenantId},
    time::UnixMillis,
};
use plinto_platform::{
    actor::PermissionSet,
    args,
    db::{DbError, Tx},
};

use super::model::ApiKey;

#[derive(sqlx::FromRow)]
struct KeyRow {
    tenant_id: String,
    id: String,
    name: String,
    last_four: String,
    permissions: String,
    created_by: String,
    created_at: i64,
    expires_at: Option<i64>,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl KeyRow {
    fn into_key(self) -> Result<(TenantId, ApiKey), DbError> {
        let broken = |column| DbError::Inconsistent {
            table: "api_keys",
            column,
            id: self.id.clone(),
        };
        let tenant = self.tenant_id.parse().map_err(|_| broken("tenant_id"))?;
        let key = ApiKey {
            id: self.id.parse().map_err(|_| broken("id"))?,
            permissions: permissions(&self.permissions).ok_or_else(|| broken("permissions"))?,
            name: self.name,
            last_four: self.last_four,
            created_by: self.created_by,
            created_at: UnixMillis(self.created_at),
            expires_at: self.expires_at.map(UnixMillis),
            last_used_at: self.last_used_at.map(UnixMillis),
            revoked_at: self.revoked_at.map(UnixMillis),
        };
        Ok((tenant, key))
    }
}

/// A permission that this version does not know opens nothing in it.
fn permissions(text: &str) -> Option<PermissionSet> {
    let names: Vec<String> = serde_json::from_str(text).ok()?;
    Some(names.iter().filter_map(|name| name.parse().ok()).collect())
}

const INSERT: &str = "insert into api_keys
    (tenant_id, id, name, secret_hash, last_four, permissions, created_by, created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// `hash`: see [`ApiKeySecret::hash`](super::model::ApiKeySecret::hash).
pub(super) async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    key: &ApiKey,
    hash: String,
) -> Result<(), DbError> {
    let args = args![
        tenant,
        key.id,
        &key.name,
        hash,
        &key.last_four,
        key.permissions.to_string(),
        &key.created_by,
        key.created_at,
        key.expires_at,
    ];
    tx.execute(INSERT, args).await.map(|_| ())
}

const FIND: &str = "select tenant_id, id, name, last_four, permissions, created_by, created_at,
    expires_at, last_used_at, revoked_at from api_keys where tenant_id = $1 and id = $2";

/// One key by its id.
pub(super) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    id: ApiKeyId,
) -> Result<Option<ApiKey>, DbError> {
    tx.optional::<KeyRow>(FIND, args![tenant, id])
        .await?
        .map(|row| row.into_key().map(|(_, key)| key))
        .transpose()
}

const FIND_BY_HASH: &str = "select tenant_id, id, name, last_four, permissions, created_by,
    created_at, expires_at, last_used_at, revoked_at from api_keys where secret_hash = $1";

/// A key and its tenant by the hash of its secret: the secret is what tells the tenant.
pub(super) async fn find_by_hash(
    tx: &mut Tx,
    hash: &str,
) -> Result<Option<(TenantId, ApiKey)>, DbError> {
    tx.optional::<KeyRow>(FIND_BY_HASH, args![hash])
        .await?
        .map(KeyRow::into_key)
        .transpose()
}

const LIST: &str = "select tenant_id, id, name, last_four, permissions, created_by, created_at,
    expires_at, last_used_at, revoked_at from api_keys
    where tenant_id = $1 and id > $2 order by id limit $3";

/// Keys in the order of their ids, after `after` (empty: from the first).
pub(super) async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    after: &str,
    limit: i64,
) -> Result<Vec<ApiKey>, DbError> {
    tx.all::<KeyRow>(LIST, args![tenant, after, limit])
        .await?
        .into_iter()
        .map(|row| row.into_key().map(|(_, key)| key))
        .collect()
}

const REVOKE: &str = "update api_keys set revoked_at = $3
    where tenant_id = $1 and id = $2 and revoked_at is null";

/// Revokes a key; `false` when it is gone or revoked already.
pub(super) async fn revoke(
    tx: &mut Tx,
    tenant: TenantId,
    id: ApiKeyId,
    now: UnixMillis,
) -> Result<bool, DbError> {
    tx.hold_alone(id).await?;
    Ok(tx.execute(REVOKE, args![tenant, id, now]).await? == 1)
}

const TOUCH: &str = "update api_keys set last_used_at = $3
    where tenant_id = $1 and id = $2 and (last_used_at is null or last_used_at < $4)";

/// Notes a use, unless one after `unless_after` is noted already.
pub(super) async fn touch(
    tx: &mut Tx,
    tenant: TenantId,
    id: ApiKeyId,
    now: UnixMillis,
    unless_after: UnixMillis,
) -> Result<(), DbError> {
    tx.execute(TOUCH, args![tenant, id, now, unless_after])
        .await
        .map(|_| ())
}
