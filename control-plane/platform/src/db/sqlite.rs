//! `SQLite`: one file, one writer, read-only readers.

use std::{
    fs::File,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool,
    migrate::MigrateError,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    OpenError,
    group::{GROUP_MAX, Writer},
    history, migrations,
};

/// `PLNT`: marks the file as ours. Source: sqlite.org/fileformat.html §1.3.17.
const APPLICATION_ID: i32 = 0x504c_4e54;
/// Where the mark stands in the file.
const APPLICATION_ID_AT: usize = 68;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// 4: readers beyond the cores only add memory.
const READERS: u32 = 4;
/// 2: readers for the documents that edges fetch.
const DOCUMENT_READERS: u32 = 2;

const HAS_HISTORY: &str =
    "select count(*) > 0 from sqlite_master where type = 'table' and name = '_sqlx_migrations'";

/// An open database file.
#[derive(Debug, Clone)]
pub(super) struct Sqlite {
    path: PathBuf,
    pub(super) writer: Writer,
    pub(super) readers: SqlitePool,
    pub(super) document_readers: SqlitePool,
}

/// What stands at the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    Ours,
}

impl Sqlite {
    /// Opens the file, or makes it. `upgrade`: bring an older file up to this version.
    pub(super) async fn open(path: &Path, upgrade: bool, group: bool) -> Result<Self, OpenError> {
        // Inspected without a write handle: a file that is not ours is left as it is.
        let is_current = match inspect(path)? {
            Found::Ours => check_history(path, upgrade).await?,
            Found::Nothing => {
                mark(path).await?;
                false
            }
        };
        let options = options(path);
        let mut connection = options
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            .optimize_on_close(true, None)
            .connect()
            .await
            .map_err(|error| OpenError::unreachable(&path.display(), &error))?;
        if !is_current {
            migrate(&mut connection)
                .await
                .map_err(|error| OpenError::migration(&path.display(), &error))?;
        }
        let options = options.read_only(true);
        let readers = |count| {
            SqlitePoolOptions::new()
                .max_connections(count)
                .acquire_timeout(Duration::from_secs(5))
                .connect_lazy_with(options.clone())
        };
        Ok(Self {
            path: path.to_owned(),
            writer: Writer::start(connection, if group { GROUP_MAX } else { 1 }),
            readers: readers(READERS),
            document_readers: readers(DOCUMENT_READERS),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) async fn close(&self) {
        self.document_readers.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Runs what is missing, all of it or nothing; of several processes one does it.
async fn migrate(connection: &mut SqliteConnection) -> Result<(), MigrateError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    migrations::SQLITE
        .run_direct(None, &mut *transaction, false)
        .await?;
    Ok(transaction.commit().await?)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        // FULL: what was answered 2xx survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("journal_size_limit", "67108864")
        .log_statements(tracing::log::LevelFilter::Off)
}

/// Makes a file that says whose it is. In the file itself, not yet in a write-ahead log: the mark
/// must be readable after a crash too.
async fn mark(path: &Path) -> Result<(), OpenError> {
    let unreachable = |error: std::io::Error| OpenError::unreachable(&path.display(), &error);
    let mut file = File::options();
    file.write(true).create(true).truncate(false);
    // Nobody else on the machine reads it; SQLite gives its side files the same mode.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    drop(file.open(path).map_err(unreachable)?);
    let connection = options(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Delete)
        .pragma("application_id", APPLICATION_ID.to_string())
        .connect()
        .await
        .map_err(|error| OpenError::unreachable(&path.display(), &error))?;
    connection
        .close()
        .await
        .map_err(|error| OpenError::unreachable(&path.display(), &error))
}

/// Whether the file is ours, by its first 100 bytes.
/// Errors: it is another program's, or cannot be read.
fn inspect(path: &Path) -> Result<Found, OpenError> {
    let mut header = Vec::with_capacity(100);
    match File::open(path) {
        Ok(file) => file
            .take(100)
            .read_to_end(&mut header)
            .map_err(|error| OpenError::unreachable(&path.display(), &error))?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(OpenError::unreachable(&path.display(), &error)),
    };
    if header.is_empty() {
        return Ok(Found::Nothing);
    }
    let mark = header.get(APPLICATION_ID_AT..APPLICATION_ID_AT.saturating_add(4));
    if header.starts_with(MAGIC) && mark == Some(APPLICATION_ID.to_be_bytes().as_slice()) {
        return Ok(Found::Ours);
    }
    Err(OpenError::Foreign {
        database: path.display().to_string(),
    })
}

/// Compares the file's migrations with ours over a connection that cannot write.
async fn check_history(path: &Path, upgrade: bool) -> Result<bool, OpenError> {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        // Without a write-ahead log nobody has the file open: no need to make side files.
        .immutable(!Path::new(&wal).exists());
    let mut connection: SqliteConnection = options
        .connect()
        .await
        .map_err(|error| OpenError::unreachable(&path.display(), &error))?;
    let applied = applied(&mut connection).await;
    let _ = connection.close().await;
    match applied {
        Ok(applied) => history::check(&migrations::SQLITE, &path.display(), &applied, upgrade),
        Err(error) => Err(OpenError::damaged(&path.display(), &error)),
    }
}

/// None for a file that is ours by its mark but was never finished being made.
async fn applied(connection: &mut SqliteConnection) -> sqlx::Result<Vec<history::Applied>> {
    let (begun,): (bool,) = sqlx::query_as(HAS_HISTORY)
        .fetch_one(&mut *connection)
        .await?;
    if !begun {
        return Ok(Vec::new());
    }
    sqlx::query_as(history::SQL).fetch_all(connection).await
}
