//! Fresh, stale, missing, and when to fetch.

use jwks_cache::{Absence, KeyCache, Lookup, Settings};

use crate::keys::{
    ALG, HOUR, ISSUER, MINUTE, SECOND, Said, T0, ask, begin, cache, filled, key, set,
};

#[test]
fn an_empty_cache_asks_for_a_fetch_and_then_knows() {
    let mut cache = cache();
    assert_eq!(ask(&mut cache, "a", T0), Said::Fetch(Absence::NoKeys));
    let lease = begin(&mut cache, T0);
    assert_eq!(lease.issuer(), ISSUER);
    cache.store(lease, set(&["a", "b"]), None);
    assert_eq!(ask(&mut cache, "a", T0 + SECOND), Said::Fresh);
    assert_eq!(ask(&mut cache, "b", T0 + SECOND), Said::Fresh);
}

/// T12: only listed issuers are looked up or fetched, whatever a token says.
#[test]
fn other_issuers_are_never_fetched() {
    let mut cache = filled(&["a"], T0);
    for issuer in ["https://attacker.example", "", "https://id.example/t/acme/"] {
        assert_eq!(
            cache.lookup(issuer, "a", ALG, T0),
            Lookup::Missing {
                fetch: false,
                retry_at_ms: i64::MAX,
                why: Absence::UnknownIssuer
            }
        );
        assert!(cache.begin_refresh(issuer, T0 + HOUR).is_none());
        assert!(!cache.is_refreshing(issuer, T0));
    }
}

/// Two issuers with the same key id hold two keys.
#[test]
fn issuers_do_not_share_keys() {
    let mut cache = KeyCache::new(Settings::default(), [ISSUER, "https://id.example/t/other"]);
    let lease = begin(&mut cache, T0);
    cache.store(lease, set(&["a"]), None);
    assert!(matches!(
        cache.lookup(ISSUER, "a", ALG, T0),
        Lookup::Fresh(_)
    ));
    assert!(matches!(
        cache.lookup("https://id.example/t/other", "a", ALG, T0),
        Lookup::Missing {
            fetch: true,
            why: Absence::NoKeys,
            ..
        }
    ));
}

/// RFC 9111 §4.2.3: what a cache had kept for a while is no fresher than it says.
#[test]
fn a_set_that_was_old_when_it_came_is_that_old() {
    let mut cache = cache();
    let lease = begin(&mut cache, T0);
    cache.store(lease.older_by(50 * SECOND), set(&["a"]), Some(60));
    assert_eq!(ask(&mut cache, "a", T0 + 9 * SECOND), Said::Fresh);
    assert_ne!(ask(&mut cache, "a", T0 + 11 * SECOND), Said::Fresh);
    assert_eq!(cache.age_ms(ISSUER, T0), Some(50 * SECOND));
}

/// A cache in between that serves what it has while the issuer is away takes no better set's place, and
/// is not asked again at once.
#[test]
fn a_set_older_than_the_one_in_hand_is_not_taken() {
    let mut cache = filled(&["a"], T0);
    let asked_at = T0 + 11 * MINUTE;
    let lease = begin(&mut cache, asked_at);
    let older = lease.older_by(12 * MINUTE);
    assert!(!cache.store(older, set(&["b"]), None));
    assert_eq!(ask(&mut cache, "a", asked_at), Said::Stale);
    assert_eq!(cache.age_ms(ISSUER, asked_at), Some(11 * MINUTE));
    assert!(cache.is_failing(ISSUER));
    assert!(cache.begin_refresh(ISSUER, asked_at + SECOND).is_none());
    // A younger one is.
    let asked_at = asked_at + MINUTE;
    let lease = begin(&mut cache, asked_at);
    assert!(cache.store(lease.older_by(MINUTE), set(&["b"]), None));
    assert_eq!(ask(&mut cache, "b", asked_at), Said::Fresh);
    assert!(!cache.is_failing(ISSUER));
}

