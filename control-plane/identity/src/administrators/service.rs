//! The verbs on administrators.

use std::collections::BTreeSet;

use plinto_contract::{
    events::{AdministratorAdded, AdministratorRemoved, AdministratorUpdated},
    ids::{TenantId, UserId},
    problem::FieldError,
};
use plinto_directory::{
    roles::{self, Grants},
    users,
};
use plinto_platform::{
    Platform,
    actor::{Actor, Permission, PermissionSet},
    authority::{self, Need, Work},
    db::{DbError, Tx},
    recheck::Rights,
};

use super::{
    error::AdministratorsError,
    model::{ADMINISTRATORS_MAX, Administrator, check_roles},
    store,
};

const WRITE: Need = Need::Permission(Permission::AdministratorsWrite);

/// Makes a user an administrator. `home`: the tenant whose user they are.
/// Errors: `Exists`; `TooMany`; `Invalid` for unknown users and roles; `Denied` when a role allows
/// what the caller lacks (Z6).
pub(super) async fn add(
    platform: &Platform,
    actor: &Actor,
    (home, user): (TenantId, UserId),
    given_roles: Vec<String>,
) -> Result<Administrator, AdministratorsError> {
    actor.require(Permission::AdministratorsWrite)?;
    let mut work = authority::begin_changing_rights(platform, actor, WRITE).await?;
    if !users::exists(&mut work.tx, home, user).await? {
        let error = FieldError::new("/user_id", "user_unknown", "there is no such user");
        return Err(AdministratorsError::Invalid(vec![error]));
    }
    let roles = known(&mut work, given_roles).await?;
    require_grantable(&mut work, &roles).await?;
    if store::count(&mut work.tx, actor.tenant).await? >= ADMINISTRATORS_MAX {
        return Err(AdministratorsError::TooMany);
    }
    let now = platform.clock.now();
    let administrator = Administrator {
        user,
        home,
        roles,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    store::insert(&mut work.tx, actor.tenant, &administrator)
        .await
        .map_err(|error| {
            let key = "administrators_tenant_id_user_id_key";
            error.on(key, || AdministratorsError::Exists)
        })?;
    let data = AdministratorAdded {
        home_tenant_id: administrator.home,
        roles: administrator.roles.clone(),
    };
    work.record(administrator.user, &data).await?;
    work.commit().await?;
    Ok(administrator)
}

/// One administrator.
pub(super) async fn get(
    platform: &Platform,
    actor: &Actor,
    user: UserId,
) -> Result<Administrator, AdministratorsError> {
    actor.require(Permission::AdministratorsRead)?;
    let mut tx = platform.db.read().await?;
    store::find(&mut tx, actor.tenant, user)
        .await?
        .ok_or(AdministratorsError::NotFound)
}

/// Administrators in the order of their users' ids, after `after` (empty: from the first), at most
/// `limit`.
pub(super) async fn list(
    platform: &Platform,
    actor: &Actor,
    after: &str,
    limit: i64,
) -> Result<Vec<Administrator>, AdministratorsError> {
    actor.require(Permission::AdministratorsRead)?;
    let mut tx = platform.db.read().await?;
    Ok(store::list(&mut tx, actor.tenant, after, limit).await?)
}

/// Replaces an administrator's roles. `version`: the one the caller has seen, if they care.
/// Errors: `Changed` when it has another version by now; `Invalid` for unknown roles; `Denied` when a
/// role would come or go that allows what the caller lacks (Z6).
pub(super) async fn update(
    platform: &Platform,
    actor: &Actor,
    user: UserId,
    version: Option<i64>,
    given_roles: Vec<String>,
) -> Result<Administrator, AdministratorsError> {
    actor.require(Permission::AdministratorsWrite)?;
    let mut work = authority::begin_changing_rights(platform, actor, WRITE).await?;
    let mut administrator = at_version(&mut work, user, version).await?;
    let roles = known(&mut work, given_roles).await?;
    let changed = roles.symmetric_difference(&administrator.roles);
    require_grantable(&mut work, &changed.cloned().collect()).await?;
    if roles == administrator.roles {
        return Ok(administrator);
    }
    administrator.roles = roles;
    administrator.version = administrator.version.saturating_add(1);
    administrator.updated_at = platform.clock.now();
    store::replace_roles(&mut work.tx, actor.tenant, &administrator).await?;
    let data = AdministratorUpdated {
        home_tenant_id: administrator.home,
        roles: administrator.roles.clone(),
    };
    work.record(user, &data).await?;
    work.commit().await?;
    Ok(administrator)
}

/// Ends a user's being an administrator. `version`: the one the caller has seen, if they care.
/// Errors: `Changed` when it has another version by now; `Denied` when a role of theirs allows what
/// the caller lacks (Z6).
pub(super) async fn remove(
    platform: &Platform,
    actor: &Actor,
    user: UserId,
    version: Option<i64>,
) -> Result<(), AdministratorsError> {
    actor.require(Permission::AdministratorsWrite)?;
    let mut work = authority::begin_changing_rights(platform, actor, WRITE).await?;
    let administrator = at_version(&mut work, user, version).await?;
    require_grantable(&mut work, &administrator.roles).await?;
    store::delete(&mut work.tx, actor.tenant, user).await?;
    let data = AdministratorRemoved {
        home_tenant_id: administrator.home,
        roles: administrator.roles.clone(),
    };
    work.record(user, &data).await?;
    work.commit().await?;
    Ok(())
}

/// What a person may do with the management API on the whole of a tenant at this moment. `home`: the
/// tenant whose user they are.
pub async fn permissions(
    tx: &mut Tx,
    tenant: TenantId,
    (home, user): (TenantId, UserId),
) -> Result<PermissionSet, DbError> {
    let found = store::find(tx, tenant, user).await?;
    let Some(administrator) = found.filter(|found| found.home == home) else {
        return Ok(PermissionSet::none());
    };
    let grants = roles::grants(tx, tenant, &administrator.roles).await?;
    Ok(Grants::together(grants.values()).management)
}

/// What a user of a tenant may do with the management API on the whole of it.
pub fn rights_of(tx: &mut Tx, tenant: TenantId, user: UserId) -> Rights<'_> {
    Box::pin(permissions(tx, tenant, (tenant, user)))
}

