//! Backing a database up, and going on from a backup.

use std::path::{Path, PathBuf};

use plinto_history::audit;
use plinto_platform::{
    Platform,
    actor::Actor,
    config::Config,
    db::{CopyError, Db, DbError, OpenError, put_back},
    events,
};
use plinto_tenancy::tenants::{self, TenantsError};

use crate::start::{self, StartError};

/// Why there is no backup, or why it was not taken up.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The database is not one of this version.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It does not open with this master key, for one.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A statement failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Sessions could not be ended.
    #[error(transparent)]
    Tenants(#[from] TenantsError),
    /// What it has cannot be compared with what was recorded.
    #[error(transparent)]
    Audit(#[from] audit::AuditError),
    /// It does not have what was recorded.
    #[error("the backup does not have everything as it was recorded:\n{0}")]
    Broken(String),
    /// There is no database where the settings say.
    #[error("there is no database at `{}`; `database.url` or `PLINTO_DATABASE_URL` says where it is", .0.display())]
    NoDatabase(PathBuf),
    /// Nothing is in it.
    #[error("there is no tenant in it: it is not the backup of a server that worked")]
    Empty,
    /// It is not said which file.
    #[error("name the backup: `plinto-control-plane restore FILE`")]
    NoCopy,
    /// A server has no file.
    #[error(
        "a PostgreSQL server is restored with its own tools; then run `plinto-control-plane restore` without a file"
    )]
    NotIntoServer,
}

/// Writes one state of the database into a new file.
pub async fn back_up(config: &Config, to: &Path) -> Result<(), BackupError> {
    require_database(config)?;
    let db = Db::open(config).await?;
    let written = db.back_up(to).await;
    db.close().await;
    Ok(written?)
}

/// Puts a backup where the settings say that the database is, and readies it; a server was restored by its
/// own tools and is only readied.
/// `ends_sessions`: whether everybody has to sign in again, because what was revoked since is not known.
pub async fn restore(
    config: Config,
    copy: Option<&Path>,
    ends_sessions: bool,
) -> Result<(), BackupError> {
    match (config.database.sqlite_path().map(Path::to_owned), copy) {
        (None, None) => ready(config, ends_sessions).await,
        (None, Some(_)) => Err(BackupError::NotIntoServer),
        (Some(_), None) => Err(BackupError::NoCopy),
        (Some(to), Some(copy)) => {
            put_back(copy, &to, async |part| {
                let mut config = config;
                // The key stands beside the place where the database is to be.
                config.master_key = Some(start::existing_master_key(&config)?);
                config.database.url = format!("sqlite://{}", part.display()).into();
                Db::migrate(&config).await?.close().await;
                ready(config, ends_sessions).await
            })
            .await
        }
    }
}

/// What follows is another history than the one of before.
async fn ready(config: Config, ends_sessions: bool) -> Result<(), BackupError> {
    let platform = start::open(config).await?;
    let done = begin_anew(&platform, ends_sessions).await;
    platform.db.close().await;
    done
}

async fn begin_anew(platform: &Platform, ends_sessions: bool) -> Result<(), BackupError> {
    let tenants = tenants::all(platform).await?;
    if tenants.is_empty() {
        return Err(BackupError::Empty);
    }
    let mut broken = Vec::new();
    audit::broken_invariants(platform, &tenants, |found| broken.push(found.to_string())).await?;
    if !broken.is_empty() {
        return Err(BackupError::Broken(broken.join("\n")));
    }
    events::begin_epoch(platform).await?;
    if ends_sessions {
        for tenant in tenants {
            tenants::end_sessions(platform, &Actor::system(tenant)).await?;
        }
    }
    Ok(())
}

/// What was found in a database.
#[derive(Debug)]
pub struct Verified {
    /// How many tenants it has.
    pub tenants: usize,
    /// How many events were looked at.
    pub events: u64,
    /// What is not as it was recorded.
    pub broken: Vec<audit::Broken>,
}

/// Looks at everything that the database has.
pub async fn verify(config: Config) -> Result<Verified, BackupError> {
    require_database(&config)?;
    let platform = start::open(config).await?;
    let found = check(&platform).await;
    platform.db.close().await;
    found
}

async fn check(platform: &Platform) -> Result<Verified, BackupError> {
    let tenants = tenants::all(platform).await?;
    let mut broken = Vec::new();
    let events = audit::broken_invariants(platform, &tenants, |found| broken.push(found)).await?;
    Ok(Verified {
        tenants: tenants.len(),
        events,
        broken,
    })
}

/// Errors: the file that the settings name is not there; opening it would make a new one.
fn require_database(config: &Config) -> Result<(), BackupError> {
    match config.database.sqlite_path() {
        Some(path) if !path.exists() => Err(BackupError::NoDatabase(path.to_owned())),
        _ => Ok(()),
    }
}
