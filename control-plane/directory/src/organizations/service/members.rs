//! The verbs on members of an organization. A change of somebody's roles ends the tokens they hold,
//! since tokens carry roles (Z5); their sessions go on.

use std::collections::BTreeSet;

use plinto_contract::{
    events::{EventData, MemberAdded, MemberRemoved, MemberUpdated},
    ids::{OrganizationId, TenantId, UserId},
    problem::FieldError,
};
use plinto_platform::{
    Platform,
    actor::{Actor, Permission},
    authority::{self, Need, Work},
    db::{DbError, Tx},
};

use super::reach::{Reach, reach, reach_to_write, require_grantable, require_reach};
use crate::{
    organizations::{
        error::OrganizationsError,
        model::{self, Member},
        store,
    },
    roles::{self, OWNER},
    users,
};

/// 500: members in memory while all of an organization's go.
const MEMBERS_AT_ONCE: i64 = 500;

/// Makes a user a member. In an organization of their own nobody may: it would reach people outside.
/// Errors: `AlreadyMember`; `LastOwner` when the first member is not an owner; `Invalid` for
/// unknown users and roles.
pub(crate) async fn add(
    platform: &Platform,
    actor: &Actor,
    organization: OrganizationId,
    user: UserId,
    given_roles: Vec<String>,
) -> Result<Member, OrganizationsError> {
    actor.require(Permission::OrganizationsWrite)?;
    check(&given_roles)?;
    let mut work = authority::begin_changing_rights(
        platform,
        actor,
        Need::Permission(Permission::OrganizationsWrite),
    )
    .await?;
    lock(&mut work, organization).await?;
    let member = insert(&mut work, organization, user, given_roles, "/user_id").await?;
    work.commit().await?;
    Ok(member)
}

/// One member.
pub(crate) async fn get(
    platform: &Platform,
    actor: &Actor,
    organization: OrganizationId,
    user: UserId,
) -> Result<Member, OrganizationsError> {
    let mut tx = platform.db.read().await?;
    let permission = Permission::OrganizationsRead;
    reach(&mut tx, actor, &actor.permissions, organization, permission).await?;
    store::find_member(&mut tx, actor.tenant, organization, user)
        .await?
        .ok_or(OrganizationsError::MemberNotFound)
}

/// Members in the order of their user ids, after `after` (empty: from the first), at most `limit`.
pub(crate) async fn list(
    platform: &Platform,
    actor: &Actor,
    organization: OrganizationId,
    after: &str,
    limit: i64,
) -> Result<Vec<Member>, OrganizationsError> {
    let mut tx = platform.db.read().await?;
    let permission = Permission::OrganizationsRead;
    reach(&mut tx, actor, &actor.permissions, organization, permission).await?;
    if store::find(&mut tx, actor.tenant, organization)
        .await?
        .is_none()
    {
        return Err(OrganizationsError::NotFound);
    }
    Ok(store::list_members(&mut tx, actor.tenant, organization, after, limit).await?)
}

/// Replaces a member's roles. `version`: the one the caller has seen, if they care.
/// Errors: `MemberChanged` when it has another version by now; `LastOwner` when nobody would be an owner;
/// `Invalid` for unknown roles; `BeyondOwnRoles` or `Denied` when a role would come or go that allows
/// more than the caller has (Z6).
pub(crate) async fn update(
    platform: &Platform,
    actor: &Actor,
    organization: OrganizationId,
    user: UserId,
    version: Option<i64>,
    given_roles: Vec<String>,
) -> Result<Member, OrganizationsError> {
    check(&given_roles)?;
    require_reach(platform, actor, organization).await?;
    let mut work = authority::begin_changing_rights(platform, actor, Need::Live).await?;
    let reach = reach_to_write(&mut work, organization).await?;
    let mut member = locked(&mut work, organization, user, version).await?;
    let roles: BTreeSet<String> = given_roles.iter().cloned().collect();
    if member.roles == roles {
        return Ok(member);
    }
    require_known(&mut work.tx, actor.tenant, &given_roles).await?;
    let changed = roles.symmetric_difference(&member.roles).cloned().collect();
    require_grantable(&mut work, &reach, &changed).await?;
    member.roles = roles;
    member.version = member.version.saturating_add(1);
    member.updated_at = platform.clock.now();
    store::replace_roles(&mut work.tx, actor.tenant, &member).await?;
    require_owner(&mut work.tx, actor.tenant, organization).await?;
    users::outdate_tokens(&mut work.tx, actor.tenant, user, member.updated_at).await?;
    let data = |organization_id, user_id, roles| MemberUpdated {
        organization_id,
        user_id,
        roles,
    };
    record(&mut work, &member, data).await?;
    work.commit().await?;
    Ok(member)
}

/// Ends a membership. `version`: the one the caller has seen, if they care.
/// Errors: `MemberChanged` when it has another version by now; `LastOwner` when members
/// would be left without an owner; `BeyondOwnRoles` or `Denied` as for a change of roles.
pub(crate) async fn remove(
    platform: &Platform,
    actor: &Actor,
    organization: OrganizationId,
    user: UserId,
    version: Option<i64>,
) -> Result<(), OrganizationsError> {
    require_reach(platform, actor, organization).await?;
    let mut work = authority::begin_changing_rights(platform, actor, Need::Live).await?;
    let reach = reach_to_write(&mut work, organization).await?;
    let member = locked(&mut work, organization, user, version).await?;
    require_grantable(&mut work, &reach, &member.roles).await?;
    store::delete_member(&mut work.tx, actor.tenant, organization, user).await?;
    if model::is_owner(&member.roles) {
        // The last owner stays even when alone: an organization nobody owns is deleted, not left.
        let (has_owner, _) =
            store::have_members(&mut work.tx, actor.tenant, organization, OWNER).await?;
        if !has_owner {
            return Err(OrganizationsError::LastOwner);
        }
    }
    users::outdate_tokens(&mut work.tx, actor.tenant, user, platform.clock.now()).await?;
    let data = |organization_id, user_id, roles| MemberRemoved {
        organization_id,
        user_id,
        roles,
    };
    record(&mut work, &member, data).await?;
    work.commit().await?;
    Ok(())
}

