//! From the outbox into the log: one statement, under a lock that one transaction at a time has.

use super::Postgres;
use crate::{
    db::{SequencedRow, held},
    fault,
};

/// The name that whoever takes from the outbox holds.
const NAME: &str = "the sequencer of events";

/// Takes the oldest events and numbers them, each tenant's by itself. A statement of its own behind the
/// lock, so that it sees what the one before it has committed.
const SEQUENCE: &str = "with batch as (
        delete from outbox where position in (select position from outbox order by position limit $1)
        returning *
    ), counted as (
        select tenant_id, count(*) as events, min(created_at) as oldest from batch group by tenant_id
    ), advanced as (
        update event_streams set head = head + counted.events from counted
        where event_streams.tenant_id = counted.tenant_id
        returning event_streams.number, event_streams.tenant_id, head - counted.events as before
    ), logged as (
        insert into event_log (stream, seq, id, type, version, created_at, result, actor_type, actor_id,
            session_id, target, organization_id, request_id, data, ip, user_agent, salt)
        select number, before + row_number() over (partition by batch.tenant_id order by position),
            id, type, version, created_at, result, actor_type, actor_id, session_id, target,
            organization_id, request_id, data, ip, user_agent, salt
        from batch left join advanced on advanced.tenant_id = batch.tenant_id
    )
    select tenant_id, events, oldest from counted";

/// The log lies in months, which are made ahead.
const MAKE_MONTHS: &str = "select make_event_months($1)";

impl Postgres {
    /// Makes what is missing of the month of this moment and the two after it.
    pub(in crate::db) async fn make_event_months(&self, now_millis: i64) -> sqlx::Result<()> {
        let mut transaction = self.begin(&[]).await?;
        sqlx::query(MAKE_MONTHS)
            .persistent(transaction.keeps_statements)
            .bind(now_millis)
            .execute(transaction.connection()?)
            .await?;
        transaction.commit().await
    }

    /// Moves up to `limit` events; answers whose they were.
    pub(in crate::db) async fn sequence(&self, limit: i64) -> sqlx::Result<Vec<SequencedRow>> {
        let name = held::Held::default().alone(NAME);
        let mut transaction = self.begin(name.names()).await?;
        let rows = sqlx::query_as(SEQUENCE)
            .persistent(transaction.keeps_statements)
            .bind(limit)
            .fetch_all(transaction.connection()?)
            .await?;
        if !rows.is_empty() {
            fault::reach("events_numbered");
        }
        transaction.commit().await?;
        if !rows.is_empty() {
            fault::reach("numbers_committed");
        }
        Ok(rows)
    }
}
