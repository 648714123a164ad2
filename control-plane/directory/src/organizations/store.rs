//! SQL for `organizations`, `members` and `member_roles`.

use std::collections::BTreeSet;

use plinto_contract::{
    ids::{OrganizationId, TenantId, UserId},
    time::UnixMillis,
};
use plinto_platform::{
    args,
    db::{DbError, Tx},
};

use super::model::{Member, Organization};

#[derive(sqlx::FromRow)]
struct OrganizationRow {
    id: String,
    slug: String,
    name: String,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

impl OrganizationRow {
    fn into_organization(self) -> Result<Organization, DbError> {
        let id = self.id.parse().map_err(|_| DbError::Inconsistent {
            table: "organizations",
            column: "id",
            id: self.id.clone(),
        })?;
        Ok(Organization {
            id,
            slug: self.slug,
            name: self.name,
            version: self.version,
            created_at: UnixMillis(self.created_at),
            updated_at: UnixMillis(self.updated_at),
        })
    }
}

/// One member and one of their roles.
#[derive(sqlx::FromRow)]
struct MemberRow {
    id: String,
    user_id: String,
    version: i64,
    created_at: i64,
    updated_at: i64,
    role_key: Option<String>,
}

const INSERT: &str = "insert into organizations
    (tenant_id, id, slug, name, version, created_at, updated_at, members_changed_at)
    values ($1, $2, $3, $4, $5, $6, $7, $6)";

/// Errors: `Conflict` on `organizations_tenant_id_slug_key`.
pub(super) async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    organization: &Organization,
) -> Result<(), DbError> {
    let args = args![
        tenant,
        organization.id,
        &organization.slug,
        &organization.name,
        organization.version,
        organization.created_at,
        organization.updated_at,
    ];
    tx.execute(INSERT, args).await.map(|_| ())
}

const FIND: &str = "select id, slug, name, version, created_at, updated_at from organizations
    where tenant_id = $1 and id = $2";

/// One organization by its id.
pub(super) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    id: OrganizationId,
) -> Result<Option<Organization>, DbError> {
    tx.optional::<OrganizationRow>(FIND, args![tenant, id])
        .await?
        .map(OrganizationRow::into_organization)
        .transpose()
}

const LIST: &str = "select id, slug, name, version, created_at, updated_at from organizations
    where tenant_id = $1 and id > $2 order by id limit $3";

/// Organizations in the order of their ids, after `after` (empty: from the first).
pub(super) async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    after: &str,
    limit: i64,
) -> Result<Vec<Organization>, DbError> {
    tx.all::<OrganizationRow>(LIST, args![tenant, after, limit])
        .await?
        .into_iter()
        .map(OrganizationRow::into_organization)
        .collect()
}

const UPDATE: &str = "update organizations set slug = $4, name = $5, updated_at = $6,
    version = version + 1 where tenant_id = $1 and id = $2 and version = $3";

/// Writes an organization over the version it was read at; `false` when that version is gone.
/// Errors: `Conflict` on `organizations_tenant_id_slug_key`.
pub(super) async fn update(
    tx: &mut Tx,
    tenant: TenantId,
    organization: &Organization,
) -> Result<bool, DbError> {
    let args = args![
        tenant,
        organization.id,
        organization.version,
        &organization.slug,
        &organization.name,
        organization.updated_at,
    ];
    Ok(tx.execute(UPDATE, args).await? == 1)
}

const DELETE: &str = "delete from organizations where tenant_id = $1 and id = $2 and version = $3";

/// Removes an organization and all memberships; `false` when that version is gone.
pub(super) async fn delete(
    tx: &mut Tx,
    tenant: TenantId,
    id: OrganizationId,
    version: i64,
) -> Result<bool, DbError> {
    Ok(tx.execute(DELETE, args![tenant, id, version]).await? == 1)
}

const LOCK_MEMBERS: &str = "update organizations set members_changed_at = $3
    where tenant_id = $1 and id = $2";

/// Makes every other change of this organization's members wait for this transaction, so that two
/// owners cannot remove each other; `false` when there is no such organization.
pub(super) async fn lock_members(
    tx: &mut Tx,
    tenant: TenantId,
    id: OrganizationId,
    now: UnixMillis,
) -> Result<bool, DbError> {
    Ok(tx.execute(LOCK_MEMBERS, args![tenant, id, now]).await? == 1)
}

const INSERT_MEMBER: &str = "insert into members
    (tenant_id, id, organization_id, user_id, version, created_at, updated_at)
    values ($1, $2, $3, $4, $5, $6, $7)";

/// Errors: `Conflict` on `members_tenant_id_organization_id_user_id_key`.
pub(super) async fn insert_member(
    tx: &mut Tx,
    tenant: TenantId,
    member: &Member,
) -> Result<(), DbError> {
    let args = args![
        tenant,
        member.id,
        member.organization,
        member.user,
        member.version,
        member.created_at,
        member.updated_at,
    ];
    tx.execute(INSERT_MEMBER, args).await?;
    insert_roles(tx, tenant, member).await
}

const INSERT_ROLE: &str = "insert into member_roles
    (tenant_id, organization_id, user_id, role_key) values ($1, $2, $3, $4)";

async fn insert_roles(tx: &mut Tx, tenant: TenantId, member: &Member) -> Result<(), DbError> {
    for role in &member.roles {
        let args = args![tenant, member.organization, member.user, role];
        tx.execute(INSERT_ROLE, args).await?;
    }
    Ok(())
}

