//! The two key sets of a tenant: one signs tokens, the other signs what the edge is given.

use std::sync::Arc;

use jwks_cache::{Absence, KeyCache, Lease, Lookup, Response, Settings, SourceError};
use plinto_contract::time::UnixMillis;
use plinto_jose::Jwk;

use crate::config::Config;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySet {
    /// Signs access tokens.
    Token,
    /// Signs bundles and the revocation feed.
    Bundle,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Use it; `is_due` asks for a refresh behind the request.
    Key {
        /// The key.
        key: Arc<Jwk>,
        /// Whether it is stale.
        is_due: bool,
    },
    /// A refresh may bring it: start one, or wait for the one that runs.
    Wait,
    /// The published set does not hold it.
    Unknown,
    /// Nothing usable is at hand, and fetching failed just now.
    NoKeys,
}

/// Both key sets, in one isolate's memory.
#[derive(Debug)]
pub struct Keys {
    cache: KeyCache,
    settings: Settings,
    token_url: String,
    bundle_url: String,
    /// When the token keys in hand were asked for.
    token_keys_at: Option<UnixMillis>,
}

impl Keys {
    /// Empty sets at their pinned addresses.
    pub fn new(config: &Config) -> Self {
        let token_url = format!("{}/.well-known/jwks.json", config.issuer);
        let bundle_url = format!("{}/edge/keys", config.control_plane);
        let settings = Settings {
            // 30 s fresh and 30 s stale: a key that is no longer published is refused within the
            // minute, and a key published half a minute before its first use is never missed (T15)
            default_max_age_ms: 30_000,
            min_max_age_ms: 5_000,
            max_max_age_ms: 30_000,
            stale_while_refresh_ms: 30_000,
            // an edge that was up before its control plane should not sulk for long
            first_backoff_ms: 1_000,
            last_backoff_ms: 30_000,
            ..Settings::default()
        };
        Self {
            cache: KeyCache::new(settings, [&token_url, &bundle_url]),
            settings,
            token_url,
            bundle_url,
            token_keys_at: None,
        }
    }

    /// Where a set is published.
    pub fn url(&self, set: KeySet) -> &str {
        match set {
            KeySet::Token => &self.token_url,
            KeySet::Bundle => &self.bundle_url,
        }
    }

    /// Looks a key up.
    pub fn find(&mut self, set: KeySet, kid: &str, now: UnixMillis) -> Known {
        let url = match set {
            KeySet::Token => &self.token_url,
            KeySet::Bundle => &self.bundle_url,
        };
        match self.cache.lookup(url, kid, now.0) {
            Lookup::Fresh(key) => Known::Key { key, is_due: false },
            Lookup::Stale(key) => Known::Key { key, is_due: true },
            Lookup::Missing { fetch: true, .. } => Known::Wait,
            Lookup::Missing { .. } if self.cache.is_refreshing(url, now.0) => Known::Wait,
            Lookup::Missing {
                why: Absence::UnknownKid,
                ..
            } => Known::Unknown,
            Lookup::Missing { .. } => Known::NoKeys,
        }
    }

    /// Milliseconds since the token keys in hand were asked for; `None` without usable ones.
    pub fn token_keys_age_ms(&self, now: UnixMillis) -> Option<i64> {
        let age = now.millis_since(self.token_keys_at?);
        (0..self.settings.hard_max_age_ms)
            .contains(&age)
            .then_some(age)
    }

    /// Whether somebody is fetching a set.
    pub fn is_refreshing(&self, set: KeySet, now: UnixMillis) -> bool {
        self.cache.is_refreshing(self.url(set), now.0)
    }

    /// Takes the lease to fetch a set, if it is to be had.
    pub fn begin(&mut self, set: KeySet, now: UnixMillis) -> Option<Lease> {
        let url = match set {
            KeySet::Token => &self.token_url,
            KeySet::Bundle => &self.bundle_url,
        };
        self.cache.begin_refresh(url, now.0)
    }

    /// Takes in a fetched set.
    /// `max_age_s`: the freshness its `Cache-Control` grants. `asked_at`: when the question left.
    /// Errors: what makes the answer unusable; the old keys stay.
    pub fn offer(
        &mut self,
        set: KeySet,
        lease: Lease,
        response: &Response<'_>,
        max_age_s: Option<i64>,
        asked_at: UnixMillis,
        now: UnixMillis,
    ) -> Result<(), SourceError> {
        match response.keys() {
            Ok(keys) => {
                if set == KeySet::Token {
                    self.token_keys_at = Some(asked_at);
                }
                self.cache.store(lease, keys, max_age_s);
                Ok(())
            }
            Err(error) => {
                self.cache.failed(lease, now.0);
                Err(error)
            }
        }
    }

    /// Notes that a fetch brought no answer.
    pub fn failed(&mut self, lease: Lease, now: UnixMillis) {
        self.cache.failed(lease, now.0);
    }
}