/// An administrator in the version that the caller has seen. The work holds everybody's rights, so nobody
/// else changes one.
async fn at_version(
    work: &mut Work<'_>,
    user: UserId,
    version: Option<i64>,
) -> Result<Administrator, AdministratorsError> {
    let administrator = store::find(&mut work.tx, work.actor.tenant, user)
        .await?
        .ok_or(AdministratorsError::NotFound)?;
    if version.is_none_or(|version| version == administrator.version) {
        Ok(administrator)
    } else {
        Err(AdministratorsError::Changed)
    }
}

/// Errors: `Invalid` for keys that no role has, for none and for too many.
async fn known(
    work: &mut Work<'_>,
    given_roles: Vec<String>,
) -> Result<BTreeSet<String>, AdministratorsError> {
    let mut errors = check_roles(&given_roles);
    if errors.is_empty() {
        let tenant = work.actor.tenant;
        errors = roles::unknown_keys(&mut work.tx, tenant, &given_roles, "/roles").await?;
    }
    if errors.is_empty() {
        Ok(given_roles.into_iter().collect())
    } else {
        Err(AdministratorsError::Invalid(errors))
    }
}

async fn require_grantable(
    work: &mut Work<'_>,
    keys: &BTreeSet<String>,
) -> Result<(), AdministratorsError> {
    let grants = roles::grants(&mut work.tx, work.actor.tenant, keys).await?;
    Ok(work.require_all(&Grants::together(grants.values()).management)?)
}
