//! The only place that reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use plinto_contract::time::UnixSeconds;

/// The present, in seconds.
#[expect(
    clippy::disallowed_methods,
    reason = "this file is where the command line takes its time from"
)]
pub(crate) fn now() -> UnixSeconds {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixSeconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
