//! Keys and caches to test with. Nothing is verified here, so any well-formed key will do.

use jwks_cache::{Absence, KeyCache, Lease, Lookup, Settings};
use plinto_jose::{Algorithm, Jwk, JwkSet, OkpCurve, PublicKey};

pub(crate) const ISSUER: &str = "https://id.example/t/acme";
pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
/// What [`key`] is for.
pub(crate) const ALG: Algorithm = Algorithm::EdDsa;
/// The test's beginning, in milliseconds.
pub(crate) const T0: i64 = 1_800_000_000_000;

pub(crate) fn key(kid: &str) -> Jwk {
    Jwk {
        kid: Some(kid.to_owned()),
        alg: None,
        key: PublicKey::Okp {
            crv: OkpCurve::Ed25519,
            x: vec![7; 32],
        },
    }
}

pub(crate) fn set(kids: &[&str]) -> JwkSet {
    JwkSet::from(kids.iter().map(|kid| key(kid)).collect::<Vec<_>>())
}

pub(crate) fn cache() -> KeyCache {
    KeyCache::new(Settings::default(), [ISSUER])
}

/// A cache that fetched `kids` at `now_ms`, fresh for the default ten minutes.
pub(crate) fn filled(kids: &[&str], now_ms: i64) -> KeyCache {
    let mut cache = cache();
    let lease = begin(&mut cache, now_ms);
    cache.store(lease, set(kids), None);
    cache
}

pub(crate) fn begin(cache: &mut KeyCache, now_ms: i64) -> Lease {
    cache.begin_refresh(ISSUER, now_ms).unwrap()
}

/// A look-up in short: what it says without the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Fresh,
    Stale,
    /// A fetch may start now.
    Fetch(Absence),
    /// No fetch until that time.
    Wait(Absence, i64),
}

pub(crate) fn ask(cache: &mut KeyCache, kid: &str, now_ms: i64) -> Said {
    match cache.lookup(ISSUER, kid, ALG, now_ms) {
        Lookup::Fresh(found) => {
            assert_eq!(found.kid.as_deref(), Some(kid));
            Said::Fresh
        }
        Lookup::Stale(found) => {
            assert_eq!(found.kid.as_deref(), Some(kid));
            Said::Stale
        }
        Lookup::Missing {
            fetch: true, why, ..
        } => Said::Fetch(why),
        Lookup::Missing {
            fetch: false,
            retry_at_ms,
            why,
        } => {
            assert!(retry_at_ms > now_ms, "a pause ends later than now");
            Said::Wait(why, retry_at_ms)
        }
    }
}
