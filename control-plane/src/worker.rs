//! Background work: each feature's due work, again and again until the process stops.

use std::time::Duration;

use crate::{
    app::App,
    features::{policies, sessions, sign_in, signing_keys},
    http::idempotency,
    ops,
};

/// 1 s: what is due is done at most this late.
const PERIOD: Duration = Duration::from_secs(1);
/// 60: rounds between two sweeps of what only costs memory or space.
const SWEEP_EVERY: u64 = 60;

/// Starts the loop.
pub fn start(app: &App) {
    let handle = app.clone();
    app.tasks.spawn(async move {
        let mut round: u64 = 0;
        loop {
            tokio::select! {
                () = handle.stopping.cancelled() => return,
                () = tokio::time::sleep(PERIOD) => {}
            }
            run_due_work(&handle).await;
            if round.is_multiple_of(SWEEP_EVERY) {
                run_slow_work(&handle).await;
            }
            round = round.wrapping_add(1);
            if round.is_multiple_of(SWEEP_EVERY) {
                handle.rate_limits.forget_idle();
                handle.hashing.give_back();
            }
        }
    });
}

/// Does everything that is due now. One feature's failure does not keep the next from its turn.
pub async fn run_due_work(app: &App) {
    // First, so that a database that does not answer can't make the memory grow.
    ops::take_in_figures();
    report("signing_keys", signing_keys::run_due_work(app).await);
    report("policies", policies::follow_changes(app).await);
}

/// Does what is due but can wait a minute, because looking for it asks about every tenant.
pub async fn run_slow_work(app: &App) {
    report("policies", policies::renew(app).await);
    report("sessions", sessions::run_due_work(app).await);
    report("sign_in", sign_in::run_due_work(app).await);
    report("idempotency", idempotency::run_due_work(app).await);
}

fn report<T, E: std::error::Error>(feature: &str, result: Result<T, E>) {
    if let Err(error) = result {
        tracing::error!(feature, %error, "background work failed; it is tried again");
    }
}
