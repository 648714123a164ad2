//! Grows the trees of those tenants whose logs have grown, and signs them.

use plinto_contract::ids::TenantId;
use plinto_platform::{Platform, authority, db::Tx, events as log, fault};
use plinto_tlog::{Checkpoint, Edge, Hash, tree};

use super::{
    error::AuditError,
    model::{Record, Stream, size},
    service::{
        damaged,
        keys::{self, Signer},
    },
    store,
};

/// 1,024 events of one step: four full tiles.
const BATCH: i64 = 1_024;

/// Seals what is not sealed yet. Meant for every few seconds; a tenant whose tree is damaged keeps no
/// other waiting.
/// Errors: the last one that a tenant had.
pub async fn seal_due(platform: &Platform) -> Result<(), AuditError> {
    let mut tx = platform.db.read().await?;
    let due = store::due(&mut tx).await?;
    drop(tx);
    let mut result = Ok(());
    for tenant in due {
        if let Err(error) = seal(platform, tenant).await {
            tracing::error!(%tenant, %error, "a log could not be sealed");
            result = Err(error);
        }
    }
    result
}

async fn seal(platform: &Platform, tenant: TenantId) -> Result<(), AuditError> {
    while step(platform, tenant).await? {}
    Ok(())
}

/// Seals the next events. `false`: there are none left, or another process does it.
async fn step(platform: &Platform, tenant: TenantId) -> Result<bool, AuditError> {
    let mut tx = platform.db.read().await?;
    let Some(stream) = store::stream(&mut tx, tenant).await? else {
        return Ok(false);
    };
    if stream.head <= stream.sealed {
        return Ok(false);
    }
    // In the same state as the tree: another process may be signing for the first time.
    let signer = keys::signer(platform, &mut tx, tenant).await?;
    let key = &signer.key;
    let mut edge = edge(&mut tx, tenant, &stream).await?;
    require_signed(tenant, &signer, &stream, &edge)?;
    let leaves = leaves(&mut tx, tenant, &stream).await?;
    drop(tx);
    let tiles = edge.append(&leaves).map_err(damaged(tenant))?;
    let checkpoint = Checkpoint::new(key.verifier().name(), edge.size(), edge.root())
        .and_then(|checkpoint| checkpoint.sign(&[key]))
        .map_err(damaged(tenant))?;

    let sealed = stream
        .sealed
        .saturating_add(i64::try_from(leaves.len()).unwrap_or(0));
    let mut tx = authority::begin_own(platform).await?;
    if !store::seal(&mut tx, tenant, stream.sealed, sealed, &checkpoint).await? {
        return Ok(false);
    }
    if let Some(seed) = &signer.new_seed {
        let (name, now) = (key.verifier().name(), platform.clock.now());
        if !store::insert_key(&mut tx, tenant, name, seed, now).await? {
            return Ok(false);
        }
    }
    for tile in &tiles {
        store::put_tile(&mut tx, tenant, tile).await?;
    }
    fault::reach("tree_grown");
    tx.commit().await?;
    fault::reach("tree_committed");
    Ok(sealed < stream.head)
}

/// Goes on from nothing but what was signed: whoever can write to the database alone must not have us sign what
/// they made of it.
/// Errors: `Unsigned`.
fn require_signed(
    tenant: TenantId,
    signer: &Signer,
    stream: &Stream,
    edge: &Edge,
) -> Result<(), AuditError> {
    let verifier = signer.key.verifier();
    let is_signed = match &stream.checkpoint {
        None => stream.sealed == 0 && signer.new_seed.is_some(),
        Some(note) => {
            let keys = std::slice::from_ref(verifier);
            Checkpoint::open(note.as_bytes(), verifier.name(), keys).is_ok_and(|checkpoint| {
                checkpoint.size() == edge.size() && *checkpoint.root() == edge.root()
            })
        }
    };
    is_signed.then_some(()).ok_or(AuditError::Unsigned(tenant))
}

/// Where the tree grows.
async fn edge(tx: &mut Tx, tenant: TenantId, stream: &Stream) -> Result<Edge, AuditError> {
    let needs = tree::root_needs(size(stream.sealed)).map_err(damaged(tenant))?;
    let tiles = store::tiles(tx, tenant, &needs).await?;
    Edge::from_tiles(size(stream.sealed), &tiles).map_err(damaged(tenant))
}

/// The hashes of the events that come next.
async fn leaves(tx: &mut Tx, tenant: TenantId, stream: &Stream) -> Result<Vec<Hash>, AuditError> {
    let events = log::logged_after(tx, tenant, stream.sealed, BATCH).await?;
    let mut leaves = Vec::with_capacity(events.len());
    for (event, seq) in events.into_iter().zip(stream.sealed.saturating_add(1)..) {
        if event.event.seq != seq {
            return Err(AuditError::Gap { tenant, seq });
        }
        leaves.push(Record::of(event)?.hash);
    }
    Ok(leaves)
}
