//! Keeps active artifacts up to date: roles, bundle key, expiry. What is due is noted where it
//! changes, so that looking for it asks about no tenant for which nothing is due.

use std::collections::BTreeSet;

use plinto_contract::ids::TenantId;
use plinto_directory::roles;
use plinto_platform::{Platform, actor::Actor};
use plinto_tenancy::signing_keys;

use super::{
    error::PoliciesError,
    service::activate::{put_off, rebuild},
    store,
};

/// 10 s: until an artifact that could not be built is tried again.
const RETRY_S: i64 = 10;

/// Builds anew what changed roles or a new key have outdated. Meant for every second.
pub async fn rebuild_outdated(platform: &Platform) -> Result<(), PoliciesError> {
    let now = platform.clock.now();
    let mut tx = platform.db.read().await?;
    let mut due = roles::bundles_due(&mut tx, now).await?;
    due.extend(signing_keys::bundles_due(&mut tx, now).await?);
    drop(tx);
    rebuild_each(platform, due).await
}

/// Builds anew what would expire. Meant for every minute.
pub async fn renew_expiring(platform: &Platform) -> Result<(), PoliciesError> {
    let until = platform
        .clock
        .now()
        .plus_seconds(platform.config.policies.renew_before_s);
    let mut tx = platform.db.read().await?;
    let due = store::expiring(&mut tx, until).await?;
    drop(tx);
    rebuild_each(platform, due).await
}

/// One tenant's trouble does not keep the others waiting: it is logged and tried again later. Only when
/// not even that can be noted, the round ends.
async fn rebuild_each(platform: &Platform, due: Vec<TenantId>) -> Result<(), PoliciesError> {
    let mut seen = BTreeSet::new();
    for tenant in due.into_iter().filter(|tenant| seen.insert(*tenant)) {
        let actor = Actor::system(tenant);
        match rebuild(platform, &actor).await {
            Ok(_) => {}
            Err(error) => {
                tracing::error!(tenant.id = %tenant, %error, "the active bundle cannot be built anew");
                put_off(platform, &actor, platform.clock.now().plus_seconds(RETRY_S)).await?;
            }
        }
    }
    Ok(())
}
