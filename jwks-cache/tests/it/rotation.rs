//! T15: keys rotate under load and no valid token is refused.

use std::collections::VecDeque;

use jwks_cache::{KeyCache, Lease, Lookup, Settings};

use crate::keys::{ALG, ISSUER, MINUTE, SECOND, T0, set};

/// An issuer that rotates with notice: a key is published a while before it signs, and stays
/// published for the life of what it signed.
struct Issuer {
    /// (key id, published from, signs from, signs until, published until)
    plan: Vec<(&'static str, i64, i64, i64, i64)>,
}

impl Issuer {
    fn published(&self, now_ms: i64) -> Vec<&'static str> {
        let on = |(_, from, _, _, until): &&(&str, i64, i64, i64, i64)| {
            (*from..*until).contains(&now_ms)
        };
        self.plan.iter().filter(on).map(|(kid, ..)| *kid).collect()
    }

    fn signing(&self, now_ms: i64) -> &'static str {
        let on = |(_, _, from, until, _): &&(&str, i64, i64, i64, i64)| {
            (*from..*until).contains(&now_ms)
        };
        self.plan.iter().find(on).unwrap().0
    }
}

/// 500 requests a second for 40 minutes, tokens up to 10 minutes old, fetches that take 200 ms,
/// every third of which fails: no refusal, and few fetches.
#[test]
fn rotation_under_load_refuses_no_valid_token() {
    let max_age = 10 * MINUTE;
    let at = |minutes: i64| T0 + minutes * MINUTE;
    let issuer = Issuer {
        plan: vec![
            ("k1", at(-60), at(-60), at(20), at(31)),
            // Published 16 minutes ahead: the longest a stale set may serve, and a minute.
            ("k2", at(4), at(20), at(60), at(90)),
        ],
    };
    let mut cache = KeyCache::new(Settings::default(), [ISSUER]);
    let lease = cache.begin_refresh(ISSUER, T0).unwrap();
    cache.store(lease, set(&issuer.published(T0)), Some(max_age / SECOND));
    let mut running: VecDeque<(i64, Lease)> = VecDeque::new();
    let (mut fetches, mut refused, mut stale, mut requests) = (0, 0, 0, 0);
    let mut now = T0;
    while now < at(40) {
        while running.front().is_some_and(|(end, _)| *end <= now) {
            let (_, lease) = running.pop_front().unwrap();
            if fetches % 3 == 0 {
                cache.failed(lease, now);
            } else {
                cache.store(
                    lease,
                    set(&issuer.published(now - 200)),
                    Some(max_age / SECOND),
                );
            }
        }
        // Ages 0, 1, … 9 minutes in turn.
        let signed_at = now - (requests % 10) * MINUTE;
        let kid = issuer.signing(signed_at);
        match cache.lookup(ISSUER, kid, ALG, now) {
            Lookup::Fresh(_) => {}
            Lookup::Stale(_) => {
                stale += 1;
                if let Some(lease) = cache.begin_refresh(ISSUER, now) {
                    fetches += 1;
                    running.push_back((now + 200, lease));
                }
            }
            Lookup::Missing { .. } => refused += 1,
        }
        requests += 1;
        now += 2;
    }
    assert_eq!(requests, 40 * 60 * 500);
    assert_eq!(refused, 0);
    assert!((3..=6).contains(&fetches), "{fetches} fetches");
    assert!(stale > 0, "the refreshes ran behind requests");
}

/// A key used without notice: tokens signed with it pass as soon as the first of them has
/// caused a fetch.
#[test]
fn a_new_key_without_notice_costs_one_fetch() {
    let mut cache = crate::keys::filled(&["k1"], T0);
    let now = T0 + 2 * MINUTE;
    assert!(matches!(
        cache.lookup(ISSUER, "k2", ALG, now),
        Lookup::Missing { fetch: true, .. }
    ));
    let lease = cache.begin_refresh(ISSUER, now).unwrap();
    cache.store(lease, set(&["k1", "k2"]), None);
    assert!(matches!(
        cache.lookup(ISSUER, "k2", ALG, now + 50),
        Lookup::Fresh(_)
    ));
}
