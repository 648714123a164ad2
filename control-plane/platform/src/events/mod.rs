//! What happened, recorded in the transaction that made it happen, and the log that it becomes. Knows no
//! feature.
//!
//! Tables: `outbox`, `event_log`, `event_streams`, `event_log_epochs`. [`Work::record`] is the only way
//! in: no state change without its event, and no event that outlives a rolled-back change. In the log a
//! tenant's events are numbered 1, 2, 3 … without a gap. On `SQLite` the one writer numbers an event as it
//! is written; on `PostgreSQL` it waits in the outbox for the [`sequencer`].

mod model;
mod notices;
pub mod sequencer;
mod store;

use std::fmt::Display;

use plinto_contract::{
    events::{Event, EventData, EventKind},
    ids::{EventId, OrganizationId, TenantId},
    time::UnixMillis,
};
use serde_json::json;

pub use self::model::{By, Logged};
use self::model::{NewEvent, Personal};
use crate::{
    Platform,
    actor::Principal,
    authority::{self, Work},
    db::{DbError, Tx},
    fault,
};

/// 128 bits: nobody finds the address behind a digest by trying all there are.
const SALT_BYTES: usize = 16;

impl Work<'_> {
    /// Says that something happened, by whom and to what. The type of `data` says what.
    /// `target`: the id of the thing it happened to.
    pub async fn record<D: EventData>(
        &mut self,
        target: impl Display,
        data: &D,
    ) -> Result<(), DbError> {
        self.append(None, target, data).await
    }

    /// The same for what concerns one organization alone.
    pub async fn record_in<D: EventData>(
        &mut self,
        organization: OrganizationId,
        target: impl Display,
        data: &D,
    ) -> Result<(), DbError> {
        self.append(Some(organization), target, data).await
    }

    async fn append<D: EventData>(
        &mut self,
        organization: Option<OrganizationId>,
        target: impl Display,
        data: &D,
    ) -> Result<(), DbError> {
        let now = self.platform.clock.now();
        let event = NewEvent {
            id: self.platform.random.id(now),
            kind: D::KIND,
            version: D::VERSION,
            tenant: self.actor.tenant,
            actor: self.actor.for_event(),
            target: target.to_string(),
            organization,
            created_at: now,
            request_id: self.actor.request_id,
            personal: self.personal(),
            data: json!(data).to_string(),
        };
        store::append(&mut self.tx, &event).await?;
        fault::reach("event_written");
        self.has_recorded = true;
        Ok(())
    }

    /// Where the actor asks from; nothing for work of our own.
    fn personal(&self) -> Option<Personal> {
        let ip = self.actor.ip?;
        if matches!(self.actor.principal, Principal::System) {
            return None;
        }
        let mut salt = [0; SALT_BYTES];
        self.platform.random.fill(&mut salt);
        Some(Personal::new(ip, &self.actor.user_agent, salt))
    }
}

/// The tenant's events in the order of the log, once all that is recorded is in it. For tests and
/// support.
pub async fn of_tenant(platform: &Platform, tenant: TenantId) -> Result<Vec<Event>, DbError> {
    sequencer::run_due_work(platform).await?;
    let mut tx = platform.db.read().await?;
    let mut events = Vec::new();
    loop {
        let seq = events.last().map_or(0, |event: &Event| event.seq);
        let more = store::after(&mut tx, tenant, seq, 1_000).await?;
        if more.is_empty() {
            return Ok(events);
        }
        events.extend(more);
    }
}

/// Begins another history: what readers knew of the one before is good no more. For a database that was
/// put back to an earlier state.
pub async fn begin_epoch(platform: &Platform) -> Result<(), DbError> {
    let mut bytes = [0; 8];
    platform.random.fill(&mut bytes);
    let mut tx = authority::begin_own(platform).await?;
    store::set_epoch(&mut tx, &hex::encode(bytes)).await?;
    tx.commit().await
}

/// Where a tenant's log stands: the epoch, and the number of its last event.
pub async fn head(tx: &mut Tx, tenant: TenantId) -> Result<(String, i64), DbError> {
    store::head(tx, tenant).await
}

/// Up to `limit` events of the tenant that follow a place in its log, in the order of the log.
pub async fn after(
    tx: &mut Tx,
    tenant: TenantId,
    seq: i64,
    limit: i64,
) -> Result<Vec<Event>, DbError> {
    store::after(tx, tenant, seq, limit).await
}

/// The same with what the log needs to prove them.
pub async fn logged_after(
    tx: &mut Tx,
    tenant: TenantId,
    seq: i64,
    limit: i64,
) -> Result<Vec<Logged>, DbError> {
    store::logged_after(tx, tenant, seq, limit).await
}

/// The same of one kind.
pub async fn of_kind(
    tx: &mut Tx,
    tenant: TenantId,
    kind: EventKind,
    seq: i64,
    limit: i64,
) -> Result<Vec<Event>, DbError> {
    store::of_kind(tx, tenant, kind, seq, limit).await
}

/// Up to `limit` events of the tenant before one of its log, the newest first.
pub async fn before(
    tx: &mut Tx,
    tenant: TenantId,
    by: By<'_>,
    seq: i64,
    limit: i64,
) -> Result<Vec<Event>, DbError> {
    store::before(tx, tenant, by, seq, limit).await
}

/// The number of the tenant's last event up to a moment; 0 if there is none.
pub async fn last_until(tx: &mut Tx, tenant: TenantId, moment: UnixMillis) -> Result<i64, DbError> {
    store::last_until(tx, tenant, moment).await
}

/// An event by its id, which says when it was made.
pub async fn find(tx: &mut Tx, tenant: TenantId, id: EventId) -> Result<Option<Event>, DbError> {
    store::find(tx, tenant, id).await
}
