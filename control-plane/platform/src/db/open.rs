//! Why a database was not opened: each reason one line, with the way out.

use std::fmt::Display;

/// Why a database was not opened. It is left untouched, byte for byte.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not a database of ours at all.
    #[error("`{database}` is not a Plinto database; it was left untouched")]
    Foreign {
        /// File or server.
        database: String,
    },
    /// Made by a later version.
    #[error(
        "`{database}` was made by a newer Plinto (migration {version}; this one knows up to \
         {known}); it was left untouched"
    )]
    Newer {
        /// File or server.
        database: String,
        /// The migration this program does not know.
        version: i64,
        /// The last one it knows.
        known: i64,
    },
    /// Made by a version whose history differs.
    #[error(
        "`{database}` was made by a Plinto whose migration {version} differs from this one's; it \
         was left untouched"
    )]
    Diverged {
        /// File or server.
        database: String,
        /// The first differing migration.
        version: i64,
    },
    /// Made by an earlier version.
    #[error(
        "`{database}` is from an older Plinto ({missing} migrations behind); it was left \
         untouched: back it up, then run `plinto-control-plane migrate`"
    )]
    Older {
        /// File or server.
        database: String,
        /// How many migrations it lacks.
        missing: usize,
    },
    /// Ours, and its content cannot be read.
    #[error("`{database}` is damaged: {reason}; it was left untouched: restore it from a backup")]
    Damaged {
        /// File or server.
        database: String,
        /// What the database said.
        reason: String,
    },
    /// Cannot be opened or reached.
    #[error("`{database}` cannot be opened: {reason}")]
    Unreachable {
        /// File or server.
        database: String,
        /// What the system said.
        reason: String,
    },
    /// A migration failed.
    #[error("`{database}` could not be brought up to date: {reason}")]
    Migration {
        /// File or server.
        database: String,
        /// What the database said.
        reason: String,
    },
}

impl OpenError {
    pub(super) fn unreachable(database: &impl Display, error: &impl Display) -> Self {
        Self::Unreachable {
            database: database.to_string(),
            reason: error.to_string(),
        }
    }

    pub(super) fn damaged(database: &impl Display, error: &impl Display) -> Self {
        Self::Damaged {
            database: database.to_string(),
            reason: error.to_string(),
        }
    }

    pub(super) fn migration(database: &impl Display, error: &impl Display) -> Self {
        Self::Migration {
            database: database.to_string(),
            reason: error.to_string(),
        }
    }
}
