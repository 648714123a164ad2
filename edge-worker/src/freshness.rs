//! When a document may be used as it is, when it is refreshed behind the request, and when a
//! request waits for the refresh. Pure: the moment is passed in, all durations are milliseconds.
//!
//! A Worker's request can't await another request's promise. So a refresh is a lease: whoever
//! takes it refreshes, and the others look at the memory again when it has ended.

use jwks_cache::{Attempts, Pace};
use plinto_contract::time::UnixMillis;

/// 3 s: longest a request waits for documents, whichever and however many it lacks.
pub const WAIT_MS: i64 = 3_000;
/// A control plane that came back is noticed within ten seconds.
const PACE: Pace = Pace {
    first_backoff_ms: 1_000,
    last_backoff_ms: 10_000,
    lease_ms: 5_000,
};

/// What a document's age asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Use it.
    Fresh,
    /// Use it; it is due, so refresh behind the request.
    Behind,
    /// It is older than the bound: wait for a refresh, then look again.
    Wait,
    /// It is older than the bound, but the last refresh failed just now: make do with what is
    /// there, or refuse.
    Overdue,
    /// The same, and the pause is over: make do with what is there and try behind the request, or
    /// without anything usable wait. A control plane that is gone costs requests one time-out,
    /// and not another one after each pause.
    Retry,
}

/// How fresh one document is and who refreshes it.
#[derive(Debug, Default)]
pub struct Freshness {
    confirmed_at: Option<UnixMillis>,
    attempts: Attempts,
}

impl Freshness {
    /// Judges by age against `max_age_ms`. From half of it on, the refresh runs behind requests,
    /// so that under steady traffic none ever waits.
    pub fn judge(&self, max_age_ms: i64, now: UnixMillis) -> Use {
        match self.age_ms(now) {
            Some(age) if age < max_age_ms / 2 => Use::Fresh,
            Some(age) if age < max_age_ms && self.attempts.is_pausing(now.0) => Use::Fresh,
            Some(age) if age < max_age_ms => Use::Behind,
            _ if self.attempts.is_pausing(now.0) => Use::Overdue,
            _ if self.is_retrying(max_age_ms, now) => Use::Retry,
            _ => Use::Wait,
        }
    }

    /// Milliseconds since the control plane last confirmed the document; `None` if it never did,
    /// or if the clock was set back behind that moment.
    pub fn age_ms(&self, now: UnixMillis) -> Option<i64> {
        let age = now.millis_since(self.confirmed_at?);
        (age >= 0).then_some(age)
    }

    /// Takes the lease, unless somebody has it or the last attempt failed just now.
    pub fn lease(&mut self, now: UnixMillis) -> bool {
        self.attempts.begin(&PACE, now.0).is_some()
    }

    /// Whether a refresh is under way.
    pub fn is_leased(&self, now: UnixMillis) -> bool {
        self.attempts.running_since_ms(&PACE, now.0).is_some()
    }

    /// The document was what the control plane had at `asked_at`, the moment the question left.
    pub fn confirmed(&mut self, asked_at: UnixMillis) {
        // A slow answer must not make the document look older than a later one did.
        self.confirmed_at = self.confirmed_at.max(Some(asked_at));
        self.attempts.end_running();
        self.attempts.succeeded();
    }

    /// The refresh brought nothing usable.
    pub fn failed(&mut self, now: UnixMillis) {
        self.attempts.end_running();
        self.attempts.failed(&PACE, now.0);
    }

