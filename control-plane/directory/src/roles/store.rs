//! SQL for `roles` and `role_sets`.

use std::collections::{BTreeMap, BTreeSet};

use plinto_contract::{
    ids::{RoleId, TenantId},
    time::UnixMillis,
};
use plinto_platform::{
    actor::{Permission, PermissionSet},
    args,
    db::{DbError, Tx},
};

use super::model::{ADMINISTRATOR, Grants, PolicyData, Role};

fn inconsistent(table: &'static str, column: &'static str, id: &str) -> DbError {
    DbError::Inconsistent {
        table,
        column,
        id: id.to_owned(),
    }
}

#[derive(sqlx::FromRow)]
struct RoleRow {
    id: String,
    key: String,
    name: String,
    description: String,
    permissions: String,
    management_permissions: String,
    is_system: bool,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

impl RoleRow {
    fn into_role(self) -> Result<Role, DbError> {
        let broken = |column| inconsistent("roles", column, &self.id);
        Ok(Role {
            id: self.id.parse().map_err(|_| broken("id"))?,
            permissions: serde_json::from_str(&self.permissions)
                .map_err(|_| broken("permissions"))?,
            management_permissions: management(
                &self.key,
                self.is_system,
                &self.management_permissions,
            )
            .ok_or_else(|| broken("management_permissions"))?,
            key: self.key,
            name: self.name,
            description: self.description,
            is_system: self.is_system,
            version: self.version,
            created_at: UnixMillis(self.created_at),
            updated_at: UnixMillis(self.updated_at),
        })
    }
}

/// What a role allows with the management API; `None` when its row can't be read.
fn management(key: &str, is_system: bool, text: &str) -> Option<PermissionSet> {
    if is_system && key == ADMINISTRATOR {
        return Some(PermissionSet::all());
    }
    text.parse().ok()
}

fn permissions_text(permissions: &BTreeSet<String>) -> String {
    serde_json::json!(permissions).to_string()
}

const INSERT: &str = "insert into roles
    (tenant_id, id, key, name, description, permissions, management_permissions, is_system, version,
    created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// Errors: `Conflict` on `roles_tenant_id_key_key`.
pub(super) async fn insert(tx: &mut Tx, tenant: TenantId, role: &Role) -> Result<(), DbError> {
    let args = args![
        tenant,
        role.id,
        &role.key,
        &role.name,
        &role.description,
        permissions_text(&role.permissions),
        role.management_permissions.to_string(),
        role.is_system,
        role.version,
        role.created_at,
        role.updated_at,
    ];
    tx.execute(INSERT, args).await.map(|_| ())
}

const FIND: &str = "select id, key, name, description, permissions, management_permissions,
    is_system, version, created_at, updated_at from roles where tenant_id = $1 and id = $2";

/// One role by its id.
pub(super) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    id: RoleId,
) -> Result<Option<Role>, DbError> {
    tx.optional::<RoleRow>(FIND, args![tenant, id])
        .await?
        .map(RoleRow::into_role)
        .transpose()
}

const LIST: &str = "select id, key, name, description, permissions, management_permissions,
    is_system, version, created_at, updated_at from roles where tenant_id = $1 and id > $2 order by id limit $3";

/// Roles in the order of their ids, after `after` (empty: from the first).
pub(super) async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    after: &str,
    limit: i64,
) -> Result<Vec<Role>, DbError> {
    tx.all::<RoleRow>(LIST, args![tenant, after, limit])
        .await?
        .into_iter()
        .map(RoleRow::into_role)
        .collect()
}

const COUNT: &str = "select count(*) from roles where tenant_id = $1";

/// How many roles the tenant has.
pub(super) async fn count(tx: &mut Tx, tenant: TenantId) -> Result<i64, DbError> {
    let (count,) = tx.one::<(i64,)>(COUNT, args![tenant]).await?;
    Ok(count)
}

/// Lets nobody else make or change a role of the tenant until the transaction ends.
pub(super) async fn hold(tx: &mut Tx, tenant: TenantId) -> Result<(), DbError> {
    tx.hold_alone(format!("roles of {tenant}")).await
}

const BYTES: &str = "select cast(coalesce(sum(length(key) + length(permissions)), 0) as bigint)
    from roles where tenant_id = $1";

/// How much the tenant's roles take in a bundle.
pub(super) async fn bytes(tx: &mut Tx, tenant: TenantId) -> Result<i64, DbError> {
    let (bytes,) = tx.one::<(i64,)>(BYTES, args![tenant]).await?;
    Ok(bytes)
}

const UPDATE: &str = "update roles set name = $4, description = $5, permissions = $6,
    management_permissions = $7, updated_at = $8, version = version + 1
    where tenant_id = $1 and id = $2 and version = $3";

/// Writes a role over the version it was read at; `false` when that version is gone.
pub(super) async fn update(tx: &mut Tx, tenant: TenantId, role: &Role) -> Result<bool, DbError> {
    let args = args![
        tenant,
        role.id,
        role.version,
        &role.name,
        &role.description,
        permissions_text(&role.permissions),
        role.management_permissions.to_string(),
        role.updated_at,
    ];
    Ok(tx.execute(UPDATE, args).await? == 1)
}

const DELETE: &str = "delete from roles where tenant_id = $1 and id = $2 and version = $3";

/// Removes a role at the version it was read at; `false` when that version is gone.
/// Errors: a foreign-key `Conflict` while members have the role.
pub(super) async fn delete(
    tx: &mut Tx,
    tenant: TenantId,
    id: RoleId,
    version: i64,
) -> Result<bool, DbError> {
    let args = args![tenant, id, version];
    Ok(tx.execute(DELETE, args).await? == 1)
}

