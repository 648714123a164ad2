//! What every piece of work needs, whatever it is about: settings, database, clock, chance, and what
//! is kept in memory. Knows no feature.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    ops::Deref,
    path::PathBuf,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    clock::Clock,
    config::Config,
    db::Db,
    envelope::{Envelope, EnvelopeError},
    random::Random,
    recheck::Rechecks,
};

/// A handle to all of it; cheap to clone.
#[derive(Debug, Clone)]
pub struct Platform(Arc<Inner>);

/// What stands behind [`Platform`].
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
    /// Background work that shutdown waits for.
    pub tasks: TaskTracker,
    /// Cancelled when the process is asked to stop.
    pub stopping: CancellationToken,
    /// The shipped program, for what runs in a process of its own.
    pub program: PathBuf,
    /// How each kind of actor is checked again when their work begins to write.
    pub rechecks: Rechecks,
    states: States,
}

/// What the platform is made of.
#[derive(Debug)]
pub struct Parts {
    /// The settings, with a master key.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// The source of chance.
    pub random: Arc<dyn Random>,
    /// The shipped program.
    pub program: PathBuf,
    /// How each kind of actor is checked again.
    pub rechecks: Rechecks,
}

/// Something that one part of the program keeps in memory for as long as the process runs: a cache,
/// a pool, a limit. Whoever declares it owns it: nobody else can name a private type.
pub trait PlatformState: Any + Send + Sync {
    /// How it begins.
    fn new(platform: &Platform) -> Self;
}

impl Platform {
    /// Errors: `BadMasterKey` when the settings have none, or one that is none.
    pub fn new(parts: Parts) -> Result<Self, EnvelopeError> {
        let config = parts.config;
        let master_key = config.master_key.as_ref();
        let master_key = master_key.ok_or(EnvelopeError::BadMasterKey)?;
        Ok(Self(Arc::new(Inner {
            envelope: Envelope::new(master_key, &config.previous_master_keys)?,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            states: States::default(),
            program: parts.program,
            rechecks: parts.rechecks,
            config,
            db: parts.db,
            clock: parts.clock,
            random: parts.random,
        })))
    }

    /// The one value of this type that the process has, made by the first who asks.
    pub fn state<T: PlatformState>(&self) -> Arc<T> {
        let slot = self.states.slot(TypeId::of::<T>());
        let value = Arc::clone(slot.get_or_init(|| Arc::new(T::new(self))));
        // A slot holds the type that it is found by, so this never makes another.
        Arc::downcast(value).unwrap_or_else(|_| Arc::new(T::new(self)))
    }
}

impl Deref for Platform {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

type Slot = Arc<OnceLock<Arc<dyn Any + Send + Sync>>>;

/// A value of each type that was asked for.
#[derive(Default)]
struct States(RwLock<HashMap<TypeId, Slot>>);

impl States {
    fn slot(&self, of: TypeId) -> Slot {
        let slots = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(&of) {
            return Arc::clone(slot);
        }
        drop(slots);
        let mut slots = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(of).or_default())
    }
}

impl fmt::Debug for States {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("States").finish_non_exhaustive()
    }
}