const CLEAR_ROLES: &str = "delete from member_roles
    where tenant_id = $1 and organization_id = $2 and user_id = $3";
const TOUCH_MEMBER: &str = "update members set updated_at = $4, version = $5
    where tenant_id = $1 and organization_id = $2 and user_id = $3";

/// Writes a member's roles anew.
pub(super) async fn replace_roles(
    tx: &mut Tx,
    tenant: TenantId,
    member: &Member,
) -> Result<(), DbError> {
    tx.execute(CLEAR_ROLES, args![tenant, member.organization, member.user])
        .await?;
    insert_roles(tx, tenant, member).await?;
    let args = args![
        tenant,
        member.organization,
        member.user,
        member.updated_at,
        member.version
    ];
    tx.execute(TOUCH_MEMBER, args).await.map(|_| ())
}

const DELETE_MEMBER: &str = "delete from members
    where tenant_id = $1 and organization_id = $2 and user_id = $3";

/// Ends a membership; `false` when there was none.
pub(super) async fn delete_member(
    tx: &mut Tx,
    tenant: TenantId,
    organization: OrganizationId,
    user: UserId,
) -> Result<bool, DbError> {
    let args = args![tenant, organization, user];
    Ok(tx.execute(DELETE_MEMBER, args).await? == 1)
}

const FIND_MEMBER: &str = "select m.id, m.user_id, m.version, m.created_at, m.updated_at,
    r.role_key
    from members m left join member_roles r on r.tenant_id = m.tenant_id
        and r.organization_id = m.organization_id and r.user_id = m.user_id
    where m.tenant_id = $1 and m.organization_id = $2 and m.user_id = $3";

/// One membership.
pub(super) async fn find_member(
    tx: &mut Tx,
    tenant: TenantId,
    organization: OrganizationId,
    user: UserId,
) -> Result<Option<Member>, DbError> {
    let rows = tx
        .all::<MemberRow>(FIND_MEMBER, args![tenant, organization, user])
        .await?;
    Ok(members(organization, rows)?.pop())
}

const ROLES_OF_USER: &str = "select organization_id, role_key from member_roles
    where tenant_id = $1 and user_id = $2";

/// Every role that a user has anywhere.
pub(super) async fn roles_of_user(
    tx: &mut Tx,
    tenant: TenantId,
    user: UserId,
) -> Result<Vec<(OrganizationId, String)>, DbError> {
    let rows = tx
        .all::<(String, String)>(ROLES_OF_USER, args![tenant, user])
        .await?;
    rows.into_iter()
        .map(|(id, role)| {
            let organization = id.parse().map_err(|_| DbError::Inconsistent {
                table: "members",
                column: "organization_id",
                id,
            })?;
            Ok((organization, role))
        })
        .collect()
}

const LIST_MEMBERS: &str = "select m.id, m.user_id, m.version, m.created_at, m.updated_at,
    r.role_key
    from (select tenant_id, organization_id, id, user_id, version, created_at, updated_at
          from members
          where tenant_id = $1 and organization_id = $2 and user_id > $3
          order by user_id limit $4) m
    left join member_roles r on r.tenant_id = m.tenant_id
        and r.organization_id = m.organization_id and r.user_id = m.user_id
    order by m.user_id";

/// Members in the order of their user ids, after `after` (empty: from the first).
pub(super) async fn list_members(
    tx: &mut Tx,
    tenant: TenantId,
    organization: OrganizationId,
    after: &str,
    limit: i64,
) -> Result<Vec<Member>, DbError> {
    let args = args![tenant, organization, after, limit];
    members(organization, tx.all::<MemberRow>(LIST_MEMBERS, args).await?)
}

/// Folds rows of one role each, sorted by user, into members.
fn members(organization: OrganizationId, rows: Vec<MemberRow>) -> Result<Vec<Member>, DbError> {
    let mut members: Vec<Member> = Vec::new();
    for row in rows {
        let broken = |column| DbError::Inconsistent {
            table: "members",
            column,
            id: row.id.clone(),
        };
        let user = row.user_id.parse().map_err(|_| broken("user_id"))?;
        match members.last_mut() {
            Some(member) if member.user == user => member.roles.extend(row.role_key),
            _ => members.push(Member {
                id: row.id.parse().map_err(|_| broken("id"))?,
                organization,
                user,
                roles: BTreeSet::from_iter(row.role_key),
                version: row.version,
                created_at: UnixMillis(row.created_at),
                updated_at: UnixMillis(row.updated_at),
            }),
        }
    }
    Ok(members)
}

const HAVE_MEMBERS: &str = "select
    (select count(*) from (select role_key from member_roles
        where tenant_id = $1 and organization_id = $2 and role_key = $3 limit 1) with_role),
    (select count(*) from (select user_id from members
        where tenant_id = $1 and organization_id = $2 limit 1) any_member)";

/// Whether any member has a role, and whether there is any member.
pub(super) async fn have_members(
    tx: &mut Tx,
    tenant: TenantId,
    organization: OrganizationId,
    role: &str,
) -> Result<(bool, bool), DbError> {
    let args = args![tenant, organization, role];
    let (with_role, any) = tx.one::<(i64, i64)>(HAVE_MEMBERS, args).await?;
    Ok((with_role > 0, any > 0))
}
