//! A word from one process to the others on the same database. Sent on its own, never in a transaction that
//! does something: its lock is held until the flush.

use sqlx::postgres::PgListener;

use super::Postgres;

const CHANNEL: &str = "plinto_events";

impl Postgres {
    /// Says it to all who listen. `text`: fewer than 8,000 bytes.
    pub(in crate::db) async fn notify(&self, text: &str) -> sqlx::Result<()> {
        sqlx::query("select pg_notify($1, $2)")
            .persistent(self.keeps_statements)
            .bind(CHANNEL)
            .bind(text)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Begins to listen; `None` where a pooler stands between, which would not pass it on.
    pub(in crate::db) async fn listen(&self) -> sqlx::Result<Option<PgListener>> {
        if !self.keeps_statements {
            return Ok(None);
        }
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(Some(listener))
    }
}
