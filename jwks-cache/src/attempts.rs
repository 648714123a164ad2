//! The attempts to fetch one document: who is at it, and how long it is left alone after failures.

/// How fast attempts may follow each other. Milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Pause after the first failed attempt; doubles with each further one.
    pub first_backoff_ms: i64,
    /// The longest pause.
    pub last_backoff_ms: i64,
    /// How long an attempt may take before somebody else may start one.
    pub lease_ms: i64,
}

impl Pace {
    /// Pause after this many failures in a row.
    fn backoff_ms(&self, failures: u32) -> i64 {
        let doublings = failures.saturating_sub(1).min(32);
        self.first_backoff_ms
            .saturating_mul(1_i64.wrapping_shl(doublings))
            .min(self.last_backoff_ms)
    }
}

#[derive(Debug)]
struct Running {
    attempt: u64,
    started_at_ms: i64,
}

#[derive(Debug)]
struct Failing {
    times: u32,
    since_ms: i64,
    pause_ms: i64,
}

/// The attempts for one document. One runs at a time; one whose report never comes lapses.
#[derive(Debug, Default)]
pub struct Attempts {
    running: Option<Running>,
    failing: Option<Failing>,
    begun: u64,
}

impl Attempts {
    /// Starts one, unless one is running or the pause after a failure goes on. Returns its number.
    pub fn begin(&mut self, pace: &Pace, now_ms: i64) -> Option<u64> {
        if self.next_ms(pace, now_ms) > now_ms {
            return None;
        }
        self.begun = self.begun.saturating_add(1);
        self.running = Some(Running {
            attempt: self.begun,
            started_at_ms: now_ms,
        });
        Some(self.begun)
    }

    /// Ends this one; `false` when it lapsed, and another one was started since.
    pub fn end(&mut self, attempt: u64) -> bool {
        let is_running = self
            .running
            .as_ref()
            .is_some_and(|running| running.attempt == attempt);
        if is_running {
            self.running = None;
        }
        is_running
    }

    /// Ends whichever is running.
    pub fn end_running(&mut self) {
        self.running = None;
    }

    /// What was tried last went well.
    pub fn succeeded(&mut self) {
        self.failing = None;
    }

    /// What was tried last brought nothing usable: the next pause is longer.
    pub fn failed(&mut self, pace: &Pace, now_ms: i64) {
        let times = self.failing.as_ref().map_or(0, |failing| failing.times);
        let times = times.saturating_add(1);
        self.failing = Some(Failing {
            times,
            since_ms: now_ms,
            pause_ms: pace.backoff_ms(times),
        });
    }

    /// When the one that runs was started; `None` without one.
    pub fn running_since_ms(&self, pace: &Pace, now_ms: i64) -> Option<i64> {
        let since_ms = self.running.as_ref()?.started_at_ms;
        within(since_ms, pace.lease_ms, now_ms).then_some(since_ms)
    }

    /// Whether the last one to end brought nothing usable.
    pub const fn is_failing(&self) -> bool {
        self.failing.is_some()
    }

    /// Whether the pause after a failure goes on.
    pub fn is_pausing(&self, now_ms: i64) -> bool {
        self.failing
            .as_ref()
            .is_some_and(|failing| within(failing.since_ms, failing.pause_ms, now_ms))
    }

    /// Whether the pause after the last failure, and `length_ms` after it, hold `at_ms`.
    pub fn failed_within(&self, length_ms: i64, at_ms: i64) -> bool {
        self.failing.as_ref().is_some_and(|failing| {
            let length_ms = failing.pause_ms.saturating_add(length_ms);
            within(failing.since_ms, length_ms, at_ms)
        })
    }

    /// The end of the pause after the last failure, past or to come.
    pub fn pause_ends_ms(&self) -> Option<i64> {
        let failing = self.failing.as_ref()?;
        Some(failing.since_ms.saturating_add(failing.pause_ms))
    }

    /// The earliest time an attempt may start: `now_ms` when it may at once.
    pub fn next_ms(&self, pace: &Pace, now_ms: i64) -> i64 {
        let lapses_ms = self.running.as_ref().map_or(now_ms, |running| {
            end_of(running.started_at_ms, pace.lease_ms, now_ms)
        });
        let pause_ends_ms = self.failing.as_ref().map_or(now_ms, |failing| {
            end_of(failing.since_ms, failing.pause_ms, now_ms)
        });
        lapses_ms.max(pause_ends_ms)
    }
}

/// Whether `now` lies in the `length` after `start`. A clock set back ends every such period,
/// so that no pause outlives it.
pub(crate) fn within(start_ms: i64, length_ms: i64, now_ms: i64) -> bool {
    now_ms >= start_ms && now_ms < start_ms.saturating_add(length_ms)
}

/// The end of a period that contains `now_ms`; otherwise `now_ms`.
pub(crate) fn end_of(start_ms: i64, length_ms: i64, now_ms: i64) -> i64 {
    if within(start_ms, length_ms, now_ms) {
        start_ms.saturating_add(length_ms)
    } else {
        now_ms
    }
}
