//! What can go wrong with the database, told the same way for both engines.

use sqlx::error::{DatabaseError, ErrorKind};

/// [`DbError::Conflict`] with this name means: a referenced row is missing, or still referenced.
/// `SQLite` does not say which key it was, so neither engine does here.
pub const FOREIGN_KEY: &str = "foreign_key";

/// Why a statement or a transaction came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// A constraint refused the statement. Unique ones read `<table>_<columns>_key`.
    #[error("constraint `{constraint}` refused the statement")]
    Conflict {
        /// The constraint's name, the same on both engines.
        constraint: String,
    },
    /// A row that our own code could not have written.
    #[error("row `{id}` of `{table}` has an impossible `{column}`")]
    Inconsistent {
        /// Its name in the database.
        table: &'static str,
        /// The one whose value cannot be read.
        column: &'static str,
        /// The row's id.
        id: String,
    },
    /// The transaction had failed before; a failed transaction can only be dropped.
    #[error("the transaction has failed before")]
    Aborted,
    /// The commit that carried this transaction failed; nothing of it was stored.
    #[error("the commit failed: {0}")]
    CommitFailed(String),
    /// The database ended the transaction for another's sake; it may be run again.
    #[error("the transaction lost to another")]
    Lost(#[source] Lost),
    /// The database cannot be reached or is overloaded.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// Anything else; a mistake on our side.
    #[error("a database statement failed")]
    Internal(#[source] sqlx::Error),
}

/// What the database said when it ended a transaction that stood in another's way: a deadlock, or
/// one that can't be put in an order with the others.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Lost(sqlx::Error);

/// What of several tenants' rows can be read. A broken one is logged: it is no reason to leave the
/// others' work undone.
pub fn readable<T>(rows: impl IntoIterator<Item = Result<T, DbError>>) -> Vec<T> {
    let read = rows.into_iter().filter_map(|row| {
        row.inspect_err(|error| tracing::error!(%error, "a row is left out"))
            .ok()
    });
    read.collect()
}

impl DbError {
    /// The refusing constraint, if a constraint refused.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Conflict { constraint } => Some(constraint),
            _ => None,
        }
    }

    /// What a refusal by `constraint` means to a feature; any other fault stays what it is.
    pub fn on<E: From<Self>>(self, constraint: &str, meaning: impl FnOnce() -> E) -> E {
        if self.constraint() == Some(constraint) {
            meaning()
        } else {
            self.into()
        }
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => match constraint(database.as_ref()) {
                Some(constraint) => Self::Conflict { constraint },
                None if is_lost(&database.code().unwrap_or_default()) => Self::Lost(Lost(error)),
                None if is_passing(&database.code().unwrap_or_default()) => {
                    Self::Unavailable(error)
                }
                None => Self::Internal(error),
            },
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_) => Self::Unavailable(error),
            _ => Self::Internal(error),
        }
    }
}

/// Serialization failure and deadlock. Source: PostgreSQL manual, §13.5.
fn is_lost(code: &str) -> bool {
    matches!(code, "40001" | "40P01")
}

/// Faults of the machine or the server, which pass without a change of ours. For `PostgreSQL`:
/// connection (08), a server that only reads (25006), a transaction that was silent too long (25P03),
/// rollback by the server (40), resources (53), a lock that did not come in time (55P03) and
/// operator intervention, a statement's time included (57). For `SQLite`: busy (5), locked (6), out of memory (7),
/// read-only (8), I/O (10), full (13) and a file that does not open (14).
/// Source: PostgreSQL manual, appendix A; `sqlite.org/rescode.html`.
fn is_passing(code: &str) -> bool {
    if code.len() == 5 {
        return ["25006", "25P03", "55P03"].contains(&code)
            || ["08", "40", "53", "57"]
                .iter()
                .any(|class| code.starts_with(class));
    }
    code.parse::<u32>()
        .is_ok_and(|code| matches!(code & 0xff, 5..=8 | 10 | 13 | 14))
}

fn constraint(error: &dyn DatabaseError) -> Option<String> {
    match error.kind() {
        ErrorKind::ForeignKeyViolation => Some(FOREIGN_KEY.to_owned()),
        ErrorKind::UniqueViolation => Some(match error.constraint() {
            Some(name) => name.to_owned(),
            None => unique_name(error.message()),
        }),
        ErrorKind::CheckViolation => Some(match error.constraint() {
            Some(name) => name.to_owned(),
            None => after_colon(error.message()).to_owned(),
        }),
        _ => None,
    }
}

/// `SQLite` lists columns (`UNIQUE constraint failed: users.tenant_id, users.email`) or, for an
/// index over expressions, names it (`index 'users_email_key'`).
fn unique_name(message: &str) -> String {
    let subject = after_colon(message);
    if let Some(index) = subject.strip_prefix("index '") {
        return index.trim_end_matches('\'').to_owned();
    }
    let mut table = "";
    let mut name = String::new();
    for column in subject.split(", ") {
        if let Some((of, column)) = column.split_once('.') {
            table = of;
            name.push('_');
            name.push_str(column);
        }
    }
    format!("{table}{name}_key")
}

fn after_colon(message: &str) -> &str {
    message
        .rsplit_once(": ")
        .map_or(message, |(_, after)| after)
}

#[cfg(test)]
mod tests {
    use super::{is_passing, unique_name};

    #[test]
    fn faults_of_the_machine_pass_and_our_own_mistakes_do_not() {
        let of_sqlite = ["5", "517", "6", "7", "8", "264", "10", "778", "13", "14"];
        let of_postgres = [
            "08006", "25006", "25P03", "40001", "40P01", "53300", "55P03", "57014", "57P01",
        ];
        for code in of_sqlite.into_iter().chain(of_postgres) {
            assert!(is_passing(code), "{code}");
        }
        for code in ["", "1", "11", "1555", "25P02", "42601", "23505"] {
            assert!(!is_passing(code), "{code}");
        }
    }

    #[test]
    fn sqlite_messages_become_the_names_that_postgres_uses() {
        for (message, name) in [
            ("UNIQUE constraint failed: users.email", "users_email_key"),
            (
                "UNIQUE constraint failed: users.tenant_id, users.email",
                "users_tenant_id_email_key",
            ),
            (
                "UNIQUE constraint failed: index 'users_active_key'",
                "users_active_key",
            ),
        ] {
            assert_eq!(unique_name(message), name);
        }
    }
}
