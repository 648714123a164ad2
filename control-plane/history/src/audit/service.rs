//! The verbs on the audit log: what was last signed of it, and proofs about it.

pub(super) mod keys;
pub(super) mod search;

use plinto_contract::{
    ids::{EventId, TenantId},
    problem::FieldError,
};
use plinto_platform::{
    Platform,
    actor::{Actor, Permission},
    db::Tx,
    events as log,
};
use plinto_tlog::{Error as TreeError, Hash, LogProof, tree};

use super::{
    error::AuditError,
    model::{Record, Stream, size},
    store,
};

/// What was last signed of a log, and whose key it was signed with.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) size: i64,
    pub(super) origin: String,
    pub(super) note: String,
    pub(super) verifier: String,
}

/// That an event is in the log.
#[derive(Debug)]
pub(super) struct Inclusion {
    pub(super) record: Record,
    pub(super) path: Vec<Hash>,
    pub(super) proof: String,
    pub(super) signed: Signed,
}

/// That a log of one size is the beginning of one of another.
#[derive(Debug)]
pub(super) struct Consistency {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) path: Vec<Hash>,
}

/// A part of the log with what proves it.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) records: Vec<Record>,
    pub(super) sealed: i64,
}

/// What was last signed. Errors: `NotSealed`, in the first seconds of a tenant.
pub(super) async fn checkpoint(platform: &Platform, actor: &Actor) -> Result<Signed, AuditError> {
    actor.require(Permission::EventsRead)?;
    let mut tx = platform.db.read().await?;
    let stream = sealed_stream(&mut tx, actor.tenant).await?;
    signed(platform, &mut tx, actor.tenant, stream).await
}

async fn signed(
    platform: &Platform,
    tx: &mut Tx,
    tenant: TenantId,
    stream: Stream,
) -> Result<Signed, AuditError> {
    let key = keys::existing_key(platform, tx, tenant).await?;
    let (Some(key), Some(note)) = (key, stream.checkpoint) else {
        return Err(AuditError::NotSealed);
    };
    Ok(Signed {
        size: stream.sealed,
        origin: key.verifier().name().to_owned(),
        verifier: key.verifier().to_string(),
        note,
    })
}

async fn sealed_stream(tx: &mut Tx, tenant: TenantId) -> Result<Stream, AuditError> {
    let stream = store::stream(tx, tenant).await?;
    stream
        .filter(|stream| stream.sealed > 0)
        .ok_or(AuditError::NotSealed)
}

/// Proves that an event is in the log that was last signed.
/// Errors: `NotFound`; `NotSealed`, in its first seconds.
pub(super) async fn inclusion(
    platform: &Platform,
    actor: &Actor,
    id: EventId,
) -> Result<Inclusion, AuditError> {
    actor.require(Permission::EventsRead)?;
    let tenant = actor.tenant;
    let mut tx = platform.db.read().await?;
    let event = log::find(&mut tx, tenant, id)
        .await?
        .ok_or(AuditError::NotFound)?;
    let stream = sealed_stream(&mut tx, tenant).await?;
    if event.seq > stream.sealed {
        return Err(AuditError::NotSealed);
    }
    let before = event.seq.saturating_sub(1);
    let logged = log::logged_after(&mut tx, tenant, before, 1).await?;
    let record = Record::of(logged.into_iter().next().ok_or(AuditError::NotFound)?)?;
    let (index, tree_size) = (size(before), size(stream.sealed));
    let needs = tree::inclusion_needs(index, tree_size).map_err(damaged(tenant))?;
    let tiles = store::tiles(&mut tx, tenant, &needs).await?;
    let path = tree::inclusion(index, tree_size, &tiles).map_err(damaged(tenant))?;
    let signed = signed(platform, &mut tx, tenant, stream).await?;
    let proof = LogProof::new(index, path.clone(), signed.note.clone()).map_err(damaged(tenant))?;
    Ok(Inclusion {
        record,
        path,
        proof: proof.to_string(),
        signed,
    })
}

/// Proves that the log of `from` events is the beginning of that of `to`, which is the one that was last
/// signed if nothing is said.
/// Errors: `Invalid`: there was no such size.
pub(super) async fn consistency(
    platform: &Platform,
    actor: &Actor,
    from: i64,
    to: Option<i64>,
) -> Result<Consistency, AuditError> {
    actor.require(Permission::EventsRead)?;
    let tenant = actor.tenant;
    let mut tx = platform.db.read().await?;
    let stream = sealed_stream(&mut tx, tenant).await?;
    let to = to.unwrap_or(stream.sealed);
    let out = |name: &str, most: i64| {
        let detail = format!("expected a size from 1 to {most}");
        AuditError::Invalid(vec![FieldError::new(name, "out_of_range", detail)])
    };
    if !(1..=stream.sealed).contains(&to) {
        return Err(out("?to", stream.sealed));
    }
    if !(1..=to).contains(&from) {
        return Err(out("?from", to));
    }
    let needs = tree::consistency_needs(size(from), size(to)).map_err(damaged(tenant))?;
    let tiles = store::tiles(&mut tx, tenant, &needs).await?;
    let path = tree::consistency(size(from), size(to), &tiles).map_err(damaged(tenant))?;
    Ok(Consistency { from, to, path })
}

/// A part of the log that has been signed, in its order, with the hashes that its events have in the
/// tree.
/// Errors: `Invalid`: it would lie behind what is signed.
pub(super) async fn records(
    platform: &Platform,
    actor: &Actor,
    after: i64,
    limit: i64,
) -> Result<Records, AuditError> {
    actor.require(Permission::EventsRead)?;
    let mut tx = platform.db.read().await?;
    let stream = sealed_stream(&mut tx, actor.tenant).await?;
    if after > stream.sealed {
        let detail = format!("{} events are signed", stream.sealed);
        let error = FieldError::new("?after", "beyond_end", detail);
        return Err(AuditError::Invalid(vec![error]));
    }
    let limit = limit.min(stream.sealed.saturating_sub(after));
    let logged = log::logged_after(&mut tx, actor.tenant, after, limit).await?;
    let records: Result<Vec<_>, _> = logged.into_iter().map(Record::of).collect();
    Ok(Records {
        records: records?,
        sealed: stream.sealed,
    })
}

/// Names the tenant whose tree does not fit together.
pub(super) fn damaged(tenant: TenantId) -> impl Fn(TreeError) -> AuditError {
    move |error| AuditError::Damaged { tenant, error }
}
