//! Keeps active artifacts up to date: roles, bundle key, expiry.

use plinto_contract::ids::TenantId;

use super::{error::PoliciesError, service, store};
use crate::{
    actor::Actor,
    app::App,
    features::{roles, signing_keys},
};

/// 60 s: how far back a look at what changed goes. The full round covers what was missed.
const RECENTLY_S: i64 = 60;

/// Rebuilds the artifacts of tenants whose roles or bundle key changed lately. Cheap when none did;
/// meant for every second.
pub(crate) async fn follow_changes(app: &App) -> Result<usize, PoliciesError> {
    let since = app.clock.now().plus_seconds(-RECENTLY_S);
    let mut tx = app.db.read().await?;
    let mut outdated = Vec::new();
    for changed in roles::changed_since(&mut tx, since).await? {
        let active = store::active(&mut tx, changed.tenant).await?;
        if active.is_some_and(|active| active.roles_version != changed.version) {
            outdated.push(changed.tenant);
        }
    }
    outdated.extend(signing_keys::new_bundle_keys(&mut tx, since).await?);
    drop(tx);
    rebuild(app, outdated).await
}

/// Looks at every tenant's artifact: roles, key, expiry. Meant for every minute.
pub(crate) async fn renew(app: &App) -> Result<usize, PoliciesError> {
    let mut tx = app.db.read().await?;
    let tenants = store::tenants(&mut tx).await?;
    drop(tx);
    rebuild(app, tenants).await
}

/// One tenant's trouble does not keep the others waiting: it is logged and tried again.
async fn rebuild(app: &App, tenants: Vec<TenantId>) -> Result<usize, PoliciesError> {
    let mut rebuilt = 0_usize;
    for tenant in tenants {
        match service::activate::rebuild(app, &Actor::system(tenant)).await {
            Ok(Some(_)) => rebuilt = rebuilt.saturating_add(1),
            Ok(None) => {}
            Err(PoliciesError::Database(error)) => return Err(error.into()),
            Err(error) => {
                tracing::error!(tenant.id = %tenant, %error, "the active bundle cannot be built anew");
            }
        }
    }
    Ok(rebuilt)
}
