//! The verbs on organizations. Those on members: [`members`].

pub(crate) mod members;
mod reach;

use plinto_contract::{
    events::{OrganizationCreated, OrganizationDeleted, OrganizationUpdated},
    ids::OrganizationId,
};
use plinto_platform::{
    Platform,
    actor::{Actor, Denied, Permission},
    authority::{self, Need, Work},
    db::DbError,
};

use self::reach::{Reach, reach, reach_to_write};
use super::{
    error::OrganizationsError,
    model::{CreateOrganization, Organization, UpdateOrganization},
    store,
};
use crate::roles::OWNER;

/// Makes an organization, with its first owner if one is named.
/// Errors: `SlugTaken`; `Invalid`, also when the owner is nobody of this tenant.
pub(crate) async fn create(
    platform: &Platform,
    actor: &Actor,
    input: CreateOrganization,
) -> Result<Organization, OrganizationsError> {
    actor.require(Permission::OrganizationsWrite)?;
    let errors = input.check();
    if !errors.is_empty() {
        return Err(OrganizationsError::Invalid(errors));
    }
    let now = platform.clock.now();
    let organization = Organization {
        id: platform.random.id(now),
        slug: input.slug,
        name: input.name,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let mut work = authority::begin_changing_rights(
        platform,
        actor,
        Need::Permission(Permission::OrganizationsWrite),
    )
    .await?;
    store::insert(&mut work.tx, actor.tenant, &organization)
        .await
        .map_err(|error| on_slug(error, &organization.slug))?;
    let slug = organization.slug.clone();
    let id = organization.id;
    work.record_in(id, id, &OrganizationCreated { slug })
        .await?;
    if let Some(owner) = input.owner {
        let roles = [OWNER.to_owned()].into();
        members::insert(&mut work, organization.id, owner, roles, "/owner_id").await?;
    }
    work.commit().await?;
    Ok(organization)
}

/// One organization.
pub(crate) async fn get(
    platform: &Platform,
    actor: &Actor,
    id: OrganizationId,
) -> Result<Organization, OrganizationsError> {
    let mut tx = platform.db.read().await?;
    let permission = Permission::OrganizationsRead;
    reach(&mut tx, actor, &actor.permissions, id, permission).await?;
    store::find(&mut tx, actor.tenant, id)
        .await?
        .ok_or(OrganizationsError::NotFound)
}

/// Organizations in the order of their ids, after `after` (empty: from the first), at most `limit`:
/// those in which the actor may read them.
pub(crate) async fn list(
    platform: &Platform,
    actor: &Actor,
    after: &str,
    limit: i64,
) -> Result<Vec<Organization>, OrganizationsError> {
    let mut tx = platform.db.read().await?;
    let permission = Permission::OrganizationsRead;
    if actor.permissions.contains(permission) {
        return Ok(store::list(&mut tx, actor.tenant, after, limit).await?);
    }
    let mut organizations = Vec::new();
    for id in reach::reached(&mut tx, actor, permission, after, limit).await? {
        organizations.extend(store::find(&mut tx, actor.tenant, id).await?);
    }
    Ok(organizations)
}

/// Changes an organization. `version`: the one the caller has seen, if they care.
/// Errors: `Changed` when it has another version by now; `SlugTaken`; `Invalid`.
pub(crate) async fn update(
    platform: &Platform,
    actor: &Actor,
    id: OrganizationId,
    version: Option<i64>,
    input: UpdateOrganization,
) -> Result<Organization, OrganizationsError> {
    let errors = input.check();
    if !errors.is_empty() {
        return Err(OrganizationsError::Invalid(errors));
    }
    let mut work = authority::begin(platform, actor, Need::Live).await?;
    let reach = reach_to_write(&mut work, id).await?;
    let mut organization = at_version(&mut work, id, version).await?;
    let is_renamed = |slug: &String| *slug != organization.slug;
    if input.slug.as_ref().is_some_and(is_renamed) && !matches!(reach, Reach::Tenant) {
        // Which slugs others have is not a member's to find out, nor to take.
        return Err(Denied::Lacks(Permission::OrganizationsWrite).into());
    }
    organization.slug = input.slug.unwrap_or(organization.slug);
    organization.name = input.name.unwrap_or(organization.name);
    organization.updated_at = platform.clock.now();
    let is_written = store::update(&mut work.tx, actor.tenant, &organization)
        .await
        .map_err(|error| on_slug(error, &organization.slug))?;
    if !is_written {
        return Err(OrganizationsError::Changed);
    }
    organization.version = organization.version.saturating_add(1);
    let slug = organization.slug.clone();
    work.record_in(id, id, &OrganizationUpdated { slug })
        .await?;
    work.commit().await?;
    Ok(organization)
}

/// Removes an organization and its memberships. Tokens its members hold are refused from now on,
/// since they may name the organization.
/// Errors: `Changed` when it has another version than `version` by now.
pub(crate) async fn delete(
    platform: &Platform,
    actor: &Actor,
    id: OrganizationId,
    version: Option<i64>,
) -> Result<(), OrganizationsError> {
    actor.require(Permission::OrganizationsWrite)?;
    let mut work = authority::begin_changing_rights(
        platform,
        actor,
        Need::Permission(Permission::OrganizationsWrite),
    )
    .await?;
    let organization = at_version(&mut work, id, version).await?;
    let now = platform.clock.now();
    store::lock_members(&mut work.tx, actor.tenant, id, now).await?;
    members::record_all_leave(&mut work, id).await?;
    if !store::delete(&mut work.tx, actor.tenant, id, organization.version).await? {
        return Err(OrganizationsError::Changed);
    }
    let slug = organization.slug;
    work.record_in(id, id, &OrganizationDeleted { slug })
        .await?;
    work.commit().await?;
    Ok(())
}

async fn at_version(
    work: &mut Work<'_>,
    id: OrganizationId,
    version: Option<i64>,
) -> Result<Organization, OrganizationsError> {
    let organization = store::find(&mut work.tx, work.actor.tenant, id)
        .await?
        .ok_or(OrganizationsError::NotFound)?;
    if version.is_none_or(|version| version == organization.version) {
        Ok(organization)
    } else {
        Err(OrganizationsError::Changed)
    }
}

fn on_slug(error: DbError, slug: &str) -> OrganizationsError {
    let taken = || OrganizationsError::SlugTaken(slug.to_owned());
    error.on("organizations_tenant_id_slug_key", taken)
}
