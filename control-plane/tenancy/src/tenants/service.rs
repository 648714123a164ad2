//! The verbs on tenants.

use std::time::Duration;

use plinto_contract::{
    events::{TenantCreated, TenantSessionsRevoked, TenantUpdated},
    ids::TenantId,
    problem::FieldError,
};
use plinto_platform::{
    Platform, PlatformState,
    actor::{Actor, Permission},
    authority::{self, Need, Work},
    db::{Db, DbError, Tx},
    http::known::{Found, Known, Unread},
};

use super::{
    error::TenantsError,
    model::{CreateTenant, Tenant, UpdateTenant, is_slug},
    store,
};

/// 1 s: how late another instance may learn of a change; the one that made it knows at once.
const CACHE_TTL: Duration = Duration::from_secs(1);
/// 10,000 tenants at once.
const CACHE_CAPACITY: u64 = 10_000;

/// Tenants by slug.
#[derive(Debug)]
struct Cache {
    /// For a second.
    recent: moka::future::Cache<String, Tenant>,
    /// For public documents.
    published: Known<String, Tenant, TenantsError>,
}

impl PlatformState for Cache {
    fn new(_: &Platform) -> Self {
        let builder = moka::future::Cache::builder();
        Self {
            recent: builder
                .max_capacity(CACHE_CAPACITY)
                .time_to_live(CACHE_TTL)
                .build(),
            published: Known::default(),
        }
    }
}

/// Makes a tenant in the caller's work; its keys are made by the caller too.
/// Only ourselves may: the actor is the system actor of the new tenant's id.
pub async fn create(work: &mut Work<'_>, input: CreateTenant) -> Result<Tenant, TenantsError> {
    work.actor.require(Permission::TenantWrite)?;
    let mut faults = input.faults();
    faults.extend(reserved(work.platform, &input.audience));
    if !faults.is_empty() {
        return Err(TenantsError::Invalid(faults));
    }
    let tenant = input.into_tenant(work.actor.tenant, work.platform.clock.now());
    let taken = || TenantsError::SlugTaken(tenant.slug.clone());
    store::insert(&mut work.tx, &tenant)
        .await
        .map_err(|error| error.on("tenants_slug_key", taken))?;
    let slug = tenant.slug.clone();
    work.record(tenant.id, &TenantCreated { slug }).await?;
    Ok(tenant)
}

/// What is wrong with an audience that is ours: tokens for the management API, and for an issuer's own
/// pages, would pass for an application's.
fn reserved(platform: &Platform, audience: &str) -> Option<FieldError> {
    let config = &platform.config;
    let is_ours = audience == config.management_resource() || config.slug_of(audience).is_some();
    is_ours.then(|| {
        let detail = "this is the server's own; name the application's API";
        FieldError::new("/audience", "audience_reserved", detail)
    })
}

/// The actor's tenant.
pub async fn get(platform: &Platform, actor: &Actor) -> Result<Tenant, TenantsError> {
    actor.require(Permission::TenantRead)?;
    by_id(platform, actor.tenant).await
}

/// Changes the tenant's settings. `version`: the one the caller has seen.
/// Errors: `Changed` when it has another version by now; `Invalid`.
pub async fn update(
    platform: &Platform,
    actor: &Actor,
    version: i64,
    input: UpdateTenant,
) -> Result<Tenant, TenantsError> {
    actor.require(Permission::TenantWrite)?;
    let mut work =
        authority::begin(platform, actor, Need::Permission(Permission::TenantWrite)).await?;
    let mut tenant = store::by_id(&mut work.tx, actor.tenant)
        .await?
        .ok_or(TenantsError::NotFound)?;
    if tenant.version != version {
        return Err(TenantsError::Changed);
    }
    let changed = input.apply(&mut tenant);
    if changed.is_empty() {
        return Ok(tenant);
    }
    let mut faults = tenant.faults();
    if changed.contains(&"audience") {
        faults.extend(reserved(platform, &tenant.audience));
    }
    if !faults.is_empty() {
        return Err(TenantsError::Invalid(faults));
    }
    tenant.updated_at = platform.clock.now();
    if !store::update(&mut work.tx, actor.tenant, &tenant).await? {
        return Err(TenantsError::Changed);
    }
    tenant.version = version.saturating_add(1);
    let changed = changed.into_iter().map(str::to_owned).collect();
    work.record(tenant.id, &TenantUpdated { changed }).await?;
    work.commit().await?;
    platform
        .state::<Cache>()
        .recent
        .invalidate(&tenant.slug)
        .await;
    Ok(tenant)
}

