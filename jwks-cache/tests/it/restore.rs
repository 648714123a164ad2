//! Sets that somebody else fetched.

use jwks_cache::Absence;

use crate::keys::{HOUR, ISSUER, MINUTE, SECOND, Said, T0, ask, begin, cache, filled, set};

/// T15: a restored set is as old as it is. It serves while the issuer can't be reached, and not
/// for another day.
#[test]
fn a_restored_set_ends_when_it_would_have() {
    let mut cache = cache();
    let lease = begin(&mut cache, T0);
    cache.restore(ISSUER, set(&["a"]), None, T0 - 23 * HOUR);
    assert!(!cache.is_fresh(ISSUER, T0));
    assert_eq!(cache.age_ms(ISSUER, T0), Some(23 * HOUR));
    // nobody relies on it before the issuer was asked
    assert!(matches!(
        ask(&mut cache, "a", T0),
        Said::Wait(Absence::Expired, _)
    ));
    cache.failed(lease, T0 + SECOND);
    assert_eq!(ask(&mut cache, "a", T0 + SECOND), Said::Stale);
    let mut now = T0 + MINUTE;
    while now < T0 + HOUR {
        assert_eq!(ask(&mut cache, "a", now), Said::Stale);
        if let Some(lease) = cache.begin_refresh(ISSUER, now) {
            cache.failed(lease, now);
        }
        now += MINUTE;
    }
    assert!(matches!(
        ask(&mut cache, "a", T0 + HOUR),
        Said::Wait(Absence::NoKeys, _)
    ));
    assert_eq!(cache.age_ms(ISSUER, T0 + HOUR), None);
}

/// A young one is as good as one's own.
#[test]
fn a_young_restored_set_is_fresh() {
    let mut cache = cache();
    cache.restore(ISSUER, set(&["a"]), None, T0 - MINUTE);
    assert_eq!(ask(&mut cache, "a", T0), Said::Fresh);
    assert_eq!(ask(&mut cache, "a", T0 + 9 * MINUTE), Said::Stale);
}

#[test]
fn a_restored_set_never_replaces_a_newer_one_and_any_fetch_replaces_it() {
    let mut cache = filled(&["a"], T0);
    cache.restore(ISSUER, set(&["old"]), None, T0);
    assert_eq!(ask(&mut cache, "a", T0 + SECOND), Said::Fresh);
    cache.restore(ISSUER, set(&["b"]), None, T0 + SECOND);
    assert_eq!(ask(&mut cache, "b", T0 + SECOND), Said::Fresh);
    let later = T0 + 11 * MINUTE;
    let lease = begin(&mut cache, later);
    cache.store(lease, set(&["c"]), None);
    assert_eq!(ask(&mut cache, "c", later), Said::Fresh);
    cache.restore("https://attacker.example", set(&["x"]), None, later);
    assert_eq!(cache.age_ms("https://attacker.example", later), None);
}