/// One that is no longer fresh when it comes serves where there is none, with a pause before the next.
#[test]
fn a_set_too_old_to_be_fresh_is_better_than_none() {
    let mut cache = cache();
    let lease = begin(&mut cache, T0);
    assert!(cache.store(lease.older_by(HOUR), set(&["a"]), None));
    assert_eq!(ask(&mut cache, "a", T0), Said::Stale);
    assert!(cache.is_failing(ISSUER));
    assert!(cache.begin_refresh(ISSUER, T0 + SECOND).is_none());
    let _ = begin(&mut cache, T0 + 11 * SECOND);
}

/// A clock that was set back since makes no set younger for ever.
#[test]
fn a_set_from_the_future_is_replaced() {
    let mut cache = filled(&["a"], T0 + HOUR);
    let lease = begin(&mut cache, T0);
    assert!(cache.store(lease, set(&["b"]), None));
    assert_eq!(ask(&mut cache, "b", T0), Said::Fresh);
}

/// The issuer's `max-age` counts between one minute and one hour, from the fetch's start.
#[test]
fn freshness_follows_the_issuer_within_bounds() {
    for (asked_s, granted_ms) in [
        (None, 10 * MINUTE),
        (Some(0), MINUTE),
        (Some(-5), MINUTE),
        (Some(59), MINUTE),
        (Some(600), 10 * MINUTE),
        (Some(3_600), HOUR),
        (Some(86_400), HOUR),
        (Some(i64::MAX), HOUR),
        (Some(i64::MIN), MINUTE),
    ] {
        let mut cache = cache();
        let lease = begin(&mut cache, T0);
        cache.store(lease, set(&["a"]), asked_s);
        assert_eq!(
            ask(&mut cache, "a", T0 + granted_ms - 1),
            Said::Fresh,
            "{asked_s:?}"
        );
        assert_eq!(
            ask(&mut cache, "a", T0 + granted_ms),
            Said::Stale,
            "{asked_s:?}"
        );
    }
}

#[test]
fn a_stale_key_is_used_while_one_refresh_runs_behind() {
    let mut cache = filled(&["a"], T0);
    let stale = T0 + 10 * MINUTE;
    assert_eq!(ask(&mut cache, "a", stale), Said::Stale);
    let lease = begin(&mut cache, stale);
    assert!(cache.is_refreshing(ISSUER, stale));
    assert_eq!(ask(&mut cache, "a", stale + 1), Said::Stale);
    assert!(
        cache.begin_refresh(ISSUER, stale + 1).is_none(),
        "one at a time"
    );
    cache.store(lease, set(&["a"]), None);
    assert!(!cache.is_refreshing(ISSUER, stale + 2));
    assert_eq!(ask(&mut cache, "a", stale + 2), Said::Fresh);
}

/// T15: a long idle cache asks before it trusts a key again, so that a withdrawn key is not
/// good for a last request hours later.
#[test]
fn a_key_past_the_stale_window_waits_for_the_issuer() {
    let mut cache = filled(&["a"], T0);
    let window = T0 + 15 * MINUTE;
    assert_eq!(ask(&mut cache, "a", window - 1), Said::Stale);
    assert_eq!(ask(&mut cache, "a", window), Said::Fetch(Absence::Expired));
    let lease = begin(&mut cache, window);
    // Others who come meanwhile wait for the same fetch.
    assert_eq!(
        ask(&mut cache, "a", window + SECOND),
        Said::Wait(Absence::Expired, window + 10 * SECOND)
    );
    cache.store(lease, set(&["b"]), None);
    assert_eq!(
        ask(&mut cache, "a", window + 2 * SECOND),
        Said::Wait(Absence::UnknownKid, window + MINUTE)
    );
    assert_eq!(ask(&mut cache, "b", window + 2 * SECOND), Said::Fresh);
}

