//! The database: [`Db`], [`Tx`], four verbs. The only place that knows which engine it is.
//!
//! One SQL text serves both engines: `$n` placeholders; columns `text`, `bigint`, `boolean`; ids as
//! text, times as Unix milliseconds, JSON as text. Constraints, primary keys included, are named
//! `<table>_<columns>_key`, so that [`DbError::Conflict`] names the same one on both.
//! A transaction that is dropped, or in which a statement failed, leaves no trace.

mod args;
mod backup;
mod error;
mod group;
mod held;
mod history;
mod migrations;
mod open;
mod postgres;
mod sqlite;

use std::{
    fmt::Display,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use plinto_contract::{ids::TenantId, time::UnixMillis};
use sqlx::{
    FromRow, Transaction,
    postgres::{PgListener, PgRow},
    sqlite::SqliteRow,
};

pub use args::{Arg, Args};
pub use backup::{CopyError, put_back};
pub use error::{DbError, FOREIGN_KEY, Lost, readable};
pub use held::Held;
pub use open::OpenError;

use crate::{args, config::Config};

/// The rows that both engines can give: `#[derive(sqlx::FromRow)]` does it.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl<R> Row for R where R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{}

/// An open database.
#[derive(Debug, Clone)]
pub struct Db {
    engine: Arc<Engine>,
    begun: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Engine {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Pools),
}

/// One transaction. Dropped without [`Tx::commit`], it never happened.
#[derive(Debug)]
pub struct Tx {
    engine: TxEngine,
    /// `PostgreSQL` refuses everything after a failed statement; so do we on both.
    has_failed: bool,
}

#[derive(Debug)]
enum TxEngine {
    SqliteWrite(group::GroupedTransaction),
    SqliteRead(Transaction<'static, sqlx::Sqlite>),
    Postgres(postgres::Transaction),
}

/// What became of one tenant's events when they were taken from the outbox into the log.
#[derive(Debug, Clone, Copy)]
pub struct Sequenced {
    /// Whose.
    pub tenant: TenantId,
    /// How many.
    pub events: i64,
    /// When the oldest of them happened, in Unix milliseconds.
    pub oldest: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct SequencedRow {
    tenant_id: String,
    events: i64,
    oldest: i64,
}

const HOLD_ALONE: &str = "select pg_advisory_xact_lock($1)";

/// Runs `$body` on whichever connection the transaction has, and notes a failure.
macro_rules! on {
    ($tx:expr, $connection:ident, $args:ident => $build:ident, $sql:expr, $given:expr, $body:expr) => {{
        if $tx.has_failed {
            return Err(DbError::Aborted);
        }
        // Set first: a cancelled statement leaves it set.
        $tx.has_failed = true;
        let result = match &mut $tx.engine {
            TxEngine::SqliteWrite(transaction) => {
                let $build = args::sqlite($sql, $given);
                let $connection = transaction.connection()?;
                let result = $body;
                if let Err(error) = &result {
                    transaction.note(error);
                }
                result
            }
            TxEngine::SqliteRead(transaction) => {
                let $build = args::sqlite($sql, $given);
                let $connection = &mut **transaction;
                $body
            }
            TxEngine::Postgres(transaction) => {
                let $build = args::postgres($sql, $given).persistent(transaction.keeps_statements);
                let $connection = transaction.connection()?;
                $body
            }
        };
        $tx.has_failed = result.is_err();
        Ok(result?)
    }};
}

impl Db {
    /// Opens a database, making a new one or upgrading an empty one as needed.
    /// Errors: a database that is not ours, or of another version, is left untouched.
    pub async fn open(config: &Config) -> Result<Self, OpenError> {
        Self::connect(config, false).await
    }

    /// Opens a database and brings one of an older version up to this one.
    pub async fn migrate(config: &Config) -> Result<Self, OpenError> {
        Self::connect(config, true).await
    }

    async fn connect(config: &Config, upgrade: bool) -> Result<Self, OpenError> {
        let engine = if let Some(path) = config.database.sqlite_path() {
            let is_grouped = config.database.group_commits;
            Engine::Sqlite(sqlite::Sqlite::open(path, upgrade, is_grouped).await?)
        } else {
            Engine::Postgres(postgres::open(config, upgrade).await?)
        };
        Ok(Self {
            engine: Arc::new(engine),
            begun: Arc::default(),
        })
    }

    /// A transaction that may write.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        self.begin_holding(&Held::default()).await
    }

    /// The same, holding names from its beginning to its end. A `SQLite` file has one writer, who
    /// holds everything alone.
    pub async fn begin_holding(&self, held: &Held) -> Result<Tx, DbError> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let engine = match &*self.engine {
            Engine::Sqlite(sqlite) => TxEngine::SqliteWrite(sqlite.writer.begin().await?),
            Engine::Postgres(pools) => TxEngine::Postgres(pools.work.begin(held.names()).await?),
        };
        Ok(Tx::new(engine))
    }

    /// A transaction that reads one state of the database and cannot write.
    pub async fn read(&self) -> Result<Tx, DbError> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let engine = match &*self.engine {
            Engine::Sqlite(sqlite) => TxEngine::SqliteRead(sqlite.readers.begin().await?),
            Engine::Postgres(pools) => TxEngine::Postgres(pools.work.read().await?),
        };
        Ok(Tx::new(engine))
    }

    /// The same for the documents that edges fetch, on connections of their own: requests that hold
    /// all others, or wait for a lock, do not stand in their way.
    pub async fn read_document(&self) -> Result<Tx, DbError> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let engine = match &*self.engine {
            Engine::Sqlite(sqlite) => TxEngine::SqliteRead(sqlite.document_readers.begin().await?),
            Engine::Postgres(pools) => TxEngine::Postgres(pools.documents.read().await?),
        };
        Ok(Tx::new(engine))
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), DbError> {
        let mut tx = self.read().await?;
        tx.one::<(i64,)>("select cast(1 as bigint)", Args::default())
            .await?;
        Ok(())
    }

    /// Whether events wait in an outbox until they are numbered. Where one writer writes everything,
    /// it numbers them itself.
    pub fn has_outbox(&self) -> bool {
        matches!(&*self.engine, Engine::Postgres(_))
    }

    /// Takes up to `limit` events from the outbox into the log, in one transaction that nobody else
    /// has at the same time.
    pub async fn sequence(&self, limit: i64) -> Result<Vec<Sequenced>, DbError> {
        let rows = match &*self.engine {
            Engine::Sqlite(_) => Vec::new(),
            Engine::Postgres(pools) => pools.sequencer.sequence(limit).await?,
        };
        Ok(readable(rows.into_iter().map(|row| {
            Ok(Sequenced {
                tenant: row.tenant_id.parse().map_err(|_| DbError::Inconsistent {
                    table: "outbox",
                    column: "tenant_id",
                    id: row.tenant_id,
                })?,
                events: row.events,
                oldest: row.oldest,
            })
        })))
    }

    /// Makes room in the log for the months to come, where it lies in months.
    pub async fn make_event_months(&self, now: UnixMillis) -> Result<(), DbError> {
        match &*self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(pools) => Ok(pools.sequencer.make_event_months(now.0).await?),
        }
    }

    /// Says something to the other processes on the same database. `text`: fewer than 8,000 bytes.
    pub async fn notify(&self, text: &str) -> Result<(), DbError> {
        match &*self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(pools) => Ok(pools.sequencer.notify(text).await?),
        }
    }

    /// Begins to listen to what other processes say; `None` where nothing can be heard.
    pub async fn listen(&self) -> Result<Option<Listener>, DbError> {
        match &*self.engine {
            Engine::Sqlite(_) => Ok(None),
            Engine::Postgres(pools) => Ok(pools.sequencer.listen().await?.map(Listener)),
        }
    }

    /// Waits until a transaction that writes could begin. Where the server orders them, at once.
    pub async fn wait_to_write(&self) -> Result<(), DbError> {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.writer.begin().await.map(drop),
            Engine::Postgres(_) => Ok(()),
        }
    }

    /// Finishes what is under way and closes the files and connections.
    pub async fn close(&self) {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.close().await,
            Engine::Postgres(pools) => pools.close().await,
        }
    }

    /// `sqlite` or `postgres`, for logs and figures.
    pub fn engine(&self) -> &'static str {
        match &*self.engine {
            Engine::Sqlite(_) => "sqlite",
            Engine::Postgres(_) => "postgres",
        }
    }

    /// The database file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match &*self.engine {
            Engine::Sqlite(sqlite) => Some(sqlite.path()),
            Engine::Postgres(_) => None,
        }
    }

    /// How many writers wait for their turn; 0 where the server orders them.
    pub fn waiting_writers(&self) -> usize {
        match &*self.engine {
            Engine::Sqlite(sqlite) => sqlite.writer.waiting(),
            Engine::Postgres(_) => 0,
        }
    }

    /// How many transactions were begun, those that only read included.
    pub fn transactions(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// How often the writer flushed the disk; `None` where the server decides that.
    pub fn group_commits(&self) -> Option<u64> {
        match &*self.engine {
            Engine::Sqlite(sqlite) => Some(sqlite.writer.commits()),
            Engine::Postgres(_) => None,
        }
    }
}

