//! The verbs on roles.

use std::collections::{BTreeMap, BTreeSet};

use plinto_contract::{
    events::{RoleCreated, RoleDeleted, RoleUpdated},
    ids::{RoleId, TenantId},
    limits::ROLES_BYTES,
    problem::FieldError,
    time::UnixMillis,
};
use plinto_platform::{
    Platform,
    actor::{Actor, Permission},
    authority::{self, Need, Work},
    db::{DbError, FOREIGN_KEY, Tx},
};

use super::{
    error::RolesError,
    model::{self, ADMINISTRATOR, CreateRole, Grants, PolicyData, Role, UpdateRole},
    store,
};

/// Makes a role.
/// Errors: `KeyTaken`; `TooMany`; `TooLarge`; `Invalid`; `Denied` for a management permission that the
/// caller lacks (Z6).
pub(crate) async fn create(
    platform: &Platform,
    actor: &Actor,
    input: CreateRole,
) -> Result<Role, RolesError> {
    actor.require(Permission::RolesWrite)?;
    let errors = input.check();
    if !errors.is_empty() {
        return Err(RolesError::Invalid(errors));
    }
    let key = input.key.clone();
    let mut work =
        authority::begin(platform, actor, Need::Permission(Permission::RolesWrite)).await?;
    work.require_all(&input.management_permissions)?;
    store::hold(&mut work.tx, actor.tenant).await?;
    if store::count(&mut work.tx, actor.tenant).await? >= model::ROLES_MAX {
        return Err(RolesError::TooMany(model::ROLES_MAX));
    }
    let role = insert(&mut work, input, false)
        .await
        .map_err(|error| error.on("roles_tenant_id_key_key", || RolesError::KeyTaken(key)))?;
    require_room(&mut work.tx, actor.tenant).await?;
    work.commit().await?;
    Ok(role)
}

/// Errors: `TooLarge` when no bundle could carry the tenant's roles any more: then what is taken away
/// would not reach edges either.
async fn require_room(tx: &mut Tx, tenant: TenantId) -> Result<(), RolesError> {
    let bytes = store::bytes(tx, tenant).await?;
    if usize::try_from(bytes).is_ok_and(|bytes| bytes <= ROLES_BYTES) {
        return Ok(());
    }
    Err(RolesError::TooLarge(ROLES_BYTES))
}

/// One role.
pub(crate) async fn get(
    platform: &Platform,
    actor: &Actor,
    id: RoleId,
) -> Result<Role, RolesError> {
    actor.require(Permission::RolesRead)?;
    let mut tx = platform.db.read().await?;
    store::find(&mut tx, actor.tenant, id)
        .await?
        .ok_or(RolesError::NotFound)
}

/// Roles in the order of their ids, after `after` (empty: from the first), at most `limit`.
pub(crate) async fn list(
    platform: &Platform,
    actor: &Actor,
    after: &str,
    limit: i64,
) -> Result<Vec<Role>, RolesError> {
    actor.require(Permission::RolesRead)?;
    let mut tx = platform.db.read().await?;
    Ok(store::list(&mut tx, actor.tenant, after, limit).await?)
}

/// Changes a role. `version`: the one the caller has seen.
/// Errors: `Changed` when the role has another version by now; `TooLarge`; `Invalid`; `Denied` when a
/// management permission that the caller lacks would come or go (Z6); `System` for those of
/// [`ADMINISTRATOR`].
pub(crate) async fn update(
    platform: &Platform,
    actor: &Actor,
    id: RoleId,
    version: i64,
    input: UpdateRole,
) -> Result<Role, RolesError> {
    actor.require(Permission::RolesWrite)?;
    let errors = input.check();
    if !errors.is_empty() {
        return Err(RolesError::Invalid(errors));
    }
    let now = platform.clock.now();
    let mut work =
        authority::begin_changing_rights(platform, actor, Need::Permission(Permission::RolesWrite))
            .await?;
    store::hold(&mut work.tx, actor.tenant).await?;
    let mut role = at_version(&mut work.tx, actor.tenant, id, version).await?;
    role.name = input.name.unwrap_or(role.name);
    role.description = input.description.unwrap_or(role.description);
    let permissions = input.permissions.map(|wanted| wanted.into_iter().collect());
    let had = std::mem::take(&mut role.permissions);
    role.permissions = permissions.unwrap_or_else(|| had.clone());
    if let Some(wanted) = input.management_permissions {
        if role.is_system && role.key == ADMINISTRATOR {
            return Err(RolesError::System(role.key));
        }
        let changed = wanted.difference(&role.management_permissions);
        work.require_all(&changed)?;
        role.management_permissions = wanted;
    }
    role.updated_at = now;
    if !store::update(&mut work.tx, actor.tenant, &role).await? {
        return Err(RolesError::Changed);
    }
    // Taking away always fits.
    if !role.permissions.is_subset(&had) {
        require_room(&mut work.tx, actor.tenant).await?;
    }
    role.version = version.saturating_add(1);
    store::mark_changed(&mut work.tx, actor.tenant, now).await?;
    let data = RoleUpdated {
        key: role.key.clone(),
        permissions: role.permissions.clone(),
        management_permissions: management_names(&role),
    };
    work.record(role.id, &data).await?;
    work.commit().await?;
    Ok(role)
}