/// An issuer that can't be reached: keys stay in use, up to their hard maximum age.
#[test]
fn failures_keep_keys_until_the_hard_maximum_age() {
    let mut cache = filled(&["a"], T0);
    let hard = T0 + 24 * HOUR;
    let mut now = T0 + 10 * MINUTE;
    while now < hard {
        assert_eq!(
            ask(&mut cache, "a", now),
            Said::Stale,
            "{} min",
            (now - T0) / MINUTE
        );
        if let Some(lease) = cache.begin_refresh(ISSUER, now) {
            cache.failed(lease, now);
        }
        now += MINUTE;
    }
    assert!(matches!(
        ask(&mut cache, "a", hard),
        Said::Wait(Absence::NoKeys, _)
    ));
    assert_eq!(
        ask(&mut cache, "a", hard + 10 * MINUTE),
        Said::Fetch(Absence::NoKeys)
    );
}

/// Pauses after failures: 10, 20, 40, 80, 160 s, then 300 s; a success ends them.
#[test]
fn failed_fetches_back_off() {
    let mut cache = cache();
    let mut now = T0;
    for pause_s in [10, 20, 40, 80, 160, 300, 300, 300] {
        assert_eq!(ask(&mut cache, "a", now), Said::Fetch(Absence::NoKeys));
        let lease = begin(&mut cache, now);
        cache.failed(lease, now);
        let end = now + pause_s * SECOND;
        assert_eq!(
            ask(&mut cache, "a", end - 1),
            Said::Wait(Absence::NoKeys, end)
        );
        assert!(cache.begin_refresh(ISSUER, end - 1).is_none());
        now = end;
    }
    let lease = begin(&mut cache, now);
    cache.store(lease, set(&["a"]), Some(60));
    let stale = now + MINUTE;
    let lease = begin(&mut cache, stale);
    cache.failed(lease, stale);
    assert!(
        cache
            .begin_refresh(ISSUER, stale + 10 * SECOND - 1)
            .is_none()
    );
    assert!(
        cache.begin_refresh(ISSUER, stale + 10 * SECOND).is_some(),
        "the count began anew"
    );
}

/// T12: an unknown key id costs one fetch per cooldown.
#[test]
fn unknown_kid_fetches_once_per_cooldown() {
    let mut cache = filled(&["a"], T0);
    let later = T0 + 5 * MINUTE;
    assert_eq!(
        ask(&mut cache, "x", later),
        Said::Fetch(Absence::UnknownKid)
    );
    let lease = begin(&mut cache, later);
    assert!(matches!(
        ask(&mut cache, "y", later),
        Said::Wait(Absence::UnknownKid, _)
    ));
    cache.store(lease, set(&["a"]), None);
    for millis in [1, 1_000, 29_999] {
        assert!(matches!(
            ask(&mut cache, "z", later + millis),
            Said::Wait(Absence::UnknownKid, _)
        ));
        assert!(cache.begin_refresh(ISSUER, later + millis).is_none());
        assert_eq!(ask(&mut cache, "a", later + millis), Said::Fresh);
    }
    assert_eq!(
        ask(&mut cache, "w", later + 30 * SECOND),
        Said::Fetch(Absence::UnknownKid)
    );
}

/// T12: the same with a set that is empty.
#[test]
fn an_empty_set_has_a_cooldown_too() {
    let mut cache = filled(&[], T0);
    assert!(matches!(
        ask(&mut cache, "a", T0 + 1),
        Said::Wait(Absence::UnknownKid, _)
    ));
    assert!(cache.begin_refresh(ISSUER, T0 + 29_999).is_none());
    assert_eq!(
        ask(&mut cache, "b", T0 + 30 * SECOND),
        Said::Fetch(Absence::UnknownKid)
    );
}

