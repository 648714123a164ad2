//! One issuer's keys and the fetches made for them.

use std::sync::Arc;

use plinto_jose::{Algorithm, Jwk, JwkSet};

use crate::attempts::{Attempts, end_of, within};
use crate::settings::Settings;
use crate::unknown::UnknownKids;

/// Why there is no key to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// The issuer is not on the list.
    UnknownIssuer,
    /// No set was fetched yet, or the last one passed its hard maximum age.
    NoKeys,
    /// The key is known but too old to be used without asking the issuer first.
    Expired,
    /// The set holds no key of this id for this algorithm.
    UnknownKid,
}

/// What an issuer's state says about one key id.
pub(crate) enum Found {
    Fresh(Arc<Jwk>),
    Stale(Arc<Jwk>),
    Missing {
        fetch: bool,
        retry_at_ms: i64,
        why: Absence,
    },
}

#[derive(Debug)]
struct Held {
    /// Each with a key id.
    keys: Vec<Arc<Jwk>>,
    skipped: usize,
    /// When the fetch began, less the answer's own age: it counts from what the issuer can have known.
    fetched_at_ms: i64,
    max_age_ms: i64,
    fetch: u64,
}

/// A fetch that has ended.
#[derive(Clone, Copy)]
pub(crate) struct Fetched {
    pub(crate) fetch: u64,
    pub(crate) started_at_ms: i64,
    /// How old the answer said it was when it came.
    pub(crate) age_ms: i64,
}

/// INVARIANT: `held` is only replaced by what is as young, or dropped at the hard maximum age.
#[derive(Debug)]
pub(crate) struct Issuer {
    held: Option<Held>,
    attempts: Attempts,
    last_start_ms: Option<i64>,
    unknown: UnknownKids,
}

