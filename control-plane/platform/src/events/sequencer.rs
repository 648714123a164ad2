//! Takes events from the outbox into the log, numbered.
//!
//! Whoever wrote something wakes the sequencer of its process, and each looks by itself from time to
//! time for what a process that died left behind. One at a time has its turn, by a lock that ends with
//! its transaction: so nobody has to be told that another has died, and one that wakes up after its
//! turn was given away can't write any more. Where the engine numbers events as they are written, there
//! is nothing to do.

use std::{collections::BTreeSet, time::Duration};

use plinto_contract::{ids::TenantId, time::UnixMillis};
use tokio::sync::mpsc;

use super::notices;
use crate::{
    Platform,
    db::{DbError, Sequenced},
    feed::Feed,
};

/// 1,000: the most that one transaction takes.
const BATCH: i64 = 1_000;
/// 250 ms: how long what nobody was woken for may lie there.
const POLL: Duration = Duration::from_millis(250);
/// 2 ms: between two turns, so that a stream of small transactions makes batches.
const PAUSE: Duration = Duration::from_millis(2);
/// 1 s: after a failure.
const RECOVERY: Duration = Duration::from_secs(1);

/// Works until the process stops.
pub async fn run(platform: Platform) {
    if !platform.db.has_outbox() {
        return;
    }
    let feed = platform.state::<Feed>();
    let (grown, told) = mpsc::unbounded_channel();
    platform
        .tasks
        .spawn(until_stop(&platform, notices::tell(platform.clone(), told)));
    platform
        .tasks
        .spawn(until_stop(&platform, notices::hear(platform.clone())));
    loop {
        let _ = tokio::time::timeout(POLL, feed.recorded_somewhere()).await;
        let pause = match take_all(&platform).await {
            Ok(tenants) => {
                for tenant in tenants {
                    // Who would be told ends with the process.
                    let _ = grown.send(tenant);
                }
                PAUSE
            }
            Err(error) => {
                metrics::counter!("plinto_event_sequencing_failures_total").increment(1);
                tracing::error!(%error, "events could not be numbered; it is tried again");
                RECOVERY
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Takes all that is in the outbox.
pub async fn run_due_work(platform: &Platform) -> Result<(), DbError> {
    take_all(platform).await.map(drop)
}

/// The same; answers whose logs have grown.
async fn take_all(platform: &Platform) -> Result<BTreeSet<TenantId>, DbError> {
    let mut tenants = BTreeSet::new();
    loop {
        let sequenced = platform.db.sequence(BATCH).await?;
        let taken: i64 = sequenced.iter().map(|stream| stream.events).sum();
        publish(platform, &sequenced);
        tenants.extend(sequenced.iter().map(|stream| stream.tenant));
        if taken < BATCH {
            return Ok(tenants);
        }
    }
}

fn until_stop(
    platform: &Platform,
    work: impl Future<Output = ()> + Send + 'static,
) -> impl Future<Output = ()> + Send + 'static {
    let stopping = platform.stopping.clone();
    async move {
        stopping.run_until_cancelled(work).await;
    }
}

fn publish(platform: &Platform, sequenced: &[Sequenced]) {
    let feed = platform.state::<Feed>();
    let now = platform.clock.now();
    for stream in sequenced {
        feed.grown(stream.tenant);
        let lag = now.millis_since(UnixMillis(stream.oldest)).max(0);
        metrics::counter!("plinto_events_sequenced_total")
            .increment(u64::try_from(stream.events).unwrap_or_default());
        metrics::histogram!("plinto_event_lag_seconds")
            .record(Duration::from_millis(lag.unsigned_abs()).as_secs_f64());
    }
}