/// Hears what other processes say; connects again when it has to.
#[derive(Debug)]
pub struct Listener(PgListener);

impl Listener {
    /// What is said next.
    pub async fn next(&mut self) -> Result<String, DbError> {
        Ok(self.0.recv().await?.payload().to_owned())
    }
}

impl Tx {
    fn new(engine: TxEngine) -> Self {
        Self {
            engine,
            has_failed: false,
        }
    }

    /// Waits until nobody else holds the id, and holds it to the end: for whoever ends something by
    /// which others act, before they say so.
    pub async fn hold_alone(&mut self, id: impl Display) -> Result<(), DbError> {
        if matches!(self.engine, TxEngine::Postgres(_)) {
            self.execute(HOLD_ALONE, args![held::number(&id)]).await?;
        }
        Ok(())
    }

    /// Runs a statement; answers how many rows it touched.
    pub async fn execute(&mut self, sql: &'static str, args: Args) -> Result<u64, DbError> {
        on!(self, connection, args => query, sql, args, {
            query.execute(connection).await.map(|done| done.rows_affected())
        })
    }

    /// The one row that must be there.
    pub async fn one<R: Row>(&mut self, sql: &'static str, args: Args) -> Result<R, DbError> {
        on!(self, connection, args => query, sql, args, {
            query.fetch_one(connection).await.and_then(|row| R::from_row(&row))
        })
    }

