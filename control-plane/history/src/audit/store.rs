//! SQL over `event_tiles` and `event_log_keys`, and over how far a tenant's tree has come.

use base64ct::{Base64, Encoding};
use plinto_contract::{ids::TenantId, time::UnixMillis};
use plinto_platform::{
    args,
    db::{DbError, Tx},
};
use plinto_tlog::{Tile, TileId, TileNeed, Tiles};

use super::model::Stream;

const DUE: &str =
    "select tenant_id from event_streams where head > sealed order by number limit 1000";
const COUNT: &str = "select count(*) from event_streams";
const STREAM: &str = "select head, sealed, checkpoint from event_streams where tenant_id = $1";
const SEAL: &str = "update event_streams set sealed = $3, checkpoint = $4
    where tenant_id = $1 and sealed = $2";
const TILE: &str = "select hashes from event_tiles
    where stream = (select number from event_streams where tenant_id = $1) and level = $2
        and number = $3";
const PUT_TILE: &str = "insert into event_tiles (stream, level, number, hashes)
    select number, $2, $3, $4 from event_streams where tenant_id = $1
    on conflict (stream, level, number) do update set hashes = excluded.hashes";
const KEY: &str = "select name, sealed_seed from event_log_keys where tenant_id = $1";
const INSERT_KEY: &str = "insert into event_log_keys (tenant_id, name, sealed_seed, created_at)
    values ($1, $2, $3, $4) on conflict (tenant_id) do nothing";

#[derive(sqlx::FromRow)]
struct StreamRow {
    head: i64,
    sealed: i64,
    checkpoint: Option<String>,
}

/// The first tenants whose trees lack events.
pub(super) async fn due(tx: &mut Tx) -> Result<Vec<TenantId>, DbError> {
    tx.tenants("event_streams", DUE, args![]).await
}

/// How many logs there are.
pub(super) async fn count(tx: &mut Tx) -> Result<i64, DbError> {
    Ok(tx.one::<(i64,)>(COUNT, args![]).await?.0)
}

pub(super) async fn stream(tx: &mut Tx, tenant: TenantId) -> Result<Option<Stream>, DbError> {
    let row: Option<StreamRow> = tx.optional(STREAM, args![tenant]).await?;
    Ok(row.map(|row| Stream {
        head: row.head,
        sealed: row.sealed,
        checkpoint: row.checkpoint,
    }))
}

/// Notes that the tree has grown from `before` to `sealed` events. `false`: another process was quicker.
pub(super) async fn seal(
    tx: &mut Tx,
    tenant: TenantId,
    before: i64,
    sealed: i64,
    checkpoint: &str,
) -> Result<bool, DbError> {
    let args = args![tenant, before, sealed, checkpoint];
    Ok(tx.execute(SEAL, args).await? > 0)
}

/// Tiles that are there of those that are needed.
/// Errors: `Inconsistent`: one is no tile.
pub(super) async fn tiles(
    tx: &mut Tx,
    tenant: TenantId,
    needs: &[TileNeed],
) -> Result<Tiles, DbError> {
    let mut tiles = Tiles::new();
    for need in needs {
        tiles.extend(tile(tx, tenant, need.id()).await?);
    }
    Ok(tiles)
}

/// One tile, if it is there.
/// Errors: `Inconsistent`: it is none.
pub(super) async fn tile(
    tx: &mut Tx,
    tenant: TenantId,
    id: TileId,
) -> Result<Option<Tile>, DbError> {
    let (level, number) = place(id);
    let row: Option<(String,)> = tx.optional(TILE, args![tenant, level, number]).await?;
    let Some((hashes,)) = row else {
        return Ok(None);
    };
    let tile = Base64::decode_vec(&hashes)
        .ok()
        .and_then(|bytes| Tile::from_bytes(id, &bytes).ok());
    tile.map(Some).ok_or_else(|| DbError::Inconsistent {
        table: "event_tiles",
        column: "hashes",
        id: format!("{tenant}/{level}/{number}"),
    })
}

pub(super) async fn put_tile(tx: &mut Tx, tenant: TenantId, tile: &Tile) -> Result<(), DbError> {
    let (level, number) = place(tile.id());
    let hashes = Base64::encode_string(&tile.to_bytes());
    tx.execute(PUT_TILE, args![tenant, level, number, hashes])
        .await?;
    Ok(())
}

fn place(id: TileId) -> (i64, i64) {
    let number = i64::try_from(id.index()).unwrap_or(i64::MAX);
    (i64::from(id.level()), number)
}

/// The name of what signs, and its sealed seed.
pub(super) async fn key(
    tx: &mut Tx,
    tenant: TenantId,
) -> Result<Option<(String, String)>, DbError> {
    tx.optional(KEY, args![tenant]).await
}

/// Keeps a key. `false`: there is one already.
pub(super) async fn insert_key(
    tx: &mut Tx,
    tenant: TenantId,
    name: &str,
    sealed_seed: &str,
    now: UnixMillis,
) -> Result<bool, DbError> {
    let args = args![tenant, name, sealed_seed, now];
    Ok(tx.execute(INSERT_KEY, args).await? > 0)
}
