//! `PostgreSQL`: a pool for work, a small one for the documents that edges fetch, and transactions
//! that need nothing of a session but itself.
//!
//! Everything that a transaction relies on is set by its own beginning: its isolation, and how long
//! a lock, a statement and its silence may last. So neither a server's defaults nor a pooler that
//! gives each transaction another session can take it away.

mod notify;
mod open;
mod sequence;

use std::{fmt::Write as _, time::Duration};

use sqlx::{
    AssertSqlSafe, Database, Executor, PgConnection, PgPool, Postgres as Engine, SqlSafeStr,
    pool::PoolConnection,
};
use sqlx_core::transaction::TransactionManager;

pub(super) use self::open::open;
use super::held::Name;

type Manager = <Engine as Database>::TransactionManager;

/// The open pools.
#[derive(Debug)]
pub(super) struct Pools {
    pub(super) work: Postgres,
    pub(super) documents: Postgres,
    pub(super) sequencer: Postgres,
}

impl Pools {
    pub(super) async fn close(&self) {
        self.documents.pool.close().await;
        self.sequencer.pool.close().await;
        self.work.pool.close().await;
    }
}

/// An open pool, and how its transactions begin.
#[derive(Debug, Clone)]
pub(super) struct Postgres {
    pub(super) pool: PgPool,
    /// Whether a session's prepared statements are still there in the next transaction.
    keeps_statements: bool,
    limits: String,
}

/// How long the parts of a request may take, so that the whole is answered within its time.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// A tenth: nothing of ours holds a lock for long, and whoever waits holds a connection.
    lock: Duration,
    /// A sixth: more are waiting for a connection than there is work for.
    connection: Duration,
    /// A third.
    statement: Duration,
    /// The whole: a process that has stopped in the middle holds locks no longer than this.
    silence: Duration,
}

impl Limits {
    /// `request`: how long one may take.
    fn within(request: Duration) -> Self {
        Self {
            lock: request / 10,
            connection: request / 6,
            statement: request / 3,
            silence: request,
        }
    }

    /// For documents that edges wait for: while a reading has to wait, what is known is served.
    const fn of_document() -> Self {
        Self {
            lock: Duration::from_secs(1),
            connection: Duration::from_secs(3),
            statement: Duration::from_secs(3),
            silence: Duration::from_secs(10),
        }
    }

    /// For whoever numbers events, while all that happens waits for it: one that has stopped in the
    /// middle of its turn loses it within two seconds.
    const fn of_sequencer() -> Self {
        Self {
            lock: Duration::from_secs(3),
            connection: Duration::from_secs(3),
            statement: Duration::from_secs(10),
            silence: Duration::from_secs(2),
        }
    }

    fn sql(self) -> String {
        format!(
            "; SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}; \
             SET LOCAL idle_in_transaction_session_timeout = {}",
            self.lock.as_millis(),
            self.statement.as_millis(),
            self.silence.as_millis(),
        )
    }
}

impl Postgres {
    /// A transaction that may write, in which each statement sees what was committed before it.
    pub(super) async fn begin(&self, held: &[Name]) -> sqlx::Result<Transaction> {
        let mut sql = format!("BEGIN ISOLATION LEVEL READ COMMITTED{}", self.limits);
        for name in held {
            let how = if name.is_alone { "" } else { "_shared" };
            // Writing to a string does not fail.
            let _ = write!(sql, "; SELECT pg_advisory_xact_lock{how}({})", name.number);
        }
        self.begin_with(sql).await
    }

    /// A transaction that sees one state and cannot write.
    pub(super) async fn read(&self) -> sqlx::Result<Transaction> {
        let sql = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY{}",
            self.limits
        );
        self.begin_with(sql).await
    }

    async fn begin_with(&self, sql: String) -> sqlx::Result<Transaction> {
        let mut transaction = Transaction {
            connection: Some(self.pool.acquire().await?),
            has_begun: false,
            keeps_statements: self.keeps_statements,
        };
        // One message: all of it, or an error after which there is nothing to keep.
        let sql = AssertSqlSafe(sql).into_sql_str();
        Manager::begin(transaction.connection()?, Some(sql)).await?;
        transaction.has_begun = true;
        Ok(transaction)
    }
}

/// One transaction on a connection of the pool.
///
/// sqlx's own gives a connection whose `BEGIN` failed halfway, or was cancelled, back to the pool
/// with that transaction still open; whoever came next would have worked inside it.
#[derive(Debug)]
pub(super) struct Transaction {
    /// `None` once it has ended.
    connection: Option<PoolConnection<Engine>>,
    /// `false` when nobody knows how far `BEGIN` came.
    has_begun: bool,
    pub(super) keeps_statements: bool,
}

impl Transaction {
    pub(super) fn connection(&mut self) -> sqlx::Result<&mut PgConnection> {
        self.connection
            .as_deref_mut()
            .ok_or(sqlx::Error::WorkerCrashed)
    }

    pub(super) async fn commit(mut self) -> sqlx::Result<()> {
        Manager::commit(self.connection()?).await?;
        self.connection = None;
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if self.has_begun {
            // Sent with the question that the pool asks of each connection that comes back.
            Manager::start_rollback(&mut connection);
            return;
        }
        // As long as one statement; the pool waits for its connections at the end.
        runtime.spawn(async move {
            if connection.execute("ROLLBACK").await.is_err() {
                connection.close_on_drop();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wait_is_shorter_than_the_request() {
        let request = Duration::from_secs(30);
        let limits = Limits::within(request);
        assert!(limits.lock + limits.connection + limits.statement < request);
        assert!(limits.lock < limits.connection && limits.connection < limits.statement);
    }
}