    /// The row, if there is one.
    pub async fn optional<R: Row>(
        &mut self,
        sql: &'static str,
        args: Args,
    ) -> Result<Option<R>, DbError> {
        on!(self, connection, args => query, sql, args, {
            match query.fetch_optional(connection).await {
                Ok(row) => row.map(|row| R::from_row(&row)).transpose(),
                Err(error) => Err(error),
            }
        })
    }

    /// All rows.
    pub async fn all<R: Row>(&mut self, sql: &'static str, args: Args) -> Result<Vec<R>, DbError> {
        on!(self, connection, args => query, sql, args, {
            match query.fetch_all(connection).await {
                Ok(rows) => rows.iter().map(R::from_row).collect(),
                Err(error) => Err(error),
            }
        })
    }

    /// The tenants whose ids a statement over all tenants gives, one a row. A row that names none is
    /// logged and left out.
    pub async fn tenants(
        &mut self,
        table: &'static str,
        sql: &'static str,
        args: Args,
    ) -> Result<Vec<TenantId>, DbError> {
        let rows = self.all::<(String,)>(sql, args).await?;
        Ok(readable(rows.into_iter().map(|(id,)| {
            id.parse().map_err(|_| DbError::Inconsistent {
                table,
                column: "tenant_id",
                id,
            })
        })))
    }

    /// Makes it so. Answers only when the disk has it.
    /// Errors: `Aborted` when a statement had failed; nothing was stored then.
    pub async fn commit(self) -> Result<(), DbError> {
        if self.has_failed {
            return Err(DbError::Aborted);
        }
        match self.engine {
            TxEngine::SqliteWrite(transaction) => transaction.commit().await,
            TxEngine::SqliteRead(transaction) => Ok(transaction.commit().await?),
            TxEngine::Postgres(transaction) => Ok(transaction.commit().await?),
        }
    }
}
