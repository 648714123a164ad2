//! Background work: a table of tasks, each on its own, so that none stands in another's way. The table
//! says whom a task looks after, and so which processes do it.

use std::{
    error::Error,
    pin::Pin,
    time::{Duration, Instant},
};

use plinto_enforcement::policies;
use plinto_history::audit;
use plinto_identity::{credentials, sessions, sign_in};
use plinto_platform::{
    Platform,
    events::sequencer,
    http::{RateLimits, idempotency},
};
use plinto_tenancy::signing_keys;

use crate::ops;

type Round = Pin<Box<dyn Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send>>;

/// Work that comes again and again. Looking for it costs one statement over all tenants, which an
/// index answers: an idle round takes as long with ten thousand tenants as with one.
struct Task {
    /// Names it in logs and figures.
    name: &'static str,
    /// Whom it looks after.
    scope: Scope,
    /// The pause between two rounds.
    period: Duration,
    /// Does what is due.
    run: fn(Platform) -> Round,
}

/// Whom a task looks after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The process it runs in, whatever that is there for.
    Process,
    /// All of the database. Several processes may look at the same time: what two of them find due
    /// takes effect once, as the database sees to.
    Installation,
}

/// What a process is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Requests and background work.
    Serve,
    /// Requests alone: another process does the background work.
    ServeWithoutWork,
    /// Background work alone.
    Work,
}

impl Role {
    fn does(self, task: &Task) -> bool {
        task.scope == Scope::Process || self != Self::ServeWithoutWork
    }
}

/// 1 s: for what others wait for; before the first round, too.
const SECOND: Duration = Duration::from_secs(1);
/// 5 s: for what others rely on being done within ten.
const FIVE_SECONDS: Duration = Duration::from_secs(5);
/// 10 s: for what takes memory while nobody needs it.
const TEN_SECONDS: Duration = Duration::from_secs(10);
/// 1 h: for what is needed next month.
const HOUR: Duration = Duration::from_hours(1);
/// 60 s: for what only costs space.
const MINUTE: Duration = Duration::from_mins(1);

const TASKS: &[Task] = &[
    Task {
        name: "figures",
        scope: Scope::Process,
        period: SECOND,
        run: |_| at_once(ops::take_in_figures),
    },
    Task {
        name: "signing_keys",
        scope: Scope::Installation,
        period: SECOND,
        run: |platform| round(async move { signing_keys::run_due_work(&platform).await }),
    },
    Task {
        name: "outdated_bundles",
        scope: Scope::Installation,
        period: SECOND,
        run: |platform| round(async move { policies::rebuild_outdated(&platform).await }),
    },
    Task {
        name: "expiring_bundles",
        scope: Scope::Installation,
        period: MINUTE,
        run: |platform| round(async move { policies::renew_expiring(&platform).await }),
    },
    Task {
        name: "ended_sessions",
        scope: Scope::Installation,
        period: MINUTE,
        run: |platform| round(async move { sessions::run_due_work(&platform).await }),
    },
    Task {
        name: "sign_in_throttles",
        scope: Scope::Installation,
        period: MINUTE,
        run: |platform| round(async move { sign_in::run_due_work(&platform).await }),
    },
    Task {
        name: "idempotency_keys",
        scope: Scope::Installation,
        period: MINUTE,
        run: |platform| round(async move { idempotency::run_due_work(&platform).await }),
    },
    Task {
        name: "event_months",
        scope: Scope::Installation,
        period: HOUR,
        run: |platform| {
            round(async move { platform.db.make_event_months(platform.clock.now()).await })
        },
    },
    Task {
        name: "event_trees",
        scope: Scope::Installation,
        period: FIVE_SECONDS,
        run: |platform| round(async move { audit::seal_due(&platform).await }),
    },
    Task {
        name: "rate_limits",
        scope: Scope::Process,
        period: MINUTE,
        run: |platform| at_once(move || platform.state::<RateLimits>().forget_idle()),
    },
    Task {
        name: "hashing_memory",
        scope: Scope::Process,
        period: TEN_SECONDS,
        run: |platform| at_once(move || credentials::give_back_memory(&platform)),
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

/// Starts the tasks of a role, and the sequencer: whatever a process is there for, it writes events. When the process is asked to stop, none begins another step: what a
/// task has not committed never happened.
pub fn start(platform: &Platform, role: Role) {
    for task in TASKS.iter().filter(|task| role.does(task)) {
        let (platform, stopping) = (platform.clone(), platform.stopping.clone());
        platform.tasks.clone().spawn(async move {
            stopping.run_until_cancelled(repeat(platform, task)).await;
        });
    }
    let (sequencer, stopping) = (sequencer::run(platform.clone()), platform.stopping.clone());
    platform.tasks.spawn(async move {
        stopping.run_until_cancelled(sequencer).await;
    });
}

async fn repeat(platform: Platform, task: &'static Task) {
    let mut pause = SECOND;
    loop {
        tokio::time::sleep(pause).await;
        run(&platform, task).await;
        pause = task.period;
    }
}

/// One round of every task, one after the other.
pub async fn run_due_work(platform: &Platform) {
    if let Err(error) = sequencer::run_due_work(platform).await {
        tracing::error!(%error, "events could not be numbered");
    }
    for task in TASKS {
        run(platform, task).await;
    }
}

/// One round of a task. When it fails, the next round tries again.
async fn run(platform: &Platform, task: &Task) {
    let began = Instant::now();
    let result = (task.run)(platform.clone()).await;
    let labels = [("task", task.name)];
    metrics::histogram!("plinto_background_duration_seconds", &labels)
        .record(began.elapsed().as_secs_f64());
    if let Err(error) = result {
        metrics::counter!("plinto_background_failures_total", &labels).increment(1);
        tracing::error!(task = task.name, %error, "background work failed; it is tried again");
    }
}
