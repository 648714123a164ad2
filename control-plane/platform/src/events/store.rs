//! SQL over `outbox`.

use plinto_contract::{
    events::{Event, EventActor},
    ids::TenantId,
    time::UnixMillis,
};
use serde_json::Value;

use crate::{
    args,
    db::{DbError, Tx},
};

const APPEND: &str = "insert into outbox
    (id, tenant_id, kind, actor_kind, actor_id, subject, request_id, created_at, data)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const OF_TENANT: &str =
    "select id, kind, actor_kind, actor_id, subject, request_id, created_at, data
    from outbox where tenant_id = $1 order by id";

#[derive(sqlx::FromRow)]
struct EventRow {
    id: String,
    kind: String,
    actor_kind: String,
    actor_id: String,
    subject: String,
    request_id: Option<String>,
    created_at: i64,
    data: String,
}

pub(super) async fn append(tx: &mut Tx, event: &Event) -> Result<(), DbError> {
    let args = args![
        event.id,
        event.tenant,
        event.kind.as_str(),
        &event.actor.kind,
        &event.actor.id,
        &event.subject,
        event.request_id,
        event.created_at,
        Value::Object(event.data.clone()).to_string(),
    ];
    tx.execute(APPEND, args).await?;
    Ok(())
}

pub(super) async fn of_tenant(tx: &mut Tx, tenant: TenantId) -> Result<Vec<Event>, DbError> {
    let rows: Vec<EventRow> = tx.all(OF_TENANT, args![tenant]).await?;
    rows.iter().map(|row| read(tenant, row)).collect()
}

fn read(tenant: TenantId, row: &EventRow) -> Result<Event, DbError> {
    let wrong = |column| DbError::Inconsistent {
        table: "outbox",
        column,
        id: row.id.clone(),
    };
    Ok(Event {
        id: row.id.parse().map_err(|_| wrong("id"))?,
        kind: serde_json::from_value(Value::String(row.kind.clone())).map_err(|_| wrong("kind"))?,
        tenant,
        actor: EventActor {
            kind: row.actor_kind.clone(),
            id: row.actor_id.clone(),
        },
        subject: row.subject.clone(),
        created_at: UnixMillis(row.created_at),
        request_id: row
            .request_id
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|_| wrong("request_id"))?,
        data: serde_json::from_str(&row.data).map_err(|_| wrong("data"))?,
    })
}
