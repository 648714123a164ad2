//! How far an actor's rights reach: over all organizations of the tenant, or over those in which they
//! have a role that carries the right.

use std::collections::BTreeSet;

use plinto_contract::ids::OrganizationId;
use plinto_platform::{
    actor::{Actor, Denied, Permission, PermissionSet},
    authority::Work,
    db::Tx,
};

use crate::{
    organizations::{error::OrganizationsError, store},
    roles::{self, Grants},
};

/// Where a permission comes from.
#[derive(Debug)]
pub(super) enum Reach {
    /// It holds in the whole tenant.
    Tenant,
    /// It holds in the one organization, whose member's roles allow this.
    Organization(Grants),
}

/// How far a permission reaches that is needed in an organization.
/// `permissions`: what the actor may do in the whole tenant.
/// Errors: `Denied`, whether or not there is such an organization.
pub(super) async fn reach(
    tx: &mut Tx,
    actor: &Actor,
    permissions: &PermissionSet,
    organization: OrganizationId,
    permission: Permission,
) -> Result<Reach, OrganizationsError> {
    if permissions.contains(permission) {
        return Ok(Reach::Tenant);
    }
    let Some(user) = actor.managing_user() else {
        actor.require(permission)?;
        return Err(Denied::Lacks(permission).into());
    };
    let member = store::find_member(tx, actor.tenant, organization, user)
        .await?
        .ok_or(Denied::Lacks(permission))?;
    let grants = roles::grants(tx, actor.tenant, &member.roles).await?;
    if grants.management.contains(permission) {
        Ok(Reach::Organization(grants))
    } else {
        Err(Denied::Lacks(permission).into())
    }
}

/// The same for work that writes.
pub(super) async fn reach_to_write(
    work: &mut Work<'_>,
    organization: OrganizationId,
) -> Result<Reach, OrganizationsError> {
    let permission = Permission::OrganizationsWrite;
    let permissions = work.permissions.clone();
    reach(
        &mut work.tx,
        work.actor,
        &permissions,
        organization,
        permission,
    )
    .await
}

/// Organizations in which the actor has a role that carries the permission, in the order of their
/// ids, after `after`, at most `limit`.
/// Errors: `Denied` when it has none anywhere.
pub(super) async fn reached(
    tx: &mut Tx,
    actor: &Actor,
    permission: Permission,
    after: &str,
    limit: i64,
) -> Result<Vec<OrganizationId>, OrganizationsError> {
    let Some(user) = actor.managing_user() else {
        actor.require(permission)?;
        return Err(Denied::Lacks(permission).into());
    };
    let keys = roles::keys_with(tx, actor.tenant, permission).await?;
    let held = store::roles_of_user(tx, actor.tenant, user).await?;
    let found: BTreeSet<OrganizationId> = held
        .into_iter()
        .filter(|(_, key)| keys.contains(key))
        .map(|(organization, _)| organization)
        .collect();
    if found.is_empty() {
        return Err(Denied::Lacks(permission).into());
    }
    let mut rest: Vec<OrganizationId> = found
        .into_iter()
        .filter(|id| id.to_string().as_str() > after)
        .collect();
    rest.sort_by_key(ToString::to_string);
    rest.truncate(usize::try_from(limit).unwrap_or_default());
    Ok(rest)
}

/// Whether an actor may give and take these roles: whoever lacks something neither grants it nor
/// takes it from others (Z6). Over the whole tenant, what roles allow in the customer's application is
/// not the actor's own to have or lack.
/// Errors: `Denied`; `BeyondOwnRoles`.
pub(super) async fn require_grantable(
    work: &mut Work<'_>,
    reach: &Reach,
    keys: &BTreeSet<String>,
) -> Result<(), OrganizationsError> {
    let grants = roles::grants(&mut work.tx, work.actor.tenant, keys).await?;
    match reach {
        Reach::Tenant => work.require_all(&grants.management)?,
        Reach::Organization(own) if own.cover(&grants) => {}
        Reach::Organization(_) => return Err(OrganizationsError::BeyondOwnRoles),
    }
    if !grants.management.is_empty() {
        work.change_management().await?;
    }
    Ok(())
}
