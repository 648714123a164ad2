//! How a process starts: database, master key, and who checks which actor. The only wiring.

use std::{fs, io::Write, path::Path, sync::Arc};

use plinto_identity::{administrators, sessions};
use plinto_platform::{
    Parts, Platform,
    clock::SystemClock,
    config::Config,
    db::{Db, DbError, OpenError},
    envelope::{Envelope, EnvelopeError},
    random::{Random, SystemRandom},
    recheck::Rechecks,
    secret::Secret,
};
use plinto_tenancy::{api_keys, signing_keys, tenants};

/// Why the server cannot start: one line.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The database is open, but a statement failed.
    #[error(transparent)]
    Statement(#[from] DbError),
    /// The name of our own file, which checks bundles.
    #[error("cannot tell which program this is")]
    Program(#[source] std::io::Error),
    /// The master key is missing, or is not one.
    #[error(transparent)]
    MasterKey(#[from] EnvelopeError),
    /// The master key is another one than this database's.
    #[error(
        "the signing keys in this database can't be opened: {0}; give the master key they were made with"
    )]
    Sealed(#[from] signing_keys::SigningKeysError),
    /// The master key's file cannot be read or made.
    #[error("master key file `{path}`: {reason}")]
    MasterKeyFile {
        /// As the settings name it, or where it would be made.
        path: String,
        /// What the system said.
        reason: String,
    },
}

/// Opens the database and the master key with the machine's clock and randomness.
pub async fn open(mut config: Config) -> Result<Platform, StartError> {
    let db = Db::open(&config).await?;
    if config.master_key.is_none() {
        let is_new = !tenants::exist(&db).await?;
        config.master_key = Some(master_key(&config, &SystemRandom, is_new)?);
    }
    let program = std::env::current_exe().map_err(StartError::Program)?;
    let platform = Platform::new(Parts {
        config,
        db,
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        program,
        rechecks: RECHECKS,
    })?;
    signing_keys::check_master_key(&platform).await?;
    Ok(platform)
}

/// The master key that the settings name, or that stands beside the database file.
/// Errors: there is none yet.
pub fn existing_master_key(config: &Config) -> Result<Secret, StartError> {
    match &config.master_key {
        Some(key) => Ok(key.clone()),
        None => master_key(config, &SystemRandom, false),
    }
}

/// How each kind of actor is checked again when their work begins to write.
pub const RECHECKS: Rechecks = Rechecks {
    api_key: api_keys::recheck,
    person: sessions::recheck,
    rights_of: administrators::rights_of,
};

/// Reads the master key's file. Without a named one it stands next to the database file, and is
/// made there as long as nothing is sealed yet.
fn master_key(config: &Config, random: &dyn Random, is_new: bool) -> Result<Secret, StartError> {
    if let Some(path) = &config.master_key_file {
        return read_key(path);
    }
    // The settings were checked: without a key there is a database file.
    let database = config
        .database
        .sqlite_path()
        .unwrap_or(Path::new("plinto.sqlite"));
    let mut path = database.as_os_str().to_owned();
    path.push(".key");
    let path = Path::new(&path);
    match read_key(path) {
        Err(_) if !path.exists() && is_new => make_key(path, random),
        result => result,
    }
}

fn read_key(path: &Path) -> Result<Secret, StartError> {
    let text = fs::read_to_string(path).map_err(|error| key_file(path, &error))?;
    Ok(Secret::new(text.trim()))
}

fn make_key(path: &Path, random: &dyn Random) -> Result<Secret, StartError> {
    let key = Envelope::generate_key(random);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| key_file(path, &error))?;
    file.write_all(key.expose().as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| key_file(path, &error))?;
    Ok(key)
}

fn key_file(path: &Path, error: &std::io::Error) -> StartError {
    StartError::MasterKeyFile {
        path: path.display().to_string(),
        reason: error.to_string(),
    }
}
