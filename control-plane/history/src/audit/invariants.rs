//! Whether the database still has what was recorded: for whoever can open it. Looks at every event.

use std::fmt;

use plinto_contract::ids::TenantId;
use plinto_platform::{
    Platform,
    db::{DbError, Tx},
    events as log,
};
use plinto_tlog::{Checkpoint, Edge, Hash, TileId, Tiles};

use super::{
    error::AuditError,
    model::{Record, Stream, size},
    service::{damaged, keys},
    store,
};

/// 1,000: events in memory.
const BATCH: i64 = 1_000;
/// 100: findings of one tenant; what is wrong with a thousand rows is wrong with the database.
const FINDINGS_MAX: usize = 100;

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Whose.
    pub tenant: TenantId,
    /// What.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.tenant, self.what)
    }
}

/// Everything that is wrong with the logs of these tenants, which are all that there are. `told` is called for
/// each. Answers how many events were looked at.
pub async fn broken_invariants(
    platform: &Platform,
    tenants: &[TenantId],
    mut told: impl FnMut(Broken),
) -> Result<u64, AuditError> {
    let mut events = 0;
    for tenant in tenants.iter().copied() {
        let findings = match of_tenant(platform, tenant).await {
            Ok(look) => {
                events += look.edge.size();
                look.findings
            }
            // One log that can't be read hides none of the others.
            Err(AuditError::Database(error @ DbError::Unavailable(_))) => return Err(error.into()),
            Err(error) => vec![format!("its log cannot be read: {error}")],
        };
        for what in findings {
            told(Broken { tenant, what });
        }
    }
    let mut tx = platform.db.read().await?;
    let logs = store::count(&mut tx).await?;
    if usize::try_from(logs).ok() != Some(tenants.len()) {
        let what = format!("there are {} tenants and {logs} logs", tenants.len());
        if let Some(tenant) = tenants.first().copied() {
            told(Broken { tenant, what });
        }
    }
    Ok(events)
}

/// One state of the database, from the first event to the last.
async fn of_tenant(platform: &Platform, tenant: TenantId) -> Result<Look, AuditError> {
    let mut look = Look {
        findings: Vec::new(),
        edge: Edge::new(),
        leaves: Vec::new(),
        expected: 1,
        tiles: Tiles::new(),
    };
    let mut tx = platform.db.read().await?;
    let Some(stream) = store::stream(&mut tx, tenant).await? else {
        look.findings.push("its log is missing".to_owned());
        return Ok(look);
    };
    look.events(&mut tx, tenant, &stream).await?;
    look.grow(&mut tx, tenant).await?;
    if look.expected <= stream.head {
        look.missing(look.expected, stream.head);
    }
    if stream.head == 0 {
        look.findings.push("its log has no event".to_owned());
    }
    look.signature(platform, &mut tx, tenant, &stream).await?;
    look.findings.truncate(FINDINGS_MAX);
    Ok(look)
}

struct Look {
    findings: Vec<String>,
    /// The tree of the leaves that the tiles have.
    edge: Edge,
    /// Those that are not in it yet.
    leaves: Vec<Hash>,
    expected: i64,
    /// The one with the leaves that are being looked at.
    tiles: Tiles,
}

impl Look {
    async fn events(
        &mut self,
        tx: &mut Tx,
        tenant: TenantId,
        stream: &Stream,
    ) -> Result<(), AuditError> {
        // What stands before the first event has no business there.
        let mut after = i64::MIN;
        loop {
            let events = log::logged_after(tx, tenant, after, BATCH).await?;
            let Some(last) = events.last() else {
                return Ok(());
            };
            after = last.event.seq;
            for event in events {
                let seq = event.event.seq;
                match Record::of(event) {
                    Ok(record) => self.event(tx, tenant, stream, record).await?,
                    Err(_) => self.findings.push(format!("event {seq} was changed")),
                }
            }
            self.grow(tx, tenant).await?;
            if self.findings.len() > FINDINGS_MAX {
                return Ok(());
            }
        }
    }

