//! The verbs on tenants.

use plinto_contract::{events::EventKind, ids::TenantId, time::UnixMillis};
use serde_json::json;

use super::{
    error::TenantsError,
    model::{CreateTenant, Tenant},
    store,
};
use crate::{
    actor::{Actor, Permission},
    app::App,
    db::{DbError, Tx},
    events,
};

/// Makes a tenant in the caller's transaction; its keys are made by the caller too.
/// Only ourselves may: `actor` is the system actor of the new tenant's id.
pub async fn create(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    input: CreateTenant,
) -> Result<Tenant, TenantsError> {
    actor.require(Permission::TenantWrite)?;
    let faults = input.faults();
    if !faults.is_empty() {
        return Err(TenantsError::Invalid(faults));
    }
    let now = app.clock.now();
    let tenant = Tenant {
        id: actor.tenant,
        slug: input.slug,
        name: input.name,
        audience: input.audience,
        signing_alg: input.signing_alg,
        tokens_issued_before: UnixMillis(0),
        created_at: now,
        updated_at: now,
    };
    match store::insert(tx, &tenant).await {
        Err(DbError::Conflict { constraint }) if constraint == "tenants_slug_key" => {
            return Err(TenantsError::SlugTaken(tenant.slug));
        }
        result => result?,
    }
    let data = json!({ "slug": tenant.slug });
    events::record(tx, app, actor, EventKind::TenantCreated, tenant.id, data).await?;
    Ok(tenant)
}

/// The actor's tenant.
pub async fn get(app: &App, actor: &Actor) -> Result<Tenant, TenantsError> {
    actor.require(Permission::TenantRead)?;
    by_id(app, actor.tenant).await
}

/// Refuses every access token of the tenant issued so far.
pub async fn revoke_tokens(app: &App, actor: &Actor) -> Result<Tenant, TenantsError> {
    actor.require(Permission::TenantWrite)?;
    let mut tx = app.db.begin().await?;
    store::revoke_tokens(&mut tx, actor.tenant, app.clock.now()).await?;
    let tenant = store::by_id(&mut tx, actor.tenant).await?.ok_or(TenantsError::NotFound)?;
    let data = json!({ "tokens_issued_before": tenant.tokens_issued_before });
    events::record(&mut tx, app, actor, EventKind::TenantTokensRevoked, tenant.id, data).await?;
    tx.commit().await?;
    Ok(tenant)
}

/// The tenant of a slug. For the doors that must know whose door they are.
pub async fn by_slug(app: &App, slug: &str) -> Result<Tenant, TenantsError> {
    let mut tx = app.db.read().await?;
    store::by_slug(&mut tx, slug).await?.ok_or(TenantsError::NotFound)
}

/// The tenant of an id that our own rows or keys name.
pub async fn by_id(app: &App, tenant: TenantId) -> Result<Tenant, TenantsError> {
    let mut tx = app.db.read().await?;
    store::by_id(&mut tx, tenant).await?.ok_or(TenantsError::NotFound)
}

/// The same inside a transaction of the caller's.
pub async fn find(tx: &mut Tx, tenant: TenantId) -> Result<Option<Tenant>, DbError> {
    store::by_id(tx, tenant).await
}

/// Every tenant, for background work.
pub async fn all(app: &App) -> Result<Vec<Tenant>, DbError> {
    let mut tx = app.db.read().await?;
    store::all(&mut tx).await
}
