//! What edges fetch: the active artifact, and every recent one by its digest. Open to everybody,
//! for it is signed and says nothing that an edge's answers would not.

use std::{sync::Arc, time::Duration};

use plinto_contract::ids::TenantId;

use crate::{
    actor::Actor,
    app::App,
    features::policies::{
        error::PoliciesError,
        model::{self, Activation},
        store,
    },
};

/// 64 MiB: artifacts in memory. One is some kilobytes and at most a megabyte.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// 1 h: an artifact that nobody fetches leaves memory.
const CACHE_IDLE: Duration = Duration::from_hours(1);

/// Artifacts in memory, by tenant and digest. They never change, so they never go stale.
#[derive(Debug, Clone)]
pub(crate) struct Artifacts(moka::future::Cache<(TenantId, String), Arc<[u8]>>);

impl Default for Artifacts {
    fn default() -> Self {
        let cache = moka::future::Cache::builder()
            .max_capacity(CACHE_BYTES)
            .weigher(|_, content: &Arc<[u8]>| u32::try_from(content.len()).unwrap_or(u32::MAX))
            .time_to_idle(CACHE_IDLE)
            .build();
        Self(cache)
    }
}

/// The active artifact of the actor's tenant.
/// Errors: `NothingActive`.
pub(crate) async fn current(
    app: &App,
    actor: &Actor,
    artifacts: &Artifacts,
) -> Result<(Activation, Arc<[u8]>), PoliciesError> {
    let mut tx = app.db.read().await?;
    let active = store::active(&mut tx, actor.tenant)
        .await?
        .ok_or(PoliciesError::NothingActive)?;
    drop(tx);
    let content = by_digest(app, actor, artifacts, &active.digest).await?;
    Ok((active, content))
}

/// A recent artifact of the actor's tenant.
/// Errors: `NotFound`.
pub(crate) async fn by_digest(
    app: &App,
    actor: &Actor,
    artifacts: &Artifacts,
    digest: &str,
) -> Result<Arc<[u8]>, PoliciesError> {
    if !model::is_digest(digest) {
        return Err(PoliciesError::NotFound);
    }
    let key = (actor.tenant, digest.to_owned());
    if let Some(content) = artifacts.0.get(&key).await {
        return Ok(content);
    }
    let mut tx = app.db.read().await?;
    let content: Arc<[u8]> = store::artifact(&mut tx, actor.tenant, digest)
        .await?
        .ok_or(PoliciesError::NotFound)?
        .into();
    artifacts.0.insert(key, Arc::clone(&content)).await;
    Ok(content)
}