const MARK_CHANGED: &str = "insert into role_sets (tenant_id, version, bundle_due_at)
    values ($1, 1, $2)
    on conflict (tenant_id) do update
    set version = role_sets.version + 1, bundle_due_at = excluded.bundle_due_at";

/// Raises the version of the tenant's roles; the active bundle is due for them at once.
pub(super) async fn mark_changed(
    tx: &mut Tx,
    tenant: TenantId,
    now: UnixMillis,
) -> Result<(), DbError> {
    tx.execute(MARK_CHANGED, args![tenant, now])
        .await
        .map(|_| ())
}

const VERSION: &str = "select version from role_sets where tenant_id = $1";
const GRANTS: &str = "select key, permissions from roles where tenant_id = $1 order by key";

/// The roles as a policy sees them.
pub(super) async fn policy_data(tx: &mut Tx, tenant: TenantId) -> Result<PolicyData, DbError> {
    let version = version(tx, tenant).await?;
    let rows = tx.all::<(String, String)>(GRANTS, args![tenant]).await?;
    let roles = rows
        .into_iter()
        .map(|(key, permissions)| {
            let permissions = serde_json::from_str(&permissions)
                .map_err(|_| inconsistent("roles", "permissions", &key))?;
            Ok((key, permissions))
        })
        .collect::<Result<_, DbError>>()?;
    Ok(PolicyData { version, roles })
}

const ALL_GRANTS: &str = "select key, permissions, management_permissions, is_system from roles
    where tenant_id = $1";

/// What a role allows, as its row says it.
type GrantsRow = (String, String, String, bool);

fn read_grants(
    (key, permissions, management_permissions, is_system): &GrantsRow,
) -> Result<Grants, DbError> {
    let broken = |column| inconsistent("roles", column, key);
    Ok(Grants {
        permissions: serde_json::from_str(permissions).map_err(|_| broken("permissions"))?,
        management: management(key, *is_system, management_permissions)
            .ok_or_else(|| broken("management_permissions"))?,
    })
}

/// What each of some roles allows. Others, and whether they can be read, make no difference.
pub(super) async fn grants(
    tx: &mut Tx,
    tenant: TenantId,
    keys: &BTreeSet<String>,
) -> Result<BTreeMap<String, Grants>, DbError> {
    let rows = tx.all::<GrantsRow>(ALL_GRANTS, args![tenant]).await?;
    rows.iter()
        .filter(|(key, ..)| keys.contains(key))
        .map(|row| Ok((row.0.clone(), read_grants(row)?)))
        .collect()
}

/// Keys of the roles that allow something with the management API; one that can't be read allows
/// nothing.
pub(super) async fn keys_with(
    tx: &mut Tx,
    tenant: TenantId,
    permission: Permission,
) -> Result<BTreeSet<String>, DbError> {
    let rows = tx.all::<GrantsRow>(ALL_GRANTS, args![tenant]).await?;
    let allows = |row: &&GrantsRow| match read_grants(row) {
        Ok(grants) => grants.management.contains(permission),
        Err(error) => {
            tracing::warn!(%error, "a role can't be read, and allows nothing");
            false
        }
    };
    Ok(rows
        .iter()
        .filter(allows)
        .map(|row| row.0.clone())
        .collect())
}

/// The version of the tenant's roles; 0 before the first.
pub(super) async fn version(tx: &mut Tx, tenant: TenantId) -> Result<i64, DbError> {
    let version = tx.optional::<(i64,)>(VERSION, args![tenant]).await?;
    Ok(version.map_or(0, |(version,)| version))
}

const BUNDLES_DUE: &str =
    "select tenant_id from role_sets where bundle_due_at <= $1 order by bundle_due_at";

/// Every tenant whose active bundle is due for its roles. For the worker, which serves all tenants.
pub(super) async fn bundles_due(tx: &mut Tx, now: UnixMillis) -> Result<Vec<TenantId>, DbError> {
    tx.tenants("role_sets", BUNDLES_DUE, args![now]).await
}

const BUNDLE_BUILT: &str = "update role_sets
    set bundle_due_at = case when version = $2 then null else coalesce(bundle_due_at, $3) end
    where tenant_id = $1 and (version <> $2 or bundle_due_at is not null)";

/// Notes that the active bundle, if there is one, carries this version of the roles. When they have
/// changed since, the next one is due.
pub(super) async fn bundle_built(
    tx: &mut Tx,
    tenant: TenantId,
    version: i64,
    now: UnixMillis,
) -> Result<(), DbError> {
    tx.execute(BUNDLE_BUILT, args![tenant, version, now])
        .await
        .map(|_| ())
}

const PUT_OFF_BUNDLE: &str = "update role_sets set bundle_due_at = $2
    where tenant_id = $1 and bundle_due_at is not null";

/// Lets a bundle that is due be due later.
pub(super) async fn put_off_bundle(
    tx: &mut Tx,
    tenant: TenantId,
    until: UnixMillis,
) -> Result<(), DbError> {
    tx.execute(PUT_OFF_BUNDLE, args![tenant, until])
        .await
        .map(|_| ())
}

const HAS_KEY: &str = "select 1 from roles where tenant_id = $1 and key = $2";

/// Whether a role of the tenant has this key.
pub(super) async fn has_key(tx: &mut Tx, tenant: TenantId, key: &str) -> Result<bool, DbError> {
    let found = tx.optional::<(i32,)>(HAS_KEY, args![tenant, key]).await?;
    Ok(found.is_some())
}
