//! The migrations: one tree of portable SQL, and beside it what only one engine can say. A version is in
//! one of the three folders, or in those of both engines.

use std::sync::LazyLock;

use sqlx::migrate::Migrator;

static PORTABLE: Migrator = sqlx::migrate!("../migrations");

/// Those of `SQLite`, in their order.
pub(super) static SQLITE: LazyLock<Migrator> =
    LazyLock::new(|| with(&sqlx::migrate!("../migrations/sqlite")));

/// Those of `PostgreSQL`, in their order.
pub(super) static POSTGRES: LazyLock<Migrator> =
    LazyLock::new(|| with(&sqlx::migrate!("../migrations/postgres")));

fn with(own: &Migrator) -> Migrator {
    Migrator::with_migrations(PORTABLE.iter().chain(own.iter()).cloned().collect())
}
