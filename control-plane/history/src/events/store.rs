//! SQL over `event_cursors`.

use plinto_contract::{ids::TenantId, time::UnixMillis};
use plinto_platform::{
    args,
    db::{DbError, Tx},
};

use super::model::{Cursor, Position};

const PUT_CURSOR: &str = "insert into event_cursors (tenant_id, name, epoch, seq, updated_at)
    values ($1, $2, $3, $4, $5)
    on conflict (tenant_id, name)
    do update set epoch = excluded.epoch, seq = excluded.seq, updated_at = excluded.updated_at";
const FIND_CURSOR: &str = "select name, epoch, seq, updated_at from event_cursors
    where tenant_id = $1 and name = $2";
const LIST_CURSORS: &str = "select name, epoch, seq, updated_at from event_cursors
    where tenant_id = $1 and name > $2 order by name limit $3";
const COUNT_CURSORS: &str = "select count(*) from event_cursors where tenant_id = $1";
const DELETE_CURSOR: &str = "delete from event_cursors where tenant_id = $1 and name = $2";

#[derive(sqlx::FromRow)]
struct CursorRow {
    name: String,
    epoch: String,
    seq: i64,
    updated_at: i64,
}

impl CursorRow {
    fn read(self, tenant: TenantId) -> Cursor {
        Cursor {
            name: self.name,
            position: Position {
                tenant,
                epoch: self.epoch,
                seq: self.seq,
            },
            updated_at: UnixMillis(self.updated_at),
        }
    }
}

pub(super) async fn put(tx: &mut Tx, tenant: TenantId, cursor: &Cursor) -> Result<(), DbError> {
    let args = args![
        tenant,
        &cursor.name,
        &cursor.position.epoch,
        cursor.position.seq,
        cursor.updated_at,
    ];
    tx.execute(PUT_CURSOR, args).await?;
    Ok(())
}

pub(super) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    name: &str,
) -> Result<Option<Cursor>, DbError> {
    let row: Option<CursorRow> = tx.optional(FIND_CURSOR, args![tenant, name]).await?;
    Ok(row.map(|row| row.read(tenant)))
}

/// Those whose names follow `after`, in the order of their names.
pub(super) async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    after: &str,
    limit: i64,
) -> Result<Vec<Cursor>, DbError> {
    let rows: Vec<CursorRow> = tx.all(LIST_CURSORS, args![tenant, after, limit]).await?;
    Ok(rows.into_iter().map(|row| row.read(tenant)).collect())
}

pub(super) async fn count(tx: &mut Tx, tenant: TenantId) -> Result<i64, DbError> {
    Ok(tx.one::<(i64,)>(COUNT_CURSORS, args![tenant]).await?.0)
}

/// `false`: there was none of this name.
pub(super) async fn delete(tx: &mut Tx, tenant: TenantId, name: &str) -> Result<bool, DbError> {
    Ok(tx.execute(DELETE_CURSOR, args![tenant, name]).await? > 0)
}
