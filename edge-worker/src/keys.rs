//! The two key sets of a tenant: one signs tokens, the other signs what the edge is given.

use std::sync::Arc;

use jwks_cache::{Absence, KeyCache, Lease, Lookup, Settings};
use plinto_contract::time::UnixMillis;
use plinto_jose::{Algorithm, Jwk, JwkSet};

use crate::config::Config;

/// One of the two key sets.
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
        /// The public key with the `kid` that was asked for.
        key: Arc<Jwk>,
        /// Whether the set it is from is stale: good still, but to be fetched anew.
        is_due: bool,
    },
    /// A refresh may bring it: start one, or wait for the one that runs.
    Wait,
    /// The published set does not hold it.
    Unknown,
    /// Nothing usable is at hand, and nobody can say what is published now: fetching failed.
    NoKeys,
}

/// Both key sets, in one isolate's memory.
#[derive(Debug)]
pub struct Keys {
    cache: KeyCache,
    token_url: String,
    bundle_url: String,
}

impl Keys {
    /// Empty sets at their pinned addresses.
    pub fn new(config: &Config) -> Self {
        let token_url = format!("{}/.well-known/jwks.json", config.issuer);
        let bundle_url = format!("{}/edge/keys", config.control_plane);
        Self {
            cache: KeyCache::new(Settings::prompt(), [&token_url, &bundle_url]),
            token_url,
            bundle_url,
        }
    }

    /// Where a set is published.
    pub fn url(&self, set: KeySet) -> &str {
        match set {
            KeySet::Token => &self.token_url,
            KeySet::Bundle => &self.bundle_url,
        }
    }

    /// Looks up the key of this id for this algorithm.
    pub fn find(&mut self, set: KeySet, kid: &str, alg: Algorithm, now: UnixMillis) -> Known {
        let (cache, url) = self.of(set);
        match cache.lookup(url, kid, alg, now.0) {
            Lookup::Fresh(key) => Known::Key { key, is_due: false },
            Lookup::Stale(key) => Known::Key { key, is_due: true },
            Lookup::Missing { fetch: true, .. } => Known::Wait,
            Lookup::Missing { .. } if cache.is_refreshing(url, now.0) => Known::Wait,
            // neither an old set nor one after which a fetch failed tells what is published now
            Lookup::Missing {
                why: Absence::UnknownKid,
                ..
            } if cache.is_fresh(url, now.0) && !cache.is_failing(url) => Known::Unknown,
            Lookup::Missing { .. } => Known::NoKeys,
        }
    }

    /// Milliseconds since the set in hand was asked for; `None` without a usable one.
    pub fn age_ms(&self, set: KeySet, now: UnixMillis) -> Option<i64> {
        self.cache.age_ms(self.url(set), now.0)
    }

    /// How many keys of the set in hand serve, and how many were published that can't.
    pub fn counts(&self, set: KeySet) -> (usize, usize) {
        self.cache.counts(self.url(set))
    }

    /// Whether the set in hand needs no refresh.
    pub fn is_fresh(&self, set: KeySet, now: UnixMillis) -> bool {
        self.cache.is_fresh(self.url(set), now.0)
    }

    /// Whether somebody is fetching a set.
    pub fn is_refreshing(&self, set: KeySet, now: UnixMillis) -> bool {
        self.cache.is_refreshing(self.url(set), now.0)
    }

    /// Takes the lease to fetch a set, if it is to be had.
    pub fn begin(&mut self, set: KeySet, now: UnixMillis) -> Option<Lease> {
        let (cache, url) = self.of(set);
        cache.begin_refresh(url, now.0)
    }

    /// Takes in a set that was fetched for this lease; `false` when what is in hand is younger.
    /// `max_age_s`: the freshness its `Cache-Control` grants.
    pub fn store(&mut self, lease: Lease, keys: JwkSet, max_age_s: Option<i64>) -> bool {
        self.cache.store(lease, keys, max_age_s)
    }

    /// Takes in a set that somebody else fetched then, at the age it has.
    pub fn restore(
        &mut self,
        set: KeySet,
        keys: JwkSet,
        max_age_s: Option<i64>,
        confirmed_at: UnixMillis,
    ) {
        let (cache, url) = self.of(set);
        cache.restore(url, keys, max_age_s, confirmed_at.0);
    }

    /// Notes that a fetch brought no usable answer.
    pub fn failed(&mut self, lease: Lease, now: UnixMillis) {
        self.cache.failed(lease, now.0);
    }

    const fn of(&mut self, set: KeySet) -> (&mut KeyCache, &str) {
        let url = match set {
            KeySet::Token => self.token_url.as_str(),
            KeySet::Bundle => self.bundle_url.as_str(),
        };
        (&mut self.cache, url)
    }
}

#[cfg(test)]
mod tests {
    use plinto_contract::limits::JWKS_EDGE_AGE_S;
    use plinto_jose::{OkpCurve, PublicKey};

    use super::*;
    use crate::testing;

    /// T12: a data centre's copy says what was published then; since a fetch failed, nobody knows what
    /// has been published after it.
    #[test]
    fn a_key_that_a_young_copy_lacks_is_not_called_unknown_after_a_failed_fetch() {
        let config = testing::config();
        let mut keys = Keys::new(&config);
        let now = testing::now();
        let lease = keys.begin(KeySet::Token, now).unwrap();
        let key = Jwk {
            kid: Some("a".to_owned()),
            alg: None,
            key: PublicKey::Okp {
                crv: OkpCurve::Ed25519,
                x: vec![7; 32],
            },
        };
        keys.restore(KeySet::Token, vec![key].into(), None, now.plus_millis(-100));
        keys.failed(lease, now);
        let mut find = |kid| keys.find(KeySet::Token, kid, Algorithm::EdDsa, now);
        assert!(matches!(find("a"), Known::Key { .. }));
        assert_eq!(find("b"), Known::NoKeys);
    }

    /// T15: the control plane publishes a key long enough ahead for an edge that asks as late as this.
    #[test]
    fn a_key_that_is_lacking_is_asked_for_as_soon_as_the_control_plane_counts_on() {
        let settings = Settings::prompt();
        let bound_ms = JWKS_EDGE_AGE_S * 1_000;
        assert!(settings.max_max_age_ms <= bound_ms);
        assert!(settings.unknown_kid_cooldown_ms <= bound_ms);
    }
}
