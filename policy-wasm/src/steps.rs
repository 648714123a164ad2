//! The interpreter's step budget.
//!
//! The engine bounds an evaluation by time only, and in a Worker the clock stands still while it
//! computes. So the "clock" the engine gets counts how often it is read, and jumps to the end of
//! time once the budget is spent: the same evaluation stops at the same step everywhere.

use std::{
    cell::Cell,
    num::{NonZeroU32, NonZeroU64},
    sync::OnceLock,
    time::Duration,
};

use regorus::utils::limits::{ExecutionTimerConfig, TimeSource, set_time_source};

/// 8: the engine reads the "clock" at every eighth step, which makes reading it cheap.
const STEPS_PER_READING: NonZeroU32 = NonZeroU32::new(8).unwrap();
/// The engine's own limit. Only [`Duration::MAX`] lies beyond it.
const NEVER: Duration = Duration::from_secs(u64::MAX >> 1);

#[derive(Debug, Clone, Copy, Default)]
struct Meter {
    readings: u64,
    budget: u64,
}

thread_local! {
    // One evaluation runs on one thread, start to end; a Worker has only one.
    static METER: Cell<Meter> = const { Cell::new(Meter { readings: 0, budget: 0 }) };
}

struct Counter;

impl TimeSource for Counter {
    fn now(&self) -> Option<Duration> {
        METER.with(|cell| {
            let mut meter = cell.get();
            meter.readings = meter.readings.saturating_add(1);
            cell.set(meter);
            Some(if meter.readings > meter.budget {
                Duration::MAX
            } else {
                Duration::ZERO
            })
        })
    }
}

/// What an engine must be configured with for its steps to count.
pub(crate) const fn timer() -> ExecutionTimerConfig {
    ExecutionTimerConfig {
        limit: NEVER,
        check_interval: STEPS_PER_READING,
    }
}

/// What an evaluation cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent {
    /// Steps, in units of [`STEPS_PER_READING`].
    pub(crate) steps: u64,
    /// Whether the budget was not enough.
    pub(crate) exhausted: bool,
}

/// Whether the counter is the engine's clock. If another crate of this process installed one
/// first, there is no bound and nothing may be evaluated.
pub(crate) fn installed() -> bool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    *INSTALLED.get_or_init(|| set_time_source(&Counter).is_ok())
}

/// Runs `evaluation` with a budget of `steps`.
pub(crate) fn metered<T>(steps: u64, evaluation: impl FnOnce() -> T) -> (T, Spent) {
    let per_reading = NonZeroU64::from(STEPS_PER_READING);
    let budget = steps / per_reading;
    METER.set(Meter {
        readings: 0,
        budget,
    });
    let value = evaluation();
    let meter = METER.replace(Meter::default());
    let spent = Spent {
        steps: meter.readings.saturating_mul(per_reading.get()),
        exhausted: meter.readings > budget,
    };
    (value, spent)
}