/// Keys of a user's roles in an organization, sorted; `None`: not a member, or no such
/// organization in this tenant.
pub async fn membership(
    tx: &mut Tx,
    tenant: TenantId,
    organization: OrganizationId,
    user: UserId,
) -> Result<Option<Vec<String>>, DbError> {
    let member = store::find_member(tx, tenant, organization, user).await?;
    Ok(member.map(|member| member.roles.into_iter().collect()))
}

/// Says of every member of an organization that they leave: its deletion takes the memberships along.
pub(super) async fn record_all_leave(
    work: &mut Work<'_>,
    organization: OrganizationId,
) -> Result<(), DbError> {
    let tenant = work.actor.tenant;
    let mut after = String::new();
    loop {
        let members =
            store::list_members(&mut work.tx, tenant, organization, &after, MEMBERS_AT_ONCE)
                .await?;
        let Some(last) = members.last() else {
            return Ok(());
        };
        after = last.user.to_string();
        for member in &members {
            let now = work.platform.clock.now();
            users::outdate_tokens(&mut work.tx, tenant, member.user, now).await?;
            let data = |organization_id, user_id, roles| MemberRemoved {
                organization_id,
                user_id,
                roles,
            };
            record(work, member, data).await?;
        }
    }
}

/// Adds a member as part of other work. `pointer`: where the user's id stood in the request.
pub(super) async fn insert(
    work: &mut Work<'_>,
    organization: OrganizationId,
    user: UserId,
    given_roles: Vec<String>,
    pointer: &str,
) -> Result<Member, OrganizationsError> {
    let tenant = work.actor.tenant;
    if !users::exists(&mut work.tx, tenant, user).await? {
        let detail = "there is no such user";
        let error = FieldError::new(pointer, "user_unknown", detail);
        return Err(OrganizationsError::Invalid(vec![error]));
    }
    require_known(&mut work.tx, tenant, &given_roles).await?;
    let roles: BTreeSet<String> = given_roles.into_iter().collect();
    require_grantable(work, &Reach::Tenant, &roles).await?;
    let now = work.platform.clock.now();
    let member = Member {
        id: work.platform.random.id(now),
        organization,
        user,
        roles,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    store::insert_member(&mut work.tx, tenant, &member)
        .await
        .map_err(|error| {
            let key = "members_tenant_id_organization_id_user_id_key";
            error.on(key, || OrganizationsError::AlreadyMember)
        })?;
    require_owner(&mut work.tx, tenant, organization).await?;
    let data = |organization_id, user_id, roles| MemberAdded {
        organization_id,
        user_id,
        roles,
    };
    record(work, &member, data).await?;
    Ok(member)
}

async fn lock(work: &mut Work<'_>, organization: OrganizationId) -> Result<(), OrganizationsError> {
    let now = work.platform.clock.now();
    if store::lock_members(&mut work.tx, work.actor.tenant, organization, now).await? {
        Ok(())
    } else {
        Err(OrganizationsError::NotFound)
    }
}

/// A member that nobody else changes until this work ends.
async fn locked(
    work: &mut Work<'_>,
    organization: OrganizationId,
    user: UserId,
    version: Option<i64>,
) -> Result<Member, OrganizationsError> {
    lock(work, organization).await?;
    let member = store::find_member(&mut work.tx, work.actor.tenant, organization, user)
        .await?
        .ok_or(OrganizationsError::MemberNotFound)?;
    if version.is_none_or(|version| version == member.version) {
        Ok(member)
    } else {
        Err(OrganizationsError::MemberChanged)
    }
}

fn check(given_roles: &[String]) -> Result<(), OrganizationsError> {
    let errors = model::check_roles(given_roles);
    if errors.is_empty() {
        Ok(())
    } else {
        Err(OrganizationsError::Invalid(errors))
    }
}

async fn require_known(
    tx: &mut Tx,
    tenant: TenantId,
    given_roles: &[String],
) -> Result<(), OrganizationsError> {
    let errors = roles::unknown_keys(tx, tenant, given_roles, "/roles").await?;
    if errors.is_empty() {
        Ok(())
    } else {
        Err(OrganizationsError::Invalid(errors))
    }
}

async fn require_owner(
    tx: &mut Tx,
    tenant: TenantId,
    organization: OrganizationId,
) -> Result<(), OrganizationsError> {
    let (has_owner, has_members) = store::have_members(tx, tenant, organization, OWNER).await?;
    if model::check_owners(has_owner, has_members) {
        Ok(())
    } else {
        Err(OrganizationsError::LastOwner)
    }
}

async fn record<D: EventData>(
    work: &mut Work<'_>,
    member: &Member,
    data: impl FnOnce(OrganizationId, UserId, BTreeSet<String>) -> D,
) -> Result<(), DbError> {
    let data = data(member.organization, member.user, member.roles.clone());
    work.record_in(member.organization, member.id, &data).await
}
