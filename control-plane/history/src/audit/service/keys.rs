//! What signs a tenant's log.

use plinto_contract::ids::TenantId;
use plinto_platform::{
    Platform,
    db::Tx,
    envelope::{EnvelopeError, Place},
};
use plinto_tlog::SigningKey;
use zeroize::Zeroizing;

use super::damaged;
use crate::audit::{error::AuditError, store};

/// A tenant's key, and what is to be kept of it when it is a new one.
pub(in crate::audit) struct Signer {
    pub(in crate::audit) key: SigningKey,
    /// The sealed seed. It is kept with the first signature and never before: where there is a key, something
    /// was signed.
    pub(in crate::audit) new_seed: Option<String>,
}

/// What signs next; a new key where none has signed yet.
pub(in crate::audit) async fn signer(
    platform: &Platform,
    tx: &mut Tx,
    tenant: TenantId,
) -> Result<Signer, AuditError> {
    if let Some(key) = existing_key(platform, tx, tenant).await? {
        let new_seed = None;
        return Ok(Signer { key, new_seed });
    }
    let mut seed = Zeroizing::new([0; 32]);
    platform.random.fill(seed.as_mut_slice());
    let row = tenant.to_string();
    let sealed =
        platform
            .envelope
            .seal(&*platform.random, &place(tenant, &row), seed.as_slice())?;
    let key = SigningKey::from_seed(&name(platform, tenant), &seed).map_err(damaged(tenant))?;
    Ok(Signer {
        key,
        new_seed: Some(sealed),
    })
}

/// The tenant's key, if there is one.
pub(in crate::audit) async fn existing_key(
    platform: &Platform,
    tx: &mut Tx,
    tenant: TenantId,
) -> Result<Option<SigningKey>, AuditError> {
    let Some((name, sealed)) = store::key(tx, tenant).await? else {
        return Ok(None);
    };
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
