//! Everything a request needs, built once. The only wiring.

use std::{
    fs,
    io::Write,
    net::IpAddr,
    ops::Deref,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    authority::Authority,
    clock::{Clock, SystemClock},
    config::Config,
    db::{Db, DbError, OpenError},
    envelope::{Envelope, EnvelopeError},
    features::{api_keys, credentials, policies, sessions, sign_in, signing_keys, tenants},
    http::{Bodies, RateLimits, Shares, page::Cursors},
    random::{Random, SystemRandom},
    secret::Secret,
};

/// A handle to everything; cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

/// What stands behind [`App`].
#[derive(Debug)]
pub struct Inner {
    /// The settings.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// The only source of time.
    pub clock: Arc<dyn Clock>,
    /// The only source of chance.
    pub random: Arc<dyn Random>,
    /// Seals secrets at rest.
    pub envelope: Envelope,
    /// Seals page cursors.
    pub cursors: Cursors,
    /// Background work that shutdown waits for.
    pub tasks: TaskTracker,
    /// Cancelled when the process is asked to stop.
    pub stopping: CancellationToken,
    /// Slots for requests.
    pub slots: Slots,
    /// Places for bodies that are waited for.
    pub bodies: Bodies,
    /// Attempts to sign in that are being judged.
    pub sign_ins: sign_in::Lines,
    /// Where passwords are hashed.
    pub hashing: credentials::Pool,
    /// Requests per client.
    pub rate_limits: RateLimits,
    /// Tenants by slug.
    pub tenants: tenants::Cache,
    /// Decrypted active keys.
    pub signing_keys: signing_keys::Cache,
    /// How an actor is looked at again when their work begins to write.
    pub authority: Authority,
    /// API keys that were presented in the last moment.
    pub api_keys: api_keys::Cache,
    /// Where policy bundles are checked and built.
    pub workbench: policies::Workbench,
}

/// Why the server cannot start: one line.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// A statement.
    #[error(transparent)]
    Statement(#[from] DbError),
    /// The name of our own file, which checks bundles.
    #[error("cannot tell which program this is")]
    Program(#[source] std::io::Error),
    /// The master key.
    #[error(transparent)]
    MasterKey(#[from] EnvelopeError),
    /// The master key is another one than this database's.
    #[error(
        "the signing keys in this database can't be opened: {0}; give the master key they were made with"
    )]
    Sealed(#[from] signing_keys::SigningKeysError),
    /// The master key's file.
    #[error("master key file `{path}`: {reason}")]
    MasterKeyFile {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// Opens the database and the master key with the machine's clock and randomness.
    pub async fn open(mut config: Config) -> Result<Self, StartError> {
        let db = Db::open(&config).await?;
        if config.master_key.is_none() {
            let is_new = !tenants::exist(&db).await?;
            config.master_key = Some(master_key(&config, &SystemRandom, is_new)?);
        }
        let program = std::env::current_exe().map_err(StartError::Program)?;
        let app = Self::assemble(
            config,
            db,
            Arc::new(SystemClock),
            Arc::new(SystemRandom),
            program,
        )?;
        signing_keys::check_master_key(&app).await?;
        Ok(app)
    }

    /// Puts the parts together; tests bring their own clock, chance and master key, and name the
    /// shipped `program`, which this process starts to check bundles.
    pub fn assemble(
        config: Config,
        db: Db,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        program: PathBuf,
    ) -> Result<Self, StartError> {
        let master_key = config
            .master_key
            .clone()
            .ok_or(EnvelopeError::BadMasterKey)?;
        let envelope = Envelope::new(&master_key, &config.previous_master_keys)?;
        Ok(Self(Arc::new(Inner {
            cursors: Cursors::new(envelope.derive("page cursors")),
            api_keys: api_keys::Cache::new(&envelope),
            envelope,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            slots: Slots::new(config.http.concurrency),
            bodies: Bodies::new(&config.http),
            sign_ins: sign_in::Lines::default(),
            hashing: credentials::Pool::new(
                config.credentials.hashing_threads,
                config.credentials.hashing_queue,
            ),
            rate_limits: RateLimits::new(config.http.requests_per_minute),
            tenants: tenants::Cache::default(),
            signing_keys: signing_keys::Cache::default(),
            authority: Authority {
                api_key: api_keys::look_again,
                person: sessions::look_again,
            },
            workbench: policies::Workbench::new(program),
            config,
            db,
            clock,
            random,
        })))
    }
}

/// How many requests run at once. Those for public documents have slots of their own, so that edges
/// get what they need while all else is taken.
#[derive(Debug)]
pub struct Slots {
    /// For work.
    pub work: Arc<tokio::sync::Semaphore>,
    /// For public documents: an address has a quarter of them.
    pub documents: Shares<IpAddr>,
}

impl Slots {
    fn new(each: usize) -> Self {
        Self {
            work: Arc::new(tokio::sync::Semaphore::new(each)),
            documents: Shares::new(each.div_ceil(4), each),
        }
    }
}

/// All slots, and all places in their queue, are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server has more to do than it can")]
pub struct Overloaded;

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
