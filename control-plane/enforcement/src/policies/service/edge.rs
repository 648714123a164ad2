//! What edges fetch: the active artifact, and every recent one by its digest. Open to everybody,
//! for it is signed and says nothing that an edge's answers would not.

use std::{sync::Arc, time::Duration};

use plinto_contract::ids::TenantId;
use plinto_platform::{
    Platform,
    http::known::{Found, Known, Unread},
};
use plinto_tenancy::tenants;

use crate::policies::{
    error::PoliciesError,
    model::{self, Activation},
    store,
};

/// 64 MiB: artifacts in memory. One is some kilobytes and at most a megabyte.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// 1 h: an artifact that nobody fetches leaves memory.
const CACHE_IDLE: Duration = Duration::from_hours(1);

/// What edges fetched lately.
#[derive(Debug, Clone)]
pub(crate) struct Artifacts {
    /// What is active, by the tenant's slug.
    active: Arc<Known<String, Active, PoliciesError>>,
    /// By tenant and digest. They never change, so they never go stale.
    content: moka::future::Cache<(TenantId, String), Arc<[u8]>>,
}

/// A tenant's activation in force.
#[derive(Debug, Clone)]
struct Active {
    tenant: TenantId,
    activation: Arc<Activation>,
}

impl Default for Artifacts {
    fn default() -> Self {
        let content = moka::future::Cache::builder()
            .max_capacity(CACHE_BYTES)
            .weigher(|_, content: &Arc<[u8]>| u32::try_from(content.len()).unwrap_or(u32::MAX))
            .time_to_idle(CACHE_IDLE)
            .build();
        Self {
            active: Arc::default(),
            content,
        }
    }
}

/// The active artifact of a tenant, by its slug, with the activation that made it.
/// Errors: `NothingActive`, `Tenant`.
pub(crate) async fn current(
    platform: &Platform,
    artifacts: &Artifacts,
    slug: &str,
) -> Result<(Found<Arc<Activation>>, Arc<[u8]>), Unread<PoliciesError>> {
    let (handle, name) = (platform.clone(), slug.to_owned());
    let read = move |_| {
        let (platform, slug) = (handle.clone(), name.clone());
        async move {
            let mut tx = platform.db.read_document().await?;
            let tenant = tenants::find_by_slug(&mut tx, &slug).await?.id;
            let activation = store::active(&mut tx, tenant)
                .await?
                .ok_or(PoliciesError::NothingActive)?
                .into();
            Ok(Active { tenant, activation })
        }
    };
    let Found { value, age_s } = artifacts
        .active
        .get(platform, slug.to_owned(), read)
        .await?;
    let content = content(platform, artifacts, value.tenant, &value.activation.digest).await?;
    let found = Found {
        value: value.activation,
        age_s,
    };
    Ok((found, content))
}

/// A recent artifact of a tenant, by its slug.
/// Errors: `NotFound`, `Tenant`.
pub(crate) async fn by_digest(
    platform: &Platform,
    artifacts: &Artifacts,
    slug: &str,
    digest: &str,
) -> Result<Arc<[u8]>, Unread<PoliciesError>> {
    if !model::is_digest(digest) {
        return Err(PoliciesError::NotFound.into());
    }
    let tenant = tenants::published(platform, slug)
        .await
        .map_err(PoliciesError::from)?;
    content(platform, artifacts, tenant.value.id, digest).await
}

async fn content(
    platform: &Platform,
    artifacts: &Artifacts,
    tenant: TenantId,
    digest: &str,
) -> Result<Arc<[u8]>, Unread<PoliciesError>> {
    let read = async {
        let mut tx = platform.db.read_document().await?;
        let content = store::artifact(&mut tx, tenant, digest)
            .await?
            .ok_or(PoliciesError::NotFound)?;
        Ok(content.into())
    };
    artifacts
        .content
        .try_get_with((tenant, digest.to_owned()), read)
        .await
        .map_err(Unread::Failed)
}
