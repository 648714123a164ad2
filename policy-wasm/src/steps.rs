//! The interpreter's step budget.
//!
//! The engine bounds an evaluation by time only, and in a Worker the clock stands still while it
//! computes. So the "clock" the engine gets counts how often it is read, and jumps to the end of
//! time once the budget is spent: the same evaluation stops at the same step everywhere.
//!
//! One step of the interpreter may call a builtin that copies a megabyte, so builtins pay for what
//! they read and make ([`charge`]). Operators cannot be made to pay; where memory ends with the
//! isolate, in wasm, the clock also looks at how much memory grew.

use std::{cell::Cell, num::NonZeroU32, sync::OnceLock, time::Duration};

use regorus::utils::limits::{ExecutionTimerConfig, TimeSource, set_time_source};

/// 8: the engine reads the "clock" at every eighth step, which makes reading it cheap.
const STEPS_PER_READING: NonZeroU32 = NonZeroU32::new(8).unwrap();
/// The engine's own limit. Only [`Duration::MAX`] lies beyond it.
const NEVER: Duration = Duration::from_secs(u64::MAX >> 1);

/// 32 MiB: memory that evaluations may take from the isolate's 128. Source: statement Z8.
#[cfg(target_arch = "wasm32")]
const GROWTH_BYTES: usize = 32 << 20;
/// 4 MiB: what an evaluation may take when the rest of the program, or a larger bundle, has used
/// that up. It would otherwise be refused for a page that somebody else left it to ask for.
#[cfg(target_arch = "wasm32")]
const SLACK_BYTES: usize = 4 << 20;

#[derive(Debug, Clone, Copy, Default)]
struct Meter {
    steps: u64,
    budget: u64,
    /// What memory may grow to.
    memory: usize,
}

impl Meter {
    const fn is_exhausted(&self) -> bool {
        self.steps > self.budget
    }
}

thread_local! {
    // One evaluation runs on one thread, start to end; a Worker has only one.
    static METER: Cell<Meter> = const { Cell::new(Meter { steps: 0, budget: 0, memory: 0 }) };
}

struct Counter;

impl TimeSource for Counter {
    fn now(&self) -> Option<Duration> {
        let mut meter = METER.get();
        meter.steps = meter
            .steps
            .saturating_add(u64::from(STEPS_PER_READING.get()));
        if memory() > meter.memory {
            meter.steps = u64::MAX;
        }
        METER.set(meter);
        Some(if meter.is_exhausted() {
            Duration::MAX
        } else {
            Duration::ZERO
        })
    }
}

/// The linear memory, which never shrinks: freed memory is used again before it grows.
#[cfg(target_arch = "wasm32")]
fn memory() -> usize {
    core::arch::wasm32::memory_size::<0>().saturating_mul(64 << 10)
}

/// A native process that evaluates what it does not trust bounds itself as a whole.
#[cfg(not(target_arch = "wasm32"))]
const fn memory() -> usize {
    0
}

/// Counted from the first evaluation: what one has taken stays with the program, and counting from
/// each anew would let ten of them take ten times as much.
#[cfg(target_arch = "wasm32")]
fn memory_bound() -> usize {
    static FIRST: OnceLock<usize> = OnceLock::new();
    let now = memory();
    let first = *FIRST.get_or_init(|| now);
    first
        .saturating_add(GROWTH_BYTES)
        .max(now.saturating_add(SLACK_BYTES))
}

#[cfg(not(target_arch = "wasm32"))]
const fn memory_bound() -> usize {
    usize::MAX
}

/// Takes steps from the running evaluation's budget; `false` once it is spent.
pub(crate) fn charge(steps: u64) -> bool {
    let mut meter = METER.get();
    meter.steps = meter.steps.saturating_add(steps);
    METER.set(meter);
    !meter.is_exhausted()
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
    /// Steps: the interpreter's own, in units of [`STEPS_PER_READING`], and those of builtins.
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
    METER.set(Meter {
        steps: 0,
        budget: steps,
        memory: memory_bound(),
    });
    let value = evaluation();
    let meter = METER.replace(Meter::default());
    let spent = Spent {
        steps: meter.steps,
        exhausted: meter.is_exhausted(),
    };
    (value, spent)
}