/// Removes a role. `version`: the one the caller has seen.
/// Errors: `InUse` while a member has it; `System`; `Changed`.
pub(crate) async fn delete(
    platform: &Platform,
    actor: &Actor,
    id: RoleId,
    version: i64,
) -> Result<(), RolesError> {
    actor.require(Permission::RolesWrite)?;
    let now = platform.clock.now();
    let mut work =
        authority::begin(platform, actor, Need::Permission(Permission::RolesWrite)).await?;
    let role = at_version(&mut work.tx, actor.tenant, id, version).await?;
    if role.is_system {
        return Err(RolesError::System(role.key));
    }
    let is_deleted = store::delete(&mut work.tx, actor.tenant, id, version)
        .await
        .map_err(|error| error.on(FOREIGN_KEY, || RolesError::InUse(role.key.clone())))?;
    if !is_deleted {
        return Err(RolesError::Changed);
    }
    store::mark_changed(&mut work.tx, actor.tenant, now).await?;
    work.record(id, &RoleDeleted { key: role.key }).await?;
    work.commit().await?;
    Ok(())
}

/// Gives a new tenant its first roles, in the work that makes the tenant.
pub async fn seed(work: &mut Work<'_>) -> Result<(), DbError> {
    for input in model::seeds() {
        insert(work, input, true).await?;
    }
    Ok(())
}

/// The tenant's roles as a policy sees them.
pub async fn policy_data(tx: &mut Tx, tenant: TenantId) -> Result<PolicyData, DbError> {
    store::policy_data(tx, tenant).await
}

/// The version of the tenant's roles; 0 before the first.
pub async fn version(tx: &mut Tx, tenant: TenantId) -> Result<i64, DbError> {
    store::version(tx, tenant).await
}

/// Every tenant whose active bundle is due for its roles, the longest due first. For background work.
pub async fn bundles_due(tx: &mut Tx, now: UnixMillis) -> Result<Vec<TenantId>, DbError> {
    store::bundles_due(tx, now).await
}

/// Notes that the active bundle, if there is one, carries this version of the roles. The next one
/// is due when they have another by now.
pub async fn bundle_built(
    tx: &mut Tx,
    tenant: TenantId,
    version: i64,
    now: UnixMillis,
) -> Result<(), DbError> {
    store::bundle_built(tx, tenant, version, now).await
}

/// Lets a bundle that is due for its roles be due later.
pub async fn put_off_bundle(
    tx: &mut Tx,
    tenant: TenantId,
    until: UnixMillis,
) -> Result<(), DbError> {
    store::put_off_bundle(tx, tenant, until).await
}

/// What each of some roles allows. Keys that no role has allow nothing, and are left out.
pub async fn grants(
    tx: &mut Tx,
    tenant: TenantId,
    keys: &BTreeSet<String>,
) -> Result<BTreeMap<String, Grants>, DbError> {
    store::grants(tx, tenant, keys).await
}

/// Keys of the roles that allow something with the management API.
pub async fn keys_with(
    tx: &mut Tx,
    tenant: TenantId,
    permission: Permission,
) -> Result<BTreeSet<String>, DbError> {
    store::keys_with(tx, tenant, permission).await
}

/// Which of the keys no role of the tenant has, as field errors under `pointer`.
/// `keys`: as the caller gave them, or the pointers lead to others.
pub async fn unknown_keys(
    tx: &mut Tx,
    tenant: TenantId,
    keys: &[String],
    pointer: &str,
) -> Result<Vec<FieldError>, DbError> {
    let mut errors = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        if !store::has_key(tx, tenant, key).await? {
            let detail = format!("there is no role `{}`", key.escape_debug());
            errors.push(FieldError::new(
                format!("{pointer}/{index}"),
                "role_unknown",
                detail,
            ));
        }
    }
    Ok(errors)
}

async fn at_version(
    tx: &mut Tx,
    tenant: TenantId,
    id: RoleId,
    version: i64,
) -> Result<Role, RolesError> {
    let role = store::find(tx, tenant, id)
        .await?
        .ok_or(RolesError::NotFound)?;
    if role.version == version {
        Ok(role)
    } else {
        Err(RolesError::Changed)
    }
}

fn management_names(role: &Role) -> Vec<String> {
    let names = role.management_permissions.names();
    names.into_iter().map(str::to_owned).collect()
}

async fn insert(work: &mut Work<'_>, input: CreateRole, is_system: bool) -> Result<Role, DbError> {
    let now = work.platform.clock.now();
    let role = Role {
        id: work.platform.random.id(now),
        key: input.key,
        name: input.name,
        description: input.description,
        permissions: input.permissions.into_iter().collect(),
        management_permissions: input.management_permissions,
        is_system,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    store::insert(&mut work.tx, work.actor.tenant, &role).await?;
    store::mark_changed(&mut work.tx, work.actor.tenant, now).await?;
    let data = RoleCreated {
        key: role.key.clone(),
        permissions: role.permissions.clone(),
        management_permissions: management_names(&role),
    };
    work.record(role.id, &data).await?;
    Ok(role)
}
