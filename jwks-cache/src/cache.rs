//! The keys of all issuers on the list.

use std::collections::BTreeMap;
use std::sync::Arc;

use plinto_jose::{Algorithm, Jwk, JwkSet};

use crate::issuer::{Absence, Fetched, Found, Issuer};
use crate::settings::Settings;

/// Keys by issuer and key id. One per isolate or process, behind whatever lock suits it.
#[derive(Debug)]
pub struct KeyCache {
    settings: Settings,
    issuers: BTreeMap<Arc<str>, Issuer>,
}

/// What to do about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Use it.
    Fresh(Arc<Jwk>),
    /// Use it, and refresh behind the request if [`KeyCache::begin_refresh`] gives a lease.
    Stale(Arc<Jwk>),
    /// There is no key to use.
    Missing {
        /// Whether a fetch may help and may start now; then take a lease, fetch, and look again.
        fetch: bool,
        /// When to ask again if `fetch` is false; a running fetch may end sooner.
        retry_at_ms: i64,
        /// What stands in the way.
        why: Absence,
    },
}

/// The right and duty to fetch one issuer's keys and report with [`KeyCache::store`] or
/// [`KeyCache::failed`]. Lost, it lapses after [`Settings::lease_ms`].
#[derive(Debug)]
#[must_use = "fetch, then store or failed"]
pub struct Lease {
    issuer: Arc<str>,
    fetch: u64,
    started_at_ms: i64,
    age_ms: i64,
}

impl Lease {
    /// Whose keys to fetch.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What was fetched was this old when it came, by its `Age`: it is no fresher than that.
    pub fn older_by(mut self, age_ms: i64) -> Self {
        self.age_ms = age_ms.max(0);
        self
    }
}

impl KeyCache {
    /// An empty cache for these issuers; no other is ever fetched.
    pub fn new<I>(settings: Settings, issuers: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let issuers = issuers
            .into_iter()
            .map(|name| (Arc::from(name.as_ref()), Issuer::new(&settings)))
            .collect();
        Self { settings, issuers }
    }

    /// The key `kid` of `issuer` for `alg`, or what stands in its way.
    pub fn lookup(&mut self, issuer: &str, kid: &str, alg: Algorithm, now_ms: i64) -> Lookup {
        let Some(state) = self.issuers.get_mut(issuer) else {
            return Lookup::Missing {
                fetch: false,
                retry_at_ms: i64::MAX,
                why: Absence::UnknownIssuer,
            };
        };
        match state.lookup(&self.settings, kid, alg, now_ms) {
            Found::Fresh(key) => Lookup::Fresh(key),
            Found::Stale(key) => Lookup::Stale(key),
            Found::Missing {
                fetch,
                retry_at_ms,
                why,
            } => Lookup::Missing {
                fetch,
                retry_at_ms,
                why,
            },
        }
    }

    /// Starts a fetch, unless one is running, pausing after failures, or too recent.
    pub fn begin_refresh(&mut self, issuer: &str, now_ms: i64) -> Option<Lease> {
        let (name, _) = self.issuers.get_key_value(issuer)?;
        let name = Arc::clone(name);
        let fetch = self
            .issuers
            .get_mut(issuer)?
            .begin_refresh(&self.settings, now_ms)?;
        Some(Lease {
            issuer: name,
            fetch,
            started_at_ms: now_ms,
            age_ms: 0,
        })
    }

    /// Takes in what a fetch brought; `false` when what is in hand is younger and stays. One that is
    /// no longer fresh when it comes ends the fetch like a failure, so that the next one waits. Keys
    /// without a key id can't be asked for: they are skipped.
    /// `max_age_s`: the issuer's wish in seconds, see [`crate::max_age_s`]; kept between
    /// [`Settings::min_max_age_ms`] and [`Settings::max_max_age_ms`].
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a lease is good for one report"
    )]
    pub fn store(&mut self, lease: Lease, keys: JwkSet, max_age_s: Option<i64>) -> bool {
        let granted_ms = self.settings.max_age_ms(max_age_s);
        let fetched = Fetched {
            fetch: lease.fetch,
            started_at_ms: lease.started_at_ms,
            age_ms: lease.age_ms,
        };
        self.issuers
            .get_mut(&lease.issuer)
            .is_some_and(|state| state.store(&self.settings, fetched, keys, granted_ms))
    }

    /// Takes in a set that somebody else fetched at `fetched_at_ms`, which is not in the future: it
    /// has the age it has, and never replaces a newer one. No lease is needed, and none ends.
    pub fn restore(
        &mut self,
        issuer: &str,
        keys: JwkSet,
        max_age_s: Option<i64>,
        fetched_at_ms: i64,
    ) {
        let granted_ms = self.settings.max_age_ms(max_age_s);
        if let Some(state) = self.issuers.get_mut(issuer) {
            state.restore(fetched_at_ms, keys, granted_ms);
        }
    }

    /// Notes that a fetch brought nothing usable; the next one waits.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a lease is good for one report"
    )]
    pub fn failed(&mut self, lease: Lease, now_ms: i64) {
        if let Some(state) = self.issuers.get_mut(&lease.issuer) {
            state.failed(&self.settings, lease.fetch, now_ms);
        }
    }

    /// Whether somebody is fetching this issuer's keys right now.
    pub fn is_refreshing(&self, issuer: &str, now_ms: i64) -> bool {
        self.issuers
            .get(issuer)
            .is_some_and(|state| state.is_refreshing(&self.settings, now_ms))
    }

    /// Milliseconds since the issuer's set in hand was asked for; `None` without a usable one.
    pub fn age_ms(&self, issuer: &str, now_ms: i64) -> Option<i64> {
        self.issuers.get(issuer)?.age_ms(&self.settings, now_ms)
    }

    /// Whether the issuer's set in hand is fresh, so that what it lacks is not published.
    pub fn is_fresh(&self, issuer: &str, now_ms: i64) -> bool {
        self.issuers
            .get(issuer)
            .is_some_and(|state| state.is_fresh(now_ms))
    }

    /// Whether the newest fetch to end brought nothing usable.
    pub fn is_failing(&self, issuer: &str) -> bool {
        self.issuers.get(issuer).is_some_and(Issuer::is_failing)
    }

    /// How many keys of the issuer's set in hand serve, and how many were skipped.
    pub fn counts(&self, issuer: &str) -> (usize, usize) {
        self.issuers.get(issuer).map_or((0, 0), Issuer::counts)
    }

    /// How many unknown key ids are remembered for an issuer, for metrics and tests.
    pub fn unknown_kids(&self, issuer: &str) -> usize {
        self.issuers.get(issuer).map_or(0, Issuer::unknown_kids)
    }
}
