//! Whether the database still has what was recorded: for whoever can open it. Looks at every event.

use std::fmt;

use plinto_contract::ids::TenantId;
use plinto_platform::{Platform, db::Tx, events as log};
use plinto_tlog::{Checkpoint, Frontier, Hash, TileId, Tiles, tree};

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

/// Everything that is wrong with the logs of all tenants. `told` is called for each.
pub async fn broken_invariants(
    platform: &Platform,
    mut told: impl FnMut(Broken),
) -> Result<(), AuditError> {
    let mut last = String::new();
    loop {
        let mut tx = platform.db.read().await?;
        let tenants = store::tenants(&mut tx, &last).await?;
        drop(tx);
        let Some(end) = tenants.last() else {
            return Ok(());
        };
        last = end.to_string();
        for tenant in tenants {
            for what in of_tenant(platform, tenant).await? {
                told(Broken { tenant, what });
            }
        }
    }
}

/// One state of the database, from the first event to the last.
async fn of_tenant(platform: &Platform, tenant: TenantId) -> Result<Vec<String>, AuditError> {
    let mut tx = platform.db.read().await?;
    let Some(stream) = store::stream(&mut tx, tenant).await? else {
        return Ok(Vec::new());
    };
    let mut look = Look {
        findings: Vec::new(),
        frontier: Frontier::new(),
        expected: 1,
        tiles: Tiles::new(),
    };
    look.events(&mut tx, tenant, &stream).await?;
    if look.expected <= stream.head {
        look.missing(look.expected, stream.head);
    }
    drop(tx);
    look.signature(platform, tenant, &stream).await?;
    look.findings.truncate(FINDINGS_MAX);
    Ok(look.findings)
}

struct Look {
    findings: Vec<String>,
    frontier: Frontier,
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
        let mut after = 0;
        loop {
            let events = log::logged_after(tx, tenant, after, BATCH).await?;
            let Some(last) = events.last() else {
                return Ok(());
            };
            after = last.event.seq;
            for event in events {
                self.event(tx, tenant, stream, Record::of(event)?).await?;
            }
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
        let hash = kept.unwrap_or(record.hash);
        if self.frontier.size() == index {
            self.frontier.push(hash).map_err(damaged(tenant))?;
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
        tenant: TenantId,
        stream: &Stream,
    ) -> Result<(), AuditError> {
        if stream.sealed == 0 {
            return Ok(());
        }
        let key = keys::existing_key(platform, tenant).await?;
        let (Some(key), Some(note)) = (key, &stream.checkpoint) else {
            self.findings
                .push("what was signed of the tree is missing".to_owned());
            return Ok(());
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
                let is_whole = self.frontier.size() == signed.size();
                if is_whole && self.frontier.root() != *signed.root() {
                    self.findings
                        .push("the tree is not the one that was signed".to_owned());
                }
            }
        }
        let needs = tree::root_needs(size(stream.sealed)).map_err(damaged(tenant))?;
        let mut tx = platform.db.read().await?;
        let tiles = store::tiles(&mut tx, tenant, &needs).await?;
        if let Err(error) = tree::root(size(stream.sealed), &tiles) {
            self.findings.push(format!("the tree is damaged: {error}"));
        }
        Ok(())
    }
}