/// T12: a failed fetch for an unknown key id has its cooldown like a good one.
#[test]
fn a_failed_fetch_does_not_shorten_the_cooldown() {
    let mut cache = filled(&["a"], T0);
    let later = T0 + 5 * MINUTE;
    let lease = begin(&mut cache, later);
    cache.failed(lease, later + SECOND);
    let cool = later + 30 * SECOND;
    assert_eq!(
        ask(&mut cache, "x", later + 20 * SECOND),
        Said::Wait(Absence::UnknownKid, cool)
    );
    assert!(cache.begin_refresh(ISSUER, cool - 1).is_none());
    assert_eq!(ask(&mut cache, "x", cool), Said::Fetch(Absence::UnknownKid));
}

/// T12: the same while the set is stale and its refreshes fail: those may be retried sooner, but
/// not because of an unknown key id.
#[test]
fn an_unknown_kid_does_not_hurry_a_failing_refresh() {
    let mut cache = filled(&["a"], T0);
    let stale = T0 + 10 * MINUTE;
    let lease = begin(&mut cache, stale);
    cache.failed(lease, stale);
    let cool = stale + 30 * SECOND;
    assert_eq!(
        ask(&mut cache, "x", stale + 15 * SECOND),
        Said::Wait(Absence::UnknownKid, cool)
    );
    assert_eq!(ask(&mut cache, "a", stale + 15 * SECOND), Said::Stale);
    assert!(cache.begin_refresh(ISSUER, stale + 15 * SECOND).is_some());
}

/// A key id that a new set lacked is remembered for a minute: others may cause the next fetch.
#[test]
fn a_known_absence_is_remembered() {
    let mut cache = filled(&["a"], T0);
    let until = T0 + MINUTE;
    assert_eq!(
        ask(&mut cache, "x", T0 + SECOND),
        Said::Wait(Absence::UnknownKid, until)
    );
    assert_eq!(
        ask(&mut cache, "x", T0 + 40 * SECOND),
        Said::Wait(Absence::UnknownKid, until)
    );
    assert_eq!(
        ask(&mut cache, "y", T0 + 40 * SECOND),
        Said::Fetch(Absence::UnknownKid)
    );
    assert_eq!(
        ask(&mut cache, "x", until),
        Said::Fetch(Absence::UnknownKid)
    );
}

/// T15: what an old set lacked may have been published since. A stranger who asked for a key before
/// its time must not keep it out.
#[test]
fn an_absence_counts_only_while_the_set_that_shows_it_is_fresh() {
    let mut cache = KeyCache::new(Settings::prompt(), [ISSUER]);
    let lease = begin(&mut cache, T0);
    cache.store(lease, set(&["a"]), None);
    let early = ask(&mut cache, "coming", T0 + SECOND);
    assert!(matches!(early, Said::Wait(Absence::UnknownKid, _)));
    let stale = T0 + 30 * SECOND;
    assert_eq!(
        ask(&mut cache, "coming", stale),
        Said::Fetch(Absence::UnknownKid)
    );
}

/// T12: the memory for absences is bounded and never costs a good key.
#[test]
fn random_kids_fill_no_memory_and_evict_nothing() {
    let mut cache = filled(&["a"], T0);
    for i in 0..10_000 {
        let _ = ask(&mut cache, &format!("random-{i}"), T0 + SECOND);
        assert!(cache.unknown_kids(ISSUER) <= 256);
    }
    assert_eq!(cache.unknown_kids(ISSUER), 256);
    assert_eq!(ask(&mut cache, "a", T0 + SECOND), Said::Fresh);
    let too_long = "k".repeat(65);
    let _ = ask(&mut cache, &too_long, T0 + SECOND);
    assert_eq!(
        ask(&mut cache, &too_long, T0 + 40 * SECOND),
        Said::Fetch(Absence::UnknownKid),
        "not worth remembering"
    );
    assert!(
        matches!(
            ask(&mut cache, "random-9999", T0 + 40 * SECOND),
            Said::Wait(..)
        ),
        "newest kept"
    );
    assert!(
        matches!(
            ask(&mut cache, "random-0", T0 + 40 * SECOND),
            Said::Fetch(_)
        ),
        "oldest gone"
    );
    let _ = ask(&mut cache, "b", T0 + 2 * MINUTE);
    assert_eq!(cache.unknown_kids(ISSUER), 0, "forgotten after a minute");
}