impl Issuer {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            held: None,
            attempts: Attempts::default(),
            last_start_ms: None,
            unknown: UnknownKids::new(settings.unknown_kids),
        }
    }

    pub(crate) fn lookup(
        &mut self,
        settings: &Settings,
        kid: &str,
        alg: Algorithm,
        now_ms: i64,
    ) -> Found {
        self.drop_too_old(settings, now_ms);
        let Some(held) = &self.held else {
            return self.missing(settings, Absence::NoKeys, now_ms, now_ms);
        };
        let Some(key) = held.keys.iter().find(|key| key.answers(kid, alg)) else {
            return self.unknown_kid(settings, kid, now_ms);
        };
        let key = Arc::clone(key);
        if within(held.fetched_at_ms, held.max_age_ms, now_ms) {
            Found::Fresh(key)
        } else if now_ms < self.stale_until_ms(settings, held) {
            Found::Stale(key)
        } else {
            self.missing(settings, Absence::Expired, now_ms, now_ms)
        }
    }

    /// Starts a fetch unless one is running, pausing or too recent. Returns its number.
    pub(crate) fn begin_refresh(&mut self, settings: &Settings, now_ms: i64) -> Option<u64> {
        self.drop_too_old(settings, now_ms);
        if self.next_fetch_ms(settings, now_ms) > now_ms {
            return None;
        }
        let fetch = self.attempts.begin(&settings.pace(), now_ms)?;
        self.last_start_ms = Some(now_ms);
        Some(fetch)
    }

    /// Takes in what a fetch brought, unless what is held is younger. What is no longer fresh when it
    /// comes is better than nothing, but asking again at once brings nothing better.
    pub(crate) fn store(
        &mut self,
        settings: &Settings,
        fetched: Fetched,
        keys: JwkSet,
        max_age_ms: i64,
    ) -> bool {
        let Fetched {
            fetch,
            started_at_ms,
            age_ms,
        } = fetched;
        let fetched_at_ms = started_at_ms.saturating_sub(age_ms);
        let is_newest = self.attempts.end(fetch);
        // A slow answer must not replace what a later fetch brought.
        if self.held.as_ref().is_some_and(|held| held.fetch > fetch) {
            return false;
        }
        // What seems to come from later than the question is of a clock that was set back since.
        let is_younger =
            |held: &Held| held.fetched_at_ms > fetched_at_ms && held.fetched_at_ms <= started_at_ms;
        let is_held = self.held.as_ref().is_some_and(is_younger);
        if !is_held {
            self.hold(fetch, fetched_at_ms, keys, max_age_ms);
        }
        if is_held || age_ms >= max_age_ms {
            if is_newest {
                self.attempts.failed(&settings.pace(), started_at_ms);
            }
        } else {
            self.attempts.succeeded();
        }
        !is_held
    }

    /// Takes in what somebody else fetched at `fetched_at_ms`, unless what is held is as new.
    pub(crate) fn restore(&mut self, fetched_at_ms: i64, keys: JwkSet, max_age_ms: i64) {
        let held = self.held.as_ref();
        if held.is_some_and(|held| held.fetched_at_ms >= fetched_at_ms) {
            return;
        }
        let fetch = held.map_or(0, |held| held.fetch);
        self.hold(fetch, fetched_at_ms, keys, max_age_ms);
    }

    fn hold(&mut self, fetch: u64, fetched_at_ms: i64, keys: JwkSet, max_age_ms: i64) {
        let published = keys.keys.len().saturating_add(keys.skipped);
        let named = keys.keys.into_iter().filter(|key| key.kid.is_some());
        let keys: Vec<_> = named.map(Arc::new).collect();
        self.held = Some(Held {
            skipped: published.saturating_sub(keys.len()),
            keys,
            fetched_at_ms,
            max_age_ms,
            fetch,
        });
    }

    pub(crate) fn failed(&mut self, settings: &Settings, fetch: u64, now_ms: i64) {
        // Only the newest attempt tells how the issuer is.
        if self.attempts.end(fetch) {
            self.attempts.failed(&settings.pace(), now_ms);
        }
    }

    pub(crate) fn is_refreshing(&self, settings: &Settings, now_ms: i64) -> bool {
        let since_ms = self.attempts.running_since_ms(&settings.pace(), now_ms);
        since_ms.is_some()
    }

    /// Age of the set in hand.
    pub(crate) fn age_ms(&self, settings: &Settings, now_ms: i64) -> Option<i64> {
        let age_ms = now_ms.saturating_sub(self.held.as_ref()?.fetched_at_ms);
        (0..settings.hard_max_age_ms)
            .contains(&age_ms)
            .then_some(age_ms)
    }

    pub(crate) fn is_fresh(&self, now_ms: i64) -> bool {
        self.held
            .as_ref()
            .is_some_and(|held| within(held.fetched_at_ms, held.max_age_ms, now_ms))
    }

    pub(crate) const fn is_failing(&self) -> bool {
        self.attempts.is_failing()
    }

    pub(crate) fn counts(&self) -> (usize, usize) {
        let held = self.held.as_ref();
        held.map_or((0, 0), |held| (held.keys.len(), held.skipped))
    }

    pub(crate) fn unknown_kids(&self) -> usize {
        self.unknown.len()
    }

    fn unknown_kid(&mut self, settings: &Settings, kid: &str, now_ms: i64) -> Found {
        let fetched_at_ms = self.held.as_ref().map_or(now_ms, |held| held.fetched_at_ms);
        if within(fetched_at_ms, settings.unknown_kid_cooldown_ms, now_ms) {
            self.unknown.note(kid, fetched_at_ms);
        }
        let memory_ms = settings.unknown_kid_memory_ms;
        let noted_at_ms = self.unknown.noted_at(kid, memory_ms, now_ms);
        // What an old set lacked, the issuer may have published since: a stranger who asked for a
        // key before its time must not keep it out (T15).
        let noted_until_ms = noted_at_ms
            .filter(|_| self.is_fresh(now_ms))
            .map_or(now_ms, |at_ms| at_ms.saturating_add(memory_ms));
        let cool_at_ms = self.cool_at_ms(settings, now_ms);
        self.missing(
            settings,
            Absence::UnknownKid,
            noted_until_ms.max(cool_at_ms),
            now_ms,
        )
    }

    fn missing(&self, settings: &Settings, why: Absence, not_before_ms: i64, now_ms: i64) -> Found {
        let retry_at_ms = self.next_fetch_ms(settings, now_ms).max(not_before_ms);
        Found::Missing {
            fetch: retry_at_ms <= now_ms,
            retry_at_ms,
            why,
        }
    }

    /// The earliest time a fetch may start: `now_ms` when it may at once.
    fn next_fetch_ms(&self, settings: &Settings, now_ms: i64) -> i64 {
        let at_ms = self.attempts.next_ms(&settings.pace(), now_ms);
        // Nothing is due while the set is fresh, so only an unknown key id can be the reason.
        if self.is_fresh(now_ms) {
            at_ms.max(self.cool_at_ms(settings, now_ms))
        } else {
            at_ms
        }
    }

    fn cool_at_ms(&self, settings: &Settings, now_ms: i64) -> i64 {
        self.last_start_ms.map_or(now_ms, |start_ms| {
            end_of(start_ms, settings.unknown_kid_cooldown_ms, now_ms)
        })
    }

    /// Stale keys serve while the last contact, good or bad, is recent.
    fn stale_until_ms(&self, settings: &Settings, held: &Held) -> i64 {
        let fresh_until_ms = held.fetched_at_ms.saturating_add(held.max_age_ms);
        let contact_ms = self.attempts.pause_ends_ms().unwrap_or(fresh_until_ms);
        fresh_until_ms
            .max(contact_ms)
            .saturating_add(settings.stale_while_refresh_ms)
    }

    fn drop_too_old(&mut self, settings: &Settings, now_ms: i64) {
        let too_old =
            |held: &Held| now_ms >= held.fetched_at_ms.saturating_add(settings.hard_max_age_ms);
        if self.held.as_ref().is_some_and(too_old) {
            self.held = None;
        }
    }
}
