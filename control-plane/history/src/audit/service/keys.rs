//! What signs a tenant's log.

use plinto_contract::ids::TenantId;
use plinto_platform::{
    Platform, authority,
    envelope::{EnvelopeError, Place},
};
use plinto_tlog::SigningKey;
use zeroize::Zeroizing;

use super::damaged;
use crate::audit::{error::AuditError, store};

/// The tenant's key; made when there is none.
pub(in crate::audit) async fn signing_key(
    platform: &Platform,
    tenant: TenantId,
) -> Result<SigningKey, AuditError> {
    if let Some(key) = existing_key(platform, tenant).await? {
        return Ok(key);
    }
    let mut seed = Zeroizing::new([0; 32]);
    platform.random.fill(seed.as_mut_slice());
    let sealed = platform.envelope.seal(
        &*platform.random,
        &place(tenant, &tenant.to_string()),
        seed.as_slice(),
    )?;
    let mut tx = authority::begin_own(platform).await?;
    let now = platform.clock.now();
    store::insert_key(&mut tx, tenant, &name(platform, tenant), &sealed, now).await?;
    tx.commit().await?;
    // Another process may have been quicker: the one that is kept signs.
    let key = existing_key(platform, tenant).await?;
    key.ok_or(AuditError::Key(EnvelopeError::DoesNotOpen))
}

/// The tenant's key, if there is one.
pub(in crate::audit) async fn existing_key(
    platform: &Platform,
    tenant: TenantId,
) -> Result<Option<SigningKey>, AuditError> {
    let mut tx = platform.db.read().await?;
    let Some((name, sealed)) = store::key(&mut tx, tenant).await? else {
        return Ok(None);
    };
    drop(tx);
    let row = tenant.to_string();
    let seed = platform.envelope.open(&place(tenant, &row), &sealed)?;
    let seed: Zeroizing<[u8; 32]> = Zeroizing::new(
        seed.as_slice()
            .try_into()
            .map_err(|_| EnvelopeError::DoesNotOpen)?,
    );
    SigningKey::from_seed(&name, &seed)
        .map(Some)
        .map_err(damaged(tenant))
}

fn place(tenant: TenantId, row: &str) -> Place<'_> {
    Place {
        tenant,
        table: "event_log_keys",
        row,
        column: "sealed_seed",
    }
}

/// A URL without a scheme, as the origin of a log is by custom (C2SP tlog-checkpoint).
fn name(platform: &Platform, tenant: TenantId) -> String {
    let base = platform.config.base_url();
    let host = base.split_once("://").map_or(base, |(_, rest)| rest);
    format!("{}/{tenant}/events", host.trim_end_matches('/'))
}
