//! How far an actor's rights reach: over all organizations of the tenant, or over those in which they
//! have a role that carries the right.

use std::collections::BTreeSet;

use plinto_contract::ids::OrganizationId;
use plinto_platform::{
    Platform,
    actor::{Actor, Denied, Permission, PermissionSet},
    authority::Work,
    db::Tx,
};

use crate::{
    organizations::{error::OrganizationsError, store},
    roles::{self, Grants, OWNER},
};

/// Where a permission comes from.
#[derive(Debug)]
pub(super) enum Reach {
    /// It holds in the whole tenant.
    Tenant,
    /// It holds in the one organization, of which the actor is a member.
    Organization {
        /// Keys of their roles there.
        roles: BTreeSet<String>,
        /// What these allow together.
        grants: Grants,
    },
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
    let grants = Grants::together(grants.values());
    if grants.management.contains(permission) {
        let roles = member.roles;
        Ok(Reach::Organization { roles, grants })
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
    // Ids sort as their texts do.
    let rest = found
        .into_iter()
        .filter(|id| id.to_string().as_str() > after);
    let limit = usize::try_from(limit).unwrap_or_default();
    Ok(rest.take(limit).collect())
}

/// The same before work begins that others wait for: whoever may not write has nobody wait.
pub(super) async fn require_reach(
    platform: &Platform,
    actor: &Actor,
    organization: OrganizationId,
) -> Result<(), OrganizationsError> {
    let mut tx = platform.db.read().await?;
    let permission = Permission::OrganizationsWrite;
    reach(&mut tx, actor, &actor.permissions, organization, permission)
        .await
        .map(drop)
}

/// Whether an actor may give and take these roles: whoever lacks something neither grants it nor
/// takes it from others (Z6). Over the whole tenant, what roles allow in the customer's application is
/// not the actor's own to have or lack. In an organization it is; and since policies may go by a role's
/// name alone, one that allows nothing, and that of owners, is given and taken only by who has it.
/// Errors: `Denied`; `BeyondOwnRoles`.
pub(super) async fn require_grantable(
    work: &mut Work<'_>,
    reach: &Reach,
    keys: &BTreeSet<String>,
) -> Result<(), OrganizationsError> {
    let grants = roles::grants(&mut work.tx, work.actor.tenant, keys).await?;
    match reach {
        Reach::Tenant => {
            let together = Grants::together(grants.values());
            Ok(work.require_all(&together.management)?)
        }
        Reach::Organization { roles, grants: own } => {
            let is_grantable = |key: &String| {
                let allowed = grants.get(key).filter(|allowed| !allowed.are_none());
                roles.contains(key)
                    || (key != OWNER && allowed.is_some_and(|allowed| own.cover(allowed)))
            };
            if keys.iter().all(is_grantable) {
                Ok(())
            } else {
                Err(OrganizationsError::BeyondOwnRoles)
            }
        }
    }
}
