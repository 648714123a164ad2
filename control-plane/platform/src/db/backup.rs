//! A copy of a database file, taken while others work with it, and a copy put in the place of one.

use std::{
    fs::{self, File},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, sqlite::SqliteConnectOptions};

use super::Db;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A server makes its own.
    #[error(
        "this is for SQLite files; back a PostgreSQL server up with `pg_dump` or its archive of changes"
    )]
    NoFile,
    /// Something is there that would be lost.
    #[error("`{0}` exists and is left as it is; move it away or name another place")]
    Exists(PathBuf),
    /// One that was broken off left it behind.
    #[error("`{0}` was left behind by one that was broken off; remove it")]
    LeftOver(PathBuf),
    /// It was copied while a server worked with it, or a server still does.
    #[error(
        "`{0}` has changes that are not in the database file beside it: take a backup with `plinto-control-plane backup`"
    )]
    Running(PathBuf),
    /// A file could not be read or written.
    #[error("`{path}`: {reason}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system or the database said.
        reason: String,
    },
    /// The copy does not hold together.
    #[error("`{path}` is damaged: {reason}")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What the database said.
        reason: String,
    },
}

impl CopyError {
    /// The same of the file that was named, where it was found in a copy of it.
    fn named(self, path: &Path) -> Self {
        match self {
            Self::Damaged { reason, .. } => Self::Damaged {
                path: path.to_owned(),
                reason,
            },
            other => other,
        }
    }

    fn file(path: &Path, error: &impl ToString) -> Self {
        Self::File {
            path: path.to_owned(),
            reason: error.to_string(),
        }
    }
}

impl Db {
    /// Writes one state of the database into a new file, while others read and write it. The file is there
    /// whole, or not at all.
    /// Errors: `NoFile`; `Exists`; `File`.
    pub async fn back_up(&self, to: &Path) -> Result<(), CopyError> {
        let from = self.path().ok_or(CopyError::NoFile)?;
        refuse_existing(to)?;
        let part = Part::beside(to)?;
        let failed = |error: sqlx::Error| CopyError::file(&part.0, &error);
        let mut connection = SqliteConnectOptions::new()
            .filename(from)
            .log_statements(tracing::log::LevelFilter::Off)
            .connect()
            .await
            .map_err(failed)?;
        // An empty file is taken, and keeps its mode.
        let name = part.0.display().to_string().replace('\'', "''");
        let copied = connection
            .execute(AssertSqlSafe(format!("vacuum into '{name}'")))
            .await;
        let _ = connection.close().await;
        copied.map_err(failed)?;
        part.take_place_of(to)
    }
}

/// Puts a copy where a database is to be, for `finish` to see to before it is there.
/// Errors: `Exists`: there is a database already; `Damaged`: the copy is none. Nothing is left behind then.
pub async fn put_back<E: From<CopyError>>(
    copy: &Path,
    to: &Path,
    finish: impl AsyncFnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        refuse_existing(&beside(to, suffix))?;
    }
    let log = beside(copy, "-wal");
    if log.metadata().is_ok_and(|found| found.len() > 0) {
        return Err(CopyError::Running(log).into());
    }
    let part = Part::beside(to)?;
    fs::copy(copy, &part.0).map_err(|error| CopyError::file(copy, &error))?;
    check_whole(&part.0)
        .await
        .map_err(|error| error.named(copy))?;
    finish(&part.0).await?;
    Ok(part.take_place_of(to)?)
}

/// Errors: `Damaged`.
async fn check_whole(path: &Path) -> Result<(), CopyError> {
    let damaged = |reason: String| CopyError::Damaged {
        path: path.to_owned(),
        reason,
    };
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .immutable(true)
        .log_statements(tracing::log::LevelFilter::Off)
        .connect()
        .await
        .map_err(|error| damaged(error.to_string()))?;
    let found: Result<(String,), _> = sqlx::query_as("pragma integrity_check(1)")
        .fetch_one(&mut connection)
        .await;
    let _ = connection.close().await;
    match found {
        Ok((said,)) if said == "ok" => Ok(()),
        Ok((said,)) => Err(damaged(said)),
        Err(error) => Err(damaged(error.to_string())),
    }
}

fn refuse_existing(path: &Path) -> Result<(), CopyError> {
    match path.symlink_metadata() {
        Ok(_) => Err(CopyError::Exists(path.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(CopyError::file(path, &error)),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A file that is not whole yet, gone with whoever gives up.
#[derive(Debug)]
struct Part(PathBuf);

impl Part {
    fn beside(path: &Path) -> Result<Self, CopyError> {
        let part = beside(path, ".part");
        let mut options = File::options();
        options.write(true).create_new(true);
        // Nobody else on the machine reads it.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&part) {
            Ok(_) => Ok(Self(part)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(CopyError::LeftOver(part))
            }
            Err(error) => Err(CopyError::file(&part, &error)),
        }
    }

    fn take_place_of(self, path: &Path) -> Result<(), CopyError> {
        let failed = |error: std::io::Error| CopyError::file(path, &error);
        let file = File::open(&self.0).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        fs::rename(&self.0, path).map_err(failed)?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = File::open(folder.unwrap_or(Path::new("."))).map_err(failed)?;
        folder.sync_all().map_err(failed)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let _gone = fs::remove_file(beside(&self.0, suffix));
        }
    }
}
