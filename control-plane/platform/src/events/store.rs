//! SQL over `outbox`, `event_log`, `event_streams` and `event_log_epochs`.

use plinto_contract::{
    events::{Event, EventActor, EventContext, EventKind},
    ids::{EventId, TenantId},
    time::UnixMillis,
};
use serde_json::Value;

use super::model::{By, Logged, NewEvent};
use crate::{
    args,
    db::{DbError, Tx},
};

const APPEND: &str = "insert into outbox
    (tenant_id, id, type, version, created_at, result, actor_type, actor_id, session_id, target,
    organization_id, request_id, data, ip, user_agent, salt)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

const AFTER: &str =
    "select seq, id, type, version, created_at, result, actor_type, actor_id, session_id, target,
    organization_id, request_id, data, ip, user_agent
    from event_log
    where stream = (select number from event_streams where tenant_id = $1) and seq > $2
    order by seq limit $3";

const LOGGED_AFTER: &str =
    "select seq, id, type, version, created_at, result, actor_type, actor_id, session_id, target,
    organization_id, request_id, data, ip, user_agent, salt, context_digest
    from event_log
    where stream = (select number from event_streams where tenant_id = $1) and seq > $2
    order by seq limit $3";

const OF_KIND: &str =
    "select seq, id, type, version, created_at, result, actor_type, actor_id, session_id, target,
    organization_id, request_id, data, ip, user_agent
    from event_log
    where stream = (select number from event_streams where tenant_id = $1) and type = $2
        and seq > $3
    order by seq limit $4";

const BEFORE: &str =
    "select seq, id, type, version, created_at, result, actor_type, actor_id, session_id, target,
    organization_id, request_id, data, ip, user_agent
    from event_log
    where stream = (select number from event_streams where tenant_id = $1) and seq < $2
    order by seq desc limit $3";

const BEFORE_BY_ACTOR: &str =
    "select seq, id, type, version, created_at, result, actor_type, actor_id, session_id, target,
    organization_id, request_id, data, ip, user_agent
    from event_log
    where stream = (select number from event_streams where tenant_id = $1) and actor_id = $4
        and seq < $2
    order by seq desc limit $3";

const BEFORE_BY_TARGET: &str =
    "select seq, id, type, version, created_at, result, actor_type, actor_id, session_id, target,
    organization_id, request_id, data, ip, user_agent
    from event_log
    where stream = (select number from event_streams where tenant_id = $1) and target = $4
        and seq < $2
    order by seq desc limit $3";

const BEFORE_BY_KIND: &str =
    "select seq, id, type, version, created_at, result, actor_type, actor_id, session_id, target,
    organization_id, request_id, data, ip, user_agent
    from event_log
    where stream = (select number from event_streams where tenant_id = $1) and type = $4
        and seq < $2
    order by seq desc limit $3";

const LAST_UNTIL: &str = "select seq from event_log
    where stream = (select number from event_streams where tenant_id = $1) and created_at <= $2
    order by created_at desc, seq desc limit 1";

const FIND: &str =
    "select seq, id, type, version, created_at, result, actor_type, actor_id, session_id, target,
    organization_id, request_id, data, ip, user_agent
    from event_log
    where stream = (select number from event_streams where tenant_id = $1) and created_at = $2
        and id = $3";

const SET_EPOCH: &str = "update event_log_epochs set epoch = $1";

const HEAD: &str =
    "select epoch, coalesce((select head from event_streams where tenant_id = $1), 0)
    from event_log_epochs";

/// A row of the log with what proves it.
#[derive(sqlx::FromRow)]
struct LoggedRow {
    #[sqlx(flatten)]
    event: EventRow,
    salt: Option<String>,
    context_digest: Option<String>,
}

#[derive(sqlx::FromRow)]
struct EventRow {
    seq: i64,
    id: String,
    r#type: String,
    version: i64,
    created_at: i64,
    result: String,
    actor_type: String,
    actor_id: String,
    session_id: Option<String>,
    target: String,
    organization_id: Option<String>,
    request_id: Option<String>,
    data: String,
    ip: Option<String>,
    user_agent: Option<String>,
}

pub(super) async fn append(tx: &mut Tx, event: &NewEvent) -> Result<(), DbError> {
    let personal = event.personal.as_ref();
    let args = args![
        event.tenant,
        event.id,
        event.kind.as_str(),
        event.version,
        event.created_at,
        event.kind.result().as_str(),
        &event.actor.kind,
        &event.actor.id,
        event.actor.session_id,
        &event.target,
        event.organization,
        event.request_id,
        &event.data,
        personal.map(|personal| personal.ip.as_str()),
        personal.and_then(|personal| personal.user_agent.as_deref()),
        personal.map(|personal| personal.salt.as_str()),
    ];
    tx.execute(APPEND, args).await?;
    Ok(())
}

