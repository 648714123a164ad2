//! How long keys live and how often they may be fetched.

use crate::attempts::Pace;

/// Durations in milliseconds; the defaults suit an issuer that rotates keys with notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Freshness of a set whose issuer doesn't say. 10 minutes.
    pub default_max_age_ms: i64,
    /// The least freshness granted, whatever the issuer says. 1 minute.
    pub min_max_age_ms: i64,
    /// The most freshness granted, whatever the issuer says. 1 hour.
    pub max_max_age_ms: i64,
    /// After freshness (or the last failed fetch), how long keys are used while a refresh runs
    /// behind the request; later a request waits for the refresh. 5 minutes.
    pub stale_while_refresh_ms: i64,
    /// Age at which keys are dropped even if the issuer can't be reached. 24 hours.
    pub hard_max_age_ms: i64,
    /// Least distance between fetches caused by unknown key ids. 30 seconds.
    pub unknown_kid_cooldown_ms: i64,
    /// How long a key id that a new set lacked causes no fetch, while that set is fresh. 1 minute.
    pub unknown_kid_memory_ms: i64,
    /// How many such key ids are remembered per issuer. 256.
    pub unknown_kids: usize,
    /// Pause after the first failed fetch; doubles with each further one. 10 seconds.
    pub first_backoff_ms: i64,
    /// The longest pause after failed fetches. 5 minutes.
    pub last_backoff_ms: i64,
    /// How long a fetch may take before somebody else may start one. 10 seconds.
    pub lease_ms: i64,
}

impl Settings {
    /// For a verifier that must refuse a withdrawn key within a minute: 30 s fresh and 30 s stale.
    /// Whatever the issuer says, the set is fresh for as long as unknown key ids cause no fetch, so
    /// a key published half a minute before its first use is never missed. It also comes back
    /// quickly: an edge that was up before its control plane should not sulk for long.
    pub const fn prompt() -> Self {
        Self {
            default_max_age_ms: 30_000,
            min_max_age_ms: 30_000,
            max_max_age_ms: 30_000,
            stale_while_refresh_ms: 30_000,
            first_backoff_ms: 1_000,
            last_backoff_ms: 30_000,
            ..Self::patient()
        }
    }

    const fn patient() -> Self {
        Self {
            default_max_age_ms: 600_000,
            min_max_age_ms: 60_000,
            max_max_age_ms: 3_600_000,
            stale_while_refresh_ms: 300_000,
            hard_max_age_ms: 86_400_000,
            unknown_kid_cooldown_ms: 30_000,
            unknown_kid_memory_ms: 60_000,
            unknown_kids: 256,
            first_backoff_ms: 10_000,
            last_backoff_ms: 300_000,
            lease_ms: 10_000,
        }
    }

    /// Freshness granted for what an issuer asks.
    /// `asked_s`: seconds, `None` when it says nothing.
    pub(crate) fn max_age_ms(&self, asked_s: Option<i64>) -> i64 {
        asked_s
            .map_or(self.default_max_age_ms, |seconds| {
                seconds.saturating_mul(1_000)
            })
            .min(self.max_max_age_ms)
            .max(self.min_max_age_ms)
    }

    /// How fast fetches may follow each other.
    pub(crate) const fn pace(&self) -> Pace {
        Pace {
            first_backoff_ms: self.first_backoff_ms,
            last_backoff_ms: self.last_backoff_ms,
            lease_ms: self.lease_ms,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::patient()
    }
}