/// A holder that vanished (a cancelled request) doesn't block others for longer than the lease.
#[test]
fn a_lost_lease_lapses() {
    let mut cache = cache();
    drop(begin(&mut cache, T0));
    let end = T0 + 10 * SECOND;
    assert_eq!(
        ask(&mut cache, "a", end - 1),
        Said::Wait(Absence::NoKeys, end)
    );
    assert_eq!(ask(&mut cache, "a", end), Said::Fetch(Absence::NoKeys));
}

/// Two fetches cross: the answer asked for last is the one kept.
#[test]
fn a_slow_answer_does_not_replace_a_newer_one() {
    let mut cache = cache();
    let slow = begin(&mut cache, T0);
    let quick = begin(&mut cache, T0 + 10 * SECOND);
    cache.store(quick, set(&["new"]), None);
    cache.store(slow, set(&["old"]), None);
    assert_eq!(ask(&mut cache, "new", T0 + 11 * SECOND), Said::Fresh);
    assert!(matches!(
        ask(&mut cache, "old", T0 + 11 * SECOND),
        Said::Wait(..)
    ));
}

/// A late failure report says nothing about the fetch that runs now.
#[test]
fn a_late_failure_does_not_end_a_newer_fetch() {
    let mut cache = cache();
    let slow = begin(&mut cache, T0);
    let quick = begin(&mut cache, T0 + 10 * SECOND);
    cache.failed(slow, T0 + 11 * SECOND);
    assert!(cache.is_refreshing(ISSUER, T0 + 11 * SECOND));
    let lapse = T0 + 20 * SECOND;
    assert_eq!(
        ask(&mut cache, "a", T0 + 12 * SECOND),
        Said::Wait(Absence::NoKeys, lapse)
    );
    drop(quick);
    assert_eq!(ask(&mut cache, "a", lapse), Said::Fetch(Absence::NoKeys));
}

/// A slow answer that comes while the next fetch runs is better than nothing.
#[test]
fn a_slow_answer_serves_until_the_next_one() {
    let mut cache = cache();
    let slow = begin(&mut cache, T0);
    let quick = begin(&mut cache, T0 + 10 * SECOND);
    cache.store(slow, set(&["a"]), None);
    assert_eq!(ask(&mut cache, "a", T0 + 11 * SECOND), Said::Fresh);
    assert!(
        cache.is_refreshing(ISSUER, T0 + 11 * SECOND),
        "the newer fetch goes on"
    );
    cache.failed(quick, T0 + 12 * SECOND);
    assert_eq!(ask(&mut cache, "a", T0 + 13 * SECOND), Said::Fresh);
}

/// A clock set back by minutes neither drops keys nor blocks fetches for as long.
#[test]
fn a_clock_set_back_heals_itself() {
    let mut cache = filled(&["a"], T0);
    let back = T0 - 5 * MINUTE;
    assert_eq!(ask(&mut cache, "a", back), Said::Stale);
    let lease = begin(&mut cache, back);
    cache.store(lease, set(&["a"]), None);
    assert_eq!(ask(&mut cache, "a", back), Said::Fresh);
}

/// Keys without a key id can't be asked for.
#[test]
fn keys_without_a_kid_are_left_out() {
    let mut nameless = key("x");
    nameless.kid = None;
    let mut set = set(&["a"]);
    set.keys.push(nameless);
    let mut cache = cache();
    let lease = begin(&mut cache, T0);
    cache.store(lease, set, None);
    assert_eq!(ask(&mut cache, "a", T0), Said::Fresh);
    assert!(matches!(
        ask(&mut cache, "", T0),
        Said::Wait(Absence::UnknownKid, _)
    ));
}