/// Up to `limit` events of the tenant that follow a place in its log, in the order of the log.
pub(super) async fn after(
    tx: &mut Tx,
    tenant: TenantId,
    seq: i64,
    limit: i64,
) -> Result<Vec<Event>, DbError> {
    let rows: Vec<EventRow> = tx.all(AFTER, args![tenant, seq, limit]).await?;
    rows.into_iter().map(|row| row.read(tenant)).collect()
}

/// The same with what the log needs to prove them.
pub(super) async fn logged_after(
    tx: &mut Tx,
    tenant: TenantId,
    seq: i64,
    limit: i64,
) -> Result<Vec<Logged>, DbError> {
    let rows: Vec<LoggedRow> = tx.all(LOGGED_AFTER, args![tenant, seq, limit]).await?;
    let logged = rows.into_iter().map(|row| {
        Ok(Logged {
            event: row.event.read(tenant)?,
            salt: row.salt,
            context_digest: row.context_digest,
        })
    });
    logged.collect()
}

/// The same of one kind.
pub(super) async fn of_kind(
    tx: &mut Tx,
    tenant: TenantId,
    kind: EventKind,
    seq: i64,
    limit: i64,
) -> Result<Vec<Event>, DbError> {
    let args = args![tenant, kind.as_str(), seq, limit];
    let rows: Vec<EventRow> = tx.all(OF_KIND, args).await?;
    rows.into_iter().map(|row| row.read(tenant)).collect()
}

/// Up to `limit` events before one of the log, the newest first.
pub(super) async fn before(
    tx: &mut Tx,
    tenant: TenantId,
    by: By<'_>,
    seq: i64,
    limit: i64,
) -> Result<Vec<Event>, DbError> {
    let all = args![tenant, seq, limit];
    let of = |value: &str| args![tenant, seq, limit, value];
    let (sql, args) = match by {
        By::Number => (BEFORE, all),
        By::Actor(id) => (BEFORE_BY_ACTOR, of(id)),
        By::Target(id) => (BEFORE_BY_TARGET, of(id)),
        By::Kind(kind) => (BEFORE_BY_KIND, of(kind.as_str())),
    };
    let rows: Vec<EventRow> = tx.all(sql, args).await?;
    rows.into_iter().map(|row| row.read(tenant)).collect()
}

/// The number of the last event up to a moment; 0 if there is none.
pub(super) async fn last_until(
    tx: &mut Tx,
    tenant: TenantId,
    moment: UnixMillis,
) -> Result<i64, DbError> {
    let row: Option<(i64,)> = tx.optional(LAST_UNTIL, args![tenant, moment]).await?;
    Ok(row.map_or(0, |(seq,)| seq))
}

/// An event by its id.
pub(super) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    id: EventId,
) -> Result<Option<Event>, DbError> {
    let args = args![tenant, id.made_at(), id];
    let row: Option<EventRow> = tx.optional(FIND, args).await?;
    row.map(|row| row.read(tenant)).transpose()
}

/// Makes the log one of another epoch.
pub(super) async fn set_epoch(tx: &mut Tx, epoch: &str) -> Result<(), DbError> {
    tx.execute(SET_EPOCH, args![epoch]).await?;
    Ok(())
}

/// The epoch of the log, and the number of the tenant's last event.
pub(super) async fn head(tx: &mut Tx, tenant: TenantId) -> Result<(String, i64), DbError> {
    tx.one(HEAD, args![tenant]).await
}

impl EventRow {
    /// Errors: `Inconsistent`, when a column holds what was never written there.
    fn read(self, tenant: TenantId) -> Result<Event, DbError> {
        let wrong = |column| DbError::Inconsistent {
            table: "event_log",
            column,
            id: self.id.clone(),
        };
        let named = |text: &str| Value::String(text.to_owned());
        Ok(Event {
            id: self.id.parse().map_err(|_| wrong("id"))?,
            seq: self.seq,
            kind: serde_json::from_value(named(&self.r#type)).map_err(|_| wrong("type"))?,
            version: self.version,
            tenant_id: tenant,
            created_at: UnixMillis(self.created_at),
            result: serde_json::from_value(named(&self.result)).map_err(|_| wrong("result"))?,
            actor: EventActor {
                kind: self.actor_type.clone(),
                id: self.actor_id.clone(),
                session_id: parsed(self.session_id.as_deref()).map_err(|()| wrong("session_id"))?,
            },
            target: self.target.clone(),
            organization_id: parsed(self.organization_id.as_deref())
                .map_err(|()| wrong("organization_id"))?,
            request_id: parsed(self.request_id.as_deref()).map_err(|()| wrong("request_id"))?,
            context: EventContext {
                ip: self.ip.clone(),
                user_agent: self.user_agent.clone(),
            },
            data: serde_json::from_str(&self.data).map_err(|_| wrong("data"))?,
        })
    }
}

fn parsed<T: std::str::FromStr>(text: Option<&str>) -> Result<Option<T>, ()> {
    text.map(str::parse).transpose().map_err(|_| ())
}
