//! Documents that go on being served while the database is slow, locked or away.
//!
//! A document is read anew for whoever asks. Those who come while it is being read share the next
//! reading, so that one reader at a time asks the database, however many ask us. When a reading
//! fails or takes too long, what the last good one found answers in its place, until it is
//! [`KNOWN_FOR_S`] old; its age is told with it, so nobody takes it for newer than it is.

use std::{
    fmt::{self, Debug},
    hash::Hash,
    sync::Arc,
    time::Duration,
};

use plinto_contract::{
    problem::{Code, FieldError},
    time::UnixMillis,
};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use crate::{Platform, config::KNOWN_FOR_S, http::HasCode};

/// 2 s: how long a reading is waited for when an earlier one can answer. Edges wait three.
const PATIENCE: Duration = Duration::from_secs(2);
/// 5 s: the same when nothing is known.
const FIRST_PATIENCE: Duration = Duration::from_secs(5);
/// 10,000: documents in memory.
const DOCUMENTS_MAX: u64 = 10_000;
/// 10 min: a document that nobody fetches leaves memory.
const IDLE: Duration = Duration::from_mins(10);

/// The documents of one kind, by key.
pub struct Known<K, V, E>(moka::future::Cache<K, Arc<Slot<V, E>>>);

/// A document.
#[derive(Debug, Clone)]
pub struct Found<V> {
    /// What it says.
    pub value: V,
    /// Whole seconds since its reading began.
    pub age_s: i64,
}

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum Unread<E> {
    /// The reading failed, and nothing young enough is known.
    #[error(transparent)]
    Failed(Arc<E>),
    /// The reading takes too long, and nothing young enough is known.
    #[error("the database has not answered in time")]
    Slow,
}

/// One document. Its readings are numbered; whoever asks waits for the next one to begin.
struct Slot<V, E>(watch::Sender<Progress<V, E>>);

struct Progress<V, E> {
    begun: u64,
    ended: u64,
    asked_for: u64,
    begun_at: Instant,
    /// Why the last reading that ended found nothing.
    failure: Option<Unread<E>>,
    /// What the last good reading found, and when it began.
    last: Option<(V, UnixMillis)>,
}

impl<E> Clone for Unread<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Failed(error) => Self::Failed(Arc::clone(error)),
            Self::Slow => Self::Slow,
        }
    }
}

impl<E> From<E> for Unread<E> {
    fn from(error: E) -> Self {
        Self::Failed(Arc::new(error))
    }
}

impl<E: HasCode + 'static> HasCode for Unread<E> {
    fn code(&self) -> Code {
        match self {
            Self::Failed(error) => error.code(),
            Self::Slow => Code::Unavailable,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Failed(error) => error.detail(),
            Self::Slow => self.to_string(),
        }
    }

    fn field_errors(&self) -> Vec<FieldError> {
        match self {
            Self::Failed(error) => error.field_errors(),
            Self::Slow => Vec::new(),
        }
    }

    fn retry_after_s(&self) -> Option<i64> {
        match self {
            Self::Failed(error) => error.retry_after_s(),
            Self::Slow => Some(1),
        }
    }
}

impl<K, V, E> Debug for Known<K, V, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Known").finish_non_exhaustive()
    }
}

impl<K, V, E> Default for Known<K, V, E>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    fn default() -> Self {
        let cache = moka::future::Cache::builder()
            .max_capacity(DOCUMENTS_MAX)
            .time_to_idle(IDLE)
            .build();
        Self(cache)
    }
}