/// The tenants that there are, for whoever can open the database.
pub async fn all(platform: &Platform) -> Result<Vec<TenantId>, DbError> {
    let mut tx = platform.db.read().await?;
    let mut tenants: Vec<TenantId> = Vec::new();
    loop {
        let last = tenants.last().map(TenantId::to_string).unwrap_or_default();
        let more = store::all(&mut tx, &last).await?;
        if more.is_empty() {
            return Ok(tenants);
        }
        tenants.extend(more);
    }
}

/// Ends every session of the tenant: its refresh tokens are dead, and access tokens issued so far are
/// refused (S4). API keys go on.
pub async fn end_sessions(platform: &Platform, actor: &Actor) -> Result<(), TenantsError> {
    actor.require(Permission::SessionsRevoke)?;
    let mut work = authority::begin(
        platform,
        actor,
        Need::Permission(Permission::SessionsRevoke),
    )
    .await?;
    store::end_sessions(&mut work.tx, actor.tenant, platform.clock.now()).await?;
    let tenant = store::by_id(&mut work.tx, actor.tenant)
        .await?
        .ok_or(TenantsError::NotFound)?;
    work.record(tenant.id, &TenantSessionsRevoked {}).await?;
    work.commit().await?;
    platform
        .state::<Cache>()
        .recent
        .invalidate(&tenant.slug)
        .await;
    Ok(())
}

/// Notes, in the transaction that changes the tenant's signing keys, that they have changed. After the
/// commit, [`KeysChanged::tell`] has this process know it at once.
pub async fn keys_changed(tx: &mut Tx, tenant: TenantId) -> Result<KeysChanged, DbError> {
    Ok(KeysChanged {
        slug: store::keys_changed(tx, tenant).await?,
    })
}

/// A tenant whose signing keys have changed.
#[derive(Debug)]
#[must_use = "tell it after the commit"]
pub struct KeysChanged {
    slug: String,
}

impl KeysChanged {
    /// Forgets what this process knew of the tenant.
    pub async fn tell(self, platform: &Platform) {
        platform
            .state::<Cache>()
            .recent
            .invalidate(&self.slug)
            .await;
    }
}

/// The tenant of a slug. For requests that must know whose they are: every one under an
/// issuer asks, so the answer is kept for a second.
pub async fn by_slug(platform: &Platform, slug: &str) -> Result<Tenant, TenantsError> {
    if let Some(tenant) = platform.state::<Cache>().recent.get(slug).await {
        return Ok(tenant);
    }
    let mut tx = platform.db.read().await?;
    let tenant = find_by_slug(&mut tx, slug).await?;
    platform
        .state::<Cache>()
        .recent
        .insert(slug.to_owned(), tenant.clone())
        .await;
    Ok(tenant)
}

/// The tenant of a slug for what its issuer publishes: known for a while without the database.
pub async fn published(
    platform: &Platform,
    slug: &str,
) -> Result<Found<Tenant>, Unread<TenantsError>> {
    let (handle, name) = (platform.clone(), slug.to_owned());
    let read = move |_| {
        let (platform, slug) = (handle.clone(), name.clone());
        async move { find_by_slug(&mut platform.db.read_document().await?, &slug).await }
    };
    platform
        .state::<Cache>()
        .published
        .get(platform, slug.to_owned(), read)
        .await
}

/// The tenant of a slug inside a transaction of the caller's.
pub async fn find_by_slug(tx: &mut Tx, slug: &str) -> Result<Tenant, TenantsError> {
    // No slug, no look-up: a path may say anything.
    if !is_slug(slug) {
        return Err(TenantsError::NotFound);
    }
    store::by_slug(tx, slug)
        .await?
        .ok_or(TenantsError::NotFound)
}

/// Whether pages of an origin may call what people use under a tenant's issuer. Who cannot be asked
/// allows nothing.
pub async fn allows_origin(platform: &Platform, slug: &str, origin: &str) -> bool {
    let tenant = by_slug(platform, slug).await;
    tenant.is_ok_and(|tenant| tenant.allows_origin(origin))
}

/// Whether there is any tenant, and with it anything sealed.
pub async fn exist(db: &Db) -> Result<bool, DbError> {
    let mut tx = db.read().await?;
    store::exist(&mut tx).await
}

/// The tenant of an id that our own rows or keys name.
pub async fn by_id(platform: &Platform, tenant: TenantId) -> Result<Tenant, TenantsError> {
    let mut tx = platform.db.read().await?;
    store::by_id(&mut tx, tenant)
        .await?
        .ok_or(TenantsError::NotFound)
}

/// The same inside a transaction of the caller's.
pub async fn find(tx: &mut Tx, tenant: TenantId) -> Result<Option<Tenant>, DbError> {
    store::by_id(tx, tenant).await
}

/// The slug of the only tenant; `None` where there are several, or none yet.
pub async fn only(platform: &Platform) -> Result<Option<String>, DbError> {
    let mut tx = platform.db.read().await?;
    store::only(&mut tx).await
}
