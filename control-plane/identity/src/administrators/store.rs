//! SQL for `administrators` and `administrator_roles`.

use plinto_contract::{
    ids::{TenantId, UserId},
    time::UnixMillis,
};
use plinto_platform::{
    args,
    db::{DbError, Tx},
};

use super::model::Administrator;

/// One administrator and one of their roles.
#[derive(sqlx::FromRow)]
struct AdministratorRow {
    user_id: String,
    home_tenant_id: String,
    version: i64,
    created_at: i64,
    updated_at: i64,
    role_key: Option<String>,
}

const INSERT: &str = "insert into administrators
    (tenant_id, user_id, home_tenant_id, version, created_at, updated_at)
    values ($1, $2, $3, $4, $5, $6)";

/// Errors: `Conflict` on `administrators_tenant_id_user_id_key`.
pub(super) async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    administrator: &Administrator,
) -> Result<(), DbError> {
    let args = args![
        tenant,
        administrator.user,
        administrator.home,
        administrator.version,
        administrator.created_at,
        administrator.updated_at,
    ];
    tx.execute(INSERT, args).await?;
    insert_roles(tx, tenant, administrator).await
}

const INSERT_ROLE: &str = "insert into administrator_roles
    (tenant_id, user_id, role_key) values ($1, $2, $3)";

async fn insert_roles(
    tx: &mut Tx,
    tenant: TenantId,
    administrator: &Administrator,
) -> Result<(), DbError> {
    for role in &administrator.roles {
        tx.execute(INSERT_ROLE, args![tenant, administrator.user, role])
            .await?;
    }
    Ok(())
}

const CLEAR_ROLES: &str = "delete from administrator_roles where tenant_id = $1 and user_id = $2";
const TOUCH: &str = "update administrators set updated_at = $3, version = $4
    where tenant_id = $1 and user_id = $2";

/// Writes an administrator's roles anew.
pub(super) async fn replace_roles(
    tx: &mut Tx,
    tenant: TenantId,
    administrator: &Administrator,
) -> Result<(), DbError> {
    tx.execute(CLEAR_ROLES, args![tenant, administrator.user])
        .await?;
    insert_roles(tx, tenant, administrator).await?;
    let args = args![
        tenant,
        administrator.user,
        administrator.updated_at,
        administrator.version
    ];
    tx.execute(TOUCH, args).await.map(|_| ())
}

const DELETE: &str = "delete from administrators where tenant_id = $1 and user_id = $2";

/// Removes an administrator and their roles.
pub(super) async fn delete(tx: &mut Tx, tenant: TenantId, user: UserId) -> Result<(), DbError> {
    tx.execute(DELETE, args![tenant, user]).await.map(|_| ())
}

const COUNT: &str = "select count(*) from administrators where tenant_id = $1";

/// How many administrators the tenant has.
pub(super) async fn count(tx: &mut Tx, tenant: TenantId) -> Result<i64, DbError> {
    let (count,) = tx.one::<(i64,)>(COUNT, args![tenant]).await?;
    Ok(count)
}

const FIND: &str = "select a.user_id, a.home_tenant_id, a.version, a.created_at, a.updated_at,
    r.role_key
    from administrators a left join administrator_roles r
        on r.tenant_id = a.tenant_id and r.user_id = a.user_id
    where a.tenant_id = $1 and a.user_id = $2";

/// One administrator.
pub(super) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    user: UserId,
) -> Result<Option<Administrator>, DbError> {
    let rows = tx
        .all::<AdministratorRow>(FIND, args![tenant, user])
        .await?;
    Ok(administrators(rows)?.pop())
}

const LIST: &str = "select a.user_id, a.home_tenant_id, a.version, a.created_at, a.updated_at,
    r.role_key
    from (select tenant_id, user_id, home_tenant_id, version, created_at, updated_at
          from administrators where tenant_id = $1 and user_id > $2
          order by user_id limit $3) a
    left join administrator_roles r on r.tenant_id = a.tenant_id and r.user_id = a.user_id
    order by a.user_id";

/// Administrators in the order of their users' ids, after `after` (empty: from the first).
pub(super) async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    after: &str,
    limit: i64,
) -> Result<Vec<Administrator>, DbError> {
    let args = args![tenant, after, limit];
    administrators(tx.all::<AdministratorRow>(LIST, args).await?)
}

/// Folds rows of one role each, sorted by user, into administrators.
fn administrators(rows: Vec<AdministratorRow>) -> Result<Vec<Administrator>, DbError> {
    let mut found: Vec<Administrator> = Vec::new();
    for row in rows {
        let broken = |column| DbError::Inconsistent {
            table: "administrators",
            column,
            id: row.user_id.clone(),
        };
        let user: UserId = row.user_id.parse().map_err(|_| broken("user_id"))?;
        let roles = row.role_key.clone().into_iter();
        match found.last_mut().filter(|last| last.user == user) {
            Some(last) => last.roles.extend(roles),
            None => found.push(Administrator {
                user,
                home: row
                    .home_tenant_id
                    .parse()
                    .map_err(|_| broken("home_tenant_id"))?,
                roles: roles.collect(),
                version: row.version,
                created_at: UnixMillis(row.created_at),
                updated_at: UnixMillis(row.updated_at),
            }),
        }
    }
    Ok(found)
}
