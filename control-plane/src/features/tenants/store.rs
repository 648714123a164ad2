//! SQL over `tenants`.

use plinto_contract::{ids::TenantId, time::UnixMillis};

use super::model::Tenant;
use crate::{
    args,
    db::{DbError, Tx},
};

const INSERT: &str = "insert into tenants
    (id, slug, name, audience, signing_alg, session_epoch, sessions_ended_at, created_at,
    updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const BY_SLUG: &str = "select id, slug, name, audience, signing_alg, session_epoch,
    sessions_ended_at, created_at, updated_at from tenants where slug = $1";

const BY_ID: &str = "select id, slug, name, audience, signing_alg, session_epoch,
    sessions_ended_at, created_at, updated_at from tenants where id = $1";

const ALL: &str = "select id, slug, name, audience, signing_alg, session_epoch,
    sessions_ended_at, created_at, updated_at from tenants order by id";

const END_SESSIONS: &str = "update tenants set session_epoch = session_epoch + 1,
    sessions_ended_at = $2, updated_at = $2 where id = $1";

#[derive(sqlx::FromRow)]
struct TenantRow {
    id: String,
    slug: String,
    name: String,
    audience: String,
    signing_alg: String,
    session_epoch: i64,
    sessions_ended_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
}

impl TenantRow {
    fn read(self) -> Result<Tenant, DbError> {
        let wrong = |column| DbError::Inconsistent {
            table: "tenants",
            column,
            id: self.id.clone(),
        };
        Ok(Tenant {
            id: self.id.parse().map_err(|_| wrong("id"))?,
            signing_alg: self.signing_alg.parse().map_err(|_| wrong("signing_alg"))?,
            slug: self.slug,
            name: self.name,
            audience: self.audience,
            session_epoch: self.session_epoch,
            sessions_ended_at: self.sessions_ended_at.map(UnixMillis),
            created_at: UnixMillis(self.created_at),
            updated_at: UnixMillis(self.updated_at),
        })
    }
}

pub(super) async fn insert(tx: &mut Tx, tenant: &Tenant) -> Result<(), DbError> {
    let args = args![
        tenant.id,
        &tenant.slug,
        &tenant.name,
        &tenant.audience,
        tenant.signing_alg.as_str(),
        tenant.session_epoch,
        tenant.sessions_ended_at,
        tenant.created_at,
        tenant.updated_at,
    ];
    tx.execute(INSERT, args).await?;
    Ok(())
}

pub(super) async fn by_slug(tx: &mut Tx, slug: &str) -> Result<Option<Tenant>, DbError> {
    tx.optional::<TenantRow>(BY_SLUG, args![slug])
        .await?
        .map(TenantRow::read)
        .transpose()
}

pub(super) async fn by_id(tx: &mut Tx, tenant: TenantId) -> Result<Option<Tenant>, DbError> {
    tx.optional::<TenantRow>(BY_ID, args![tenant])
        .await?
        .map(TenantRow::read)
        .transpose()
}

pub(super) async fn all(tx: &mut Tx) -> Result<Vec<Tenant>, DbError> {
    let rows: Vec<TenantRow> = tx.all(ALL, args![]).await?;
    rows.into_iter().map(TenantRow::read).collect()
}

/// Ends every session of the tenant, however many there are, by one row.
pub(super) async fn end_sessions(
    tx: &mut Tx,
    tenant: TenantId,
    now: UnixMillis,
) -> Result<(), DbError> {
    tx.hold_alone(tenant).await?;
    tx.execute(END_SESSIONS, args![tenant, now]).await?;
    Ok(())
}
