//! Background work: a table of tasks, each on its own, so that none stands in another's way.

use std::{
    error::Error,
    pin::Pin,
    time::{Duration, Instant},
};

use crate::{
    app::App,
    features::{policies, sessions, sign_in, signing_keys},
    http::idempotency,
    ops,
};

type Round = Pin<Box<dyn Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send>>;

/// Work that comes again and again. Looking for it costs one statement over all tenants, which an
/// index answers: an idle round takes as long with ten thousand tenants as with one.
struct Task {
    /// Names it in logs and figures.
    name: &'static str,
    /// The pause between two rounds.
    period: Duration,
    /// Does what is due.
    run: fn(App) -> Round,
}

/// 1 s: for what others wait for; before the first round, too.
const SECOND: Duration = Duration::from_secs(1);
/// 10 s: for what takes memory while nobody needs it.
const TEN_SECONDS: Duration = Duration::from_secs(10);
/// 60 s: for what only costs space.
const MINUTE: Duration = Duration::from_mins(1);

const TASKS: &[Task] = &[
    Task {
        name: "figures",
        period: SECOND,
        run: |_| at_once(ops::take_in_figures),
    },
    Task {
        name: "signing_keys",
        period: SECOND,
        run: |app| round(async move { signing_keys::run_due_work(&app).await }),
    },
    Task {
        name: "outdated_bundles",
        period: SECOND,
        run: |app| round(async move { policies::rebuild_outdated(&app).await }),
    },
    Task {
        name: "expiring_bundles",
        period: MINUTE,
        run: |app| round(async move { policies::renew_expiring(&app).await }),
    },
    Task {
        name: "ended_sessions",
        period: MINUTE,
        run: |app| round(async move { sessions::run_due_work(&app).await }),
    },
    Task {
        name: "sign_in_throttles",
        period: MINUTE,
        run: |app| round(async move { sign_in::run_due_work(&app).await }),
    },
    Task {
        name: "idempotency_keys",
        period: MINUTE,
        run: |app| round(async move { idempotency::run_due_work(&app).await }),
    },
    Task {
        name: "rate_limits",
        period: MINUTE,
        run: |app| at_once(move || app.rate_limits.forget_idle()),
    },
    Task {
        name: "hashing_memory",
        period: TEN_SECONDS,
        run: |app| at_once(move || app.hashing.give_back()),
    },
];

fn round<E>(work: impl Future<Output = Result<(), E>> + Send + 'static) -> Round
where
    E: Error + Send + Sync + 'static,
{
    Box::pin(async { Ok(work.await?) })
}

fn at_once(work: impl FnOnce() + Send + 'static) -> Round {
    Box::pin(async {
        work();
        Ok(())
    })
}

/// Starts every task. When the process is asked to stop, none begins another step: what a task has
/// not committed never happened.
pub fn start(app: &App) {
    for task in TASKS {
        let (app, stopping) = (app.clone(), app.stopping.clone());
        app.tasks.clone().spawn(async move {
            stopping.run_until_cancelled(repeat(app, task)).await;
        });
    }
}

async fn repeat(app: App, task: &'static Task) {
    let mut pause = SECOND;
    loop {
        tokio::time::sleep(pause).await;
        run(&app, task).await;
        pause = task.period;
    }
}

/// One round of every task, one after the other.
pub async fn run_due_work(app: &App) {
    for task in TASKS {
        run(app, task).await;
    }
}

/// One round of a task. When it fails, the next round tries again.
async fn run(app: &App, task: &Task) {
    let began = Instant::now();
    let result = (task.run)(app.clone()).await;
    let labels = [("task", task.name)];
    metrics::histogram!("plinto_background_duration_seconds", &labels)
        .record(began.elapsed().as_secs_f64());
    if let Err(error) = result {
        metrics::counter!("plinto_background_failures_total", &labels).increment(1);
        tracing::error!(task = task.name, %error, "background work failed; it is tried again");
    }
}
