//! What happened, recorded in the transaction that made it happen. Knows no feature.
//!
//! Table: `outbox`, append only. [`Work::record`] is the only way in: no state change without its event,
//! and no event that outlives a rolled-back change.

mod store;

use std::fmt::Display;

use plinto_contract::events::{Event, EventData, EventKind};
use serde_json::{Value, json};

use crate::{
    authority::Work,
    db::{DbError, Tx},
};

impl Work<'_> {
    /// Says that something happened, by whom and to what. The type of `data` says what.
    /// `subject`: the id of the thing it happened to.
    pub async fn record<D: EventData>(
        &mut self,
        subject: impl Display,
        data: &D,
    ) -> Result<(), DbError> {
        self.record_json(D::KIND, subject, json!(data)).await
    }

    /// The same for kinds whose data has no type yet.
    /// `data`: an object; no personal data, no secrets.
    pub async fn record_json(
        &mut self,
        kind: EventKind,
        subject: impl Display,
        data: Value,
    ) -> Result<(), DbError> {
        let now = self.platform.clock.now();
        let event = Event {
            id: self.platform.random.id(now),
            kind,
            tenant: self.actor.tenant,
            actor: self.actor.for_event(),
            subject: subject.to_string(),
            created_at: now,
            request_id: self.actor.request_id,
            data: match data {
                Value::Object(members) => members,
                _ => serde_json::Map::new(),
            },
        };
        store::append(&mut self.tx, &event).await
    }
}

/// The tenant's events in the order of their making, newest last. For tests and support.
pub async fn of_tenant(
    tx: &mut Tx,
    tenant: plinto_contract::ids::TenantId,
) -> Result<Vec<Event>, DbError> {
    store::of_tenant(tx, tenant).await
}