    async fn event(
        &mut self,
        tx: &mut Tx,
        tenant: TenantId,
        stream: &Stream,
        record: Record,
    ) -> Result<(), AuditError> {
        let seq = record.logged.event.seq;
        if seq < 1 {
            self.findings.push(format!("event {seq} was slipped in"));
            return Ok(());
        }
        if seq > self.expected {
            self.missing(self.expected, seq.saturating_sub(1));
        }
        self.expected = seq.saturating_add(1);
        if seq > stream.head {
            self.findings.push(format!("event {seq} was slipped in"));
        }
        if seq > stream.sealed {
            return Ok(());
        }
        let index = size(seq.saturating_sub(1));
        let kept = self.leaf(tx, tenant, index).await?;
        match kept {
            Some(kept) if kept != record.hash => {
                self.findings.push(format!("event {seq} was changed"));
            }
            Some(_) => {}
            None => self.findings.push(format!("the tree lacks event {seq}")),
        }
        // The tree is judged by its own leaves: what is wrong with an event has been said.
        self.leaves.push(kept.unwrap_or(record.hash));
        Ok(())
    }

    /// Grows the tree as it must have grown, and compares it with what is kept of it.
    async fn grow(&mut self, tx: &mut Tx, tenant: TenantId) -> Result<(), AuditError> {
        let leaves = std::mem::take(&mut self.leaves);
        for tile in self.edge.append(&leaves).map_err(damaged(tenant))? {
            let kept = store::tile(tx, tenant, tile.id()).await?;
            let is_same = kept.is_some_and(|kept| kept.hashes().starts_with(tile.hashes()));
            if !is_same && tile.id().level() > 0 {
                self.findings
                    .push(format!("the tree was changed in {}", tile.id()));
            }
        }
        Ok(())
    }

    async fn leaf(
        &mut self,
        tx: &mut Tx,
        tenant: TenantId,
        index: u64,
    ) -> Result<Option<Hash>, AuditError> {
        let id = TileId::new(0, index / 256).map_err(damaged(tenant))?;
        if self.tiles.get(id).is_none() {
            self.tiles = store::tile(tx, tenant, id).await?.into_iter().collect();
        }
        let place = usize::try_from(index % 256).unwrap_or_default();
        let tile = self.tiles.get(id);
        Ok(tile.and_then(|tile| tile.hashes().get(place).copied()))
    }

    fn missing(&mut self, first: i64, last: i64) {
        self.findings.push(if first == last {
            format!("event {first} is missing")
        } else {
            format!("events {first} to {last} are missing")
        });
    }

    /// Whether what was signed is what the tree has.
    async fn signature(
        &mut self,
        platform: &Platform,
        tx: &mut Tx,
        tenant: TenantId,
        stream: &Stream,
    ) -> Result<(), AuditError> {
        let key = keys::existing_key(platform, tx, tenant).await?;
        let (key, note) = match (key, &stream.checkpoint) {
            (Some(key), Some(note)) => (key, note),
            // In the first seconds of a tenant.
            (None, None) if stream.sealed == 0 => return Ok(()),
            _ => {
                self.findings
                    .push("what was signed of the tree is missing".to_owned());
                return Ok(());
            }
        };
        let verifier = key.verifier().clone();
        let name = verifier.name().to_owned();
        match Checkpoint::open(note.as_bytes(), &name, &[verifier]) {
            Err(error) => self
                .findings
                .push(format!("what was signed of the tree is no good: {error}")),
            Ok(signed) if signed.size() != size(stream.sealed) => self.findings.push(format!(
                "{} events were signed, and the tree has {}",
                signed.size(),
                stream.sealed
            )),
            Ok(signed) => {
                let is_whole = self.edge.size() == signed.size();
                if is_whole && self.edge.root() != *signed.root() {
                    self.findings
                        .push("the tree is not the one that was signed".to_owned());
                }
            }
        }
        Ok(())
    }
}
