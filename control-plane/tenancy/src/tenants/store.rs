//! SQL over `tenants`.

use plinto_contract::{ids::TenantId, time::UnixMillis};
use plinto_platform::{
    args,
    db::{DbError, Tx},
};
use serde_json::json;

use super::model::{SignUpMode, Tenant};

const INSERT: &str = "insert into tenants
    (id, slug, name, audience, signing_alg, version, sign_up, allowed_origins, client_ids,
    session_idle_s, session_absolute_s, keys_version, session_epoch, sessions_ended_at, created_at,
    updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

const BY_SLUG: &str = "select id, slug, name, audience, signing_alg, version, sign_up,
    allowed_origins, client_ids, session_idle_s, session_absolute_s, keys_version,
    session_epoch, sessions_ended_at, created_at, updated_at from tenants where slug = $1";

const BY_ID: &str = "select id, slug, name, audience, signing_alg, version, sign_up,
    allowed_origins, client_ids, session_idle_s, session_absolute_s, keys_version,
    session_epoch, sessions_ended_at, created_at, updated_at from tenants where id = $1";

const ONLY: &str = "select slug from tenants limit 2";

const ALL: &str = "select id from tenants where id > $1 order by id limit 500";
const ANY: &str = "select id from tenants limit 1";

const END_SESSIONS: &str = "update tenants set session_epoch = session_epoch + 1,
    sessions_ended_at = $2, updated_at = $2, version = version + 1 where id = $1";

const UPDATE: &str = "update tenants set name = $3, audience = $4, sign_up = $5,
    allowed_origins = $6, client_ids = $7, session_idle_s = $8, session_absolute_s = $9,
    updated_at = $10, version = version + 1 where id = $1 and version = $2";

#[derive(sqlx::FromRow)]
struct TenantRow {
    id: String,
    slug: String,
    name: String,
    audience: String,
    signing_alg: String,
    version: i64,
    sign_up: String,
    allowed_origins: String,
    client_ids: String,
    session_idle_s: Option<i64>,
    session_absolute_s: Option<i64>,
    keys_version: i64,
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
            sign_up: SignUpMode::from_text(&self.sign_up).ok_or_else(|| wrong("sign_up"))?,
            allowed_origins: serde_json::from_str(&self.allowed_origins)
                .map_err(|_| wrong("allowed_origins"))?,
            client_ids: serde_json::from_str(&self.client_ids).map_err(|_| wrong("client_ids"))?,
            version: self.version,
            session_idle_s: self.session_idle_s,
            session_absolute_s: self.session_absolute_s,
            slug: self.slug,
            name: self.name,
            audience: self.audience,
            keys_version: self.keys_version,
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
        tenant.version,
        tenant.sign_up.as_str(),
        json!(tenant.allowed_origins).to_string(),
        json!(tenant.client_ids).to_string(),
        tenant.session_idle_s,
        tenant.session_absolute_s,
        tenant.keys_version,
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

/// Whether there is any.
pub(super) async fn exist(tx: &mut Tx) -> Result<bool, DbError> {
    Ok(tx.optional::<(String,)>(ANY, args![]).await?.is_some())
}

pub(super) async fn only(tx: &mut Tx) -> Result<Option<String>, DbError> {
    let mut slugs: Vec<(String,)> = tx.all(ONLY, args![]).await?;
    let last = slugs.pop();
    Ok(last.filter(|_| slugs.is_empty()).map(|(slug,)| slug))
}

/// Writes the settings over those of the tenant's version; `false` when it has another by now.
pub(super) async fn update(
    tx: &mut Tx,
    tenant: TenantId,
    changed: &Tenant,
) -> Result<bool, DbError> {
    let args = args![
        tenant,
        changed.version,
        &changed.name,
        &changed.audience,
        changed.sign_up.as_str(),
        json!(changed.allowed_origins).to_string(),
        json!(changed.client_ids).to_string(),
        changed.session_idle_s,
        changed.session_absolute_s,
        changed.updated_at,
    ];
    Ok(tx.execute(UPDATE, args).await? > 0)
}

const KEYS_CHANGED: &str = "update tenants set keys_version = keys_version + 1 where id = $1
    returning slug";

/// Raises the version of the tenant's keys; answers its slug.
pub(super) async fn keys_changed(tx: &mut Tx, tenant: TenantId) -> Result<String, DbError> {
    let (slug,) = tx.one::<(String,)>(KEYS_CHANGED, args![tenant]).await?;
    Ok(slug)
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

/// The next tenants, in the order of their ids.
pub(super) async fn all(tx: &mut Tx, after: &str) -> Result<Vec<TenantId>, DbError> {
    tx.tenants("tenants", ALL, args![after]).await
}