impl<K, V, E> Known<K, V, E>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    E: HasCode + Send + Sync + 'static,
{
    /// The document, as a reading that begins now finds it, or as it was last found.
    /// `read`: reads it; given is what the reading before found.
    /// Errors: what the reading met, when that is the client's fault (4xx) or nothing young enough
    /// is known.
    pub async fn get<R, F>(
        &self,
        platform: &Platform,
        key: K,
        read: R,
    ) -> Result<Found<V>, Unread<E>>
    where
        R: Fn(Option<V>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<V, E>> + Send + 'static,
    {
        let slot = self.0.get_with_by_ref(&key, async { Arc::default() }).await;
        let (mine, patience) = Slot::ask(&slot, platform, read);
        let mut progress = slot.0.subscribe();
        let has_ended = timeout(patience, progress.wait_for(|now| now.ended >= mine))
            .await
            .is_ok();
        let (failure, last) = {
            let now = slot.0.borrow();
            (now.failure.clone(), now.last.clone())
        };
        let failure = if has_ended {
            failure
        } else {
            Some(Unread::Slow)
        };
        if let Some(error) = failure.clone().filter(|error| error.code().status() < 500) {
            self.0.invalidate(&key).await;
            return Err(error);
        }
        let now = platform.clock.now();
        let found = last.map(|(value, read_at)| (value, now.millis_since(read_at) / 1_000));
        match (found, failure) {
            (Some((value, age_s)), None) => Ok(Found {
                value,
                age_s: age_s.max(0),
            }),
            (Some((value, age_s)), Some(_)) if (0..=i64::from(KNOWN_FOR_S)).contains(&age_s) => {
                Ok(Found { value, age_s })
            }
            (_, failure) => Err(failure.unwrap_or(Unread::Slow)),
        }
    }
}

impl<V, E> Default for Slot<V, E> {
    fn default() -> Self {
        Self(watch::Sender::new(Progress {
            begun: 0,
            ended: 0,
            asked_for: 0,
            begun_at: Instant::now(),
            failure: None,
            last: None,
        }))
    }
}

impl<V, E> Slot<V, E>
where
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    /// Asks for the next reading, and begins it if none is under way. Answers its number and how
    /// long it is worth waiting for: not at all when the one under way takes too long already.
    fn ask<R, F>(slot: &Arc<Self>, platform: &Platform, read: R) -> (u64, Duration)
    where
        R: Fn(Option<V>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<V, E>> + Send + 'static,
    {
        let (mut mine, mut patience, mut begins) = (0, FIRST_PATIENCE, false);
        slot.0.send_modify(|now| {
            begins = now.begun == now.ended;
            mine = now.begun.saturating_add(1);
            now.asked_for = mine;
            if begins {
                now.start();
            }
            if now.last.is_some() {
                patience = PATIENCE.saturating_sub(now.begun_at.elapsed());
            }
        });
        if begins {
            // In a task of its own: who asked may go away, and whoever comes next relies on it.
            platform
                .tasks
                .spawn(Self::readings(Arc::clone(slot), platform.clone(), read));
        }
        (mine, patience)
    }

    /// Reads until nobody asks for another reading.
    async fn readings<R, F>(slot: Arc<Self>, platform: Platform, read: R)
    where
        R: Fn(Option<V>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<V, E>> + Send + 'static,
    {
        loop {
            let read_at = platform.clock.now();
            let before = slot
                .0
                .borrow()
                .last
                .as_ref()
                .map(|(value, _)| value.clone());
            // In a task of its own again: one that panics ends as a failed reading, too.
            let outcome = platform.tasks.spawn(read(before)).await;
            let mut is_asked = false;
            slot.0.send_modify(|now| {
                now.ended = now.begun;
                match outcome {
                    Ok(Ok(value)) => {
                        now.failure = None;
                        now.last = Some((value, read_at));
                    }
                    Ok(Err(error)) => now.failure = Some(error.into()),
                    Err(_) => now.failure = Some(Unread::Slow),
                }
                is_asked = now.asked_for > now.begun;
                if is_asked {
                    now.start();
                }
            });
            if !is_asked {
                return;
            }
        }
    }
}

impl<V, E> Progress<V, E> {
    fn start(&mut self) {
        self.begun = self.begun.saturating_add(1);
        self.begun_at = Instant::now();
    }
}