    /// Whether refreshes fail, as far as traffic can tell. If nobody has tried again for as long
    /// as a request may be held up, nobody knows any more how the control plane is, so requests
    /// wait again.
    fn is_retrying(&self, max_age_ms: i64, now: UnixMillis) -> bool {
        let tried_at_ms = self.attempts.running_since_ms(&PACE, now.0);
        let lately_ms = max_age_ms.max(WAIT_MS);
        self.attempts
            .failed_within(lately_ms, tried_at_ms.unwrap_or(now.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_AGE_MS: i64 = 1_000;

    fn at(millis: i64) -> UnixMillis {
        UnixMillis(1_700_000_000_000).plus_millis(millis)
    }

    fn confirmed() -> Freshness {
        let mut freshness = Freshness::default();
        freshness.confirmed(at(0));
        freshness
    }

    #[test]
    fn a_document_is_used_refreshed_behind_then_waited_for() {
        let freshness = confirmed();
        assert_eq!(freshness.judge(MAX_AGE_MS, at(499)), Use::Fresh);
        assert_eq!(freshness.judge(MAX_AGE_MS, at(500)), Use::Behind);
        assert_eq!(freshness.judge(MAX_AGE_MS, at(999)), Use::Behind);
        assert_eq!(freshness.judge(MAX_AGE_MS, at(1_000)), Use::Wait);
        assert_eq!(Freshness::default().judge(MAX_AGE_MS, at(0)), Use::Wait);
    }

    #[test]
    fn one_refresh_runs_at_a_time_and_a_lost_one_lapses() {
        let mut freshness = confirmed();
        assert!(freshness.lease(at(600)));
        assert!(!freshness.lease(at(700)));
        assert!(freshness.lease(at(600 + PACE.lease_ms)));
    }

    #[test]
    fn failures_pause_longer_and_longer_but_never_more_than_ten_seconds() {
        let mut freshness = confirmed();
        for (failures, pause_ms) in [(1, 1_000), (2, 2_000), (3, 4_000), (4, 8_000), (5, 10_000)] {
            let now = at(100_000 * failures);
            assert_eq!(freshness.judge(MAX_AGE_MS, now), Use::Wait);
            assert!(freshness.lease(now));
            freshness.failed(now);
            assert_eq!(
                freshness.judge(MAX_AGE_MS, now.plus_millis(pause_ms - 1)),
                Use::Overdue
            );
            assert!(!freshness.lease(now.plus_millis(pause_ms - 1)));
            assert_eq!(
                freshness.judge(MAX_AGE_MS, now.plus_millis(pause_ms)),
                Use::Retry
            );
        }
        freshness.confirmed(at(900_000));
        assert_eq!(freshness.judge(MAX_AGE_MS, at(900_001)), Use::Fresh);
    }

    #[test]
    fn under_traffic_a_failing_refresh_is_retried_behind_and_after_a_quiet_waited_for() {
        let mut freshness = confirmed();
        assert!(freshness.lease(at(600)));
        freshness.failed(at(3_100));
        // the pause ends at 4,100, and traffic tries again within the 3 s after it
        assert_eq!(freshness.judge(MAX_AGE_MS, at(7_099)), Use::Retry);
        assert_eq!(freshness.judge(MAX_AGE_MS, at(7_100)), Use::Wait);
        // while the retry runs, requests don't wait for it either
        let mut retried = confirmed();
        retried.failed(at(3_100));
        assert!(retried.lease(at(4_200)));
        assert_eq!(retried.judge(MAX_AGE_MS, at(6_700)), Use::Retry);
        // one that began after a quiet is waited for by all
        assert!(freshness.lease(at(60_000)));
        assert_eq!(freshness.judge(MAX_AGE_MS, at(60_100)), Use::Wait);
    }

    #[test]
    fn a_slow_answer_never_makes_a_document_younger_or_older_than_it_is() {
        let mut freshness = confirmed();
        freshness.confirmed(at(800));
        freshness.confirmed(at(300));
        assert_eq!(freshness.age_ms(at(900)), Some(100));
    }

    #[test]
    fn a_clock_set_back_asks_for_a_refresh() {
        let freshness = confirmed();
        assert_eq!(freshness.age_ms(at(-1)), None);
        assert_eq!(freshness.judge(MAX_AGE_MS, at(-1)), Use::Wait);
    }
}
