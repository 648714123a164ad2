//! Whether a database's migrations are the ones this program knows.

use std::fmt::Display;

use sqlx::migrate::{Migration, Migrator};

use super::OpenError;

/// The applied migrations, in sqlx's own table.
pub(super) const SQL: &str = "select version, checksum from _sqlx_migrations order by version";

/// One applied migration.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Applied {
    version: i64,
    checksum: Vec<u8>,
}

/// Whether none is missing. `upgrade`: missing ones are about to be run.
pub(super) fn check(
    migrations: &Migrator,
    database: &impl Display,
    applied: &[Applied],
    upgrade: bool,
) -> Result<bool, OpenError> {
    let known = || migrations.iter();
    for row in applied {
        match known().find(|migration| migration.version == row.version) {
            None => {
                return Err(OpenError::Newer {
                    database: database.to_string(),
                    version: row.version,
                    known: known()
                        .map(|migration| migration.version)
                        .max()
                        .unwrap_or(0),
                });
            }
            Some(migration) if *migration.checksum != *row.checksum => {
                return Err(OpenError::Diverged {
                    database: database.to_string(),
                    version: row.version,
                });
            }
            Some(_) => {}
        }
    }
    let missing = missing(migrations, applied).count();
    if missing > 0 && !applied.is_empty() && !upgrade {
        return Err(OpenError::Older {
            database: database.to_string(),
            missing,
        });
    }
    Ok(missing == 0)
}

/// The migrations that have not been run, in their order.
pub(super) fn missing<'a>(
    migrations: &'a Migrator,
    applied: &'a [Applied],
) -> impl Iterator<Item = &'a Migration> {
    migrations
        .iter()
        .filter(|migration| !applied.iter().any(|row| row.version == migration.version))
}
