//! Events while they are made.

use std::{
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use plinto_platform::{
    args,
    db::{Db, DbError, Tx},
    events::sequencer,
};

use crate::Installation;

const LENGTH: Duration = Duration::from_secs(5);
const WRITERS: usize = 32;
/// 1,000 a second.
const PACE: Duration = Duration::from_millis(1);

const CHANGE: &str = "insert into event_cursors (tenant_id, name, epoch, seq, updated_at)
    values ($1, $2, 'e', 1, 1)";
const EVENT: &str = "insert into outbox (tenant_id, id, type, version, created_at, result, actor_type,
    actor_id, session_id, target, request_id, data, ip, user_agent, salt)
    values ($1, $2, 'session.created', 1, $3, 'success', 'user', $4, $5, $5, $6,
    '{\"amr\":[\"pwd\"],\"client_id\":\"app\",\"is_for_management\":false,\"user_id\":\"user_01jd0000000000000000000000\"}',
    '203.0.113.7', 'Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 Chrome/143.0 Safari/537.36',
    'abcdefghijklmnopqrstuv')";
const HEAD: &str = "select head from event_streams where tenant_id = $1";

/// Writes a number of rows, and as many events.
async fn write(
    tx: &mut Tx,
    tenant: &str,
    name: &str,
    rows: usize,
    with_events: bool,
) -> Result<(), DbError> {
    for row in 0..rows {
        tx.execute(CHANGE, args![tenant, format!("{name}-{row}")])
            .await?;
        if with_events {
            let id = |prefix: &str| {
                format!("{prefix}_{:0>26}", name.replace('-', "") + &row.to_string())
            };
            let args = args![tenant, id("evt"), 1_i64, id("user"), id("sess"), id("req")];
            tx.execute(EVENT, args).await?;
        }
    }
    Ok(())
}

/// Transactions a second of some writers.
async fn rate(
    db: &Db,
    tenant: &str,
    what: &str,
    rows: usize,
    with_events: bool,
) -> Result<f64, DbError> {
    let (done, start) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let (db, done) = (db.clone(), Arc::clone(&done));
        let (tenant, what) = (tenant.to_owned(), what.to_owned());
        tasks.spawn(async move {
            let mut number = 0_u64;
            while start.elapsed() < LENGTH {
                let mut tx = db.begin().await?;
                let name = format!("{what}-{writer}-{number}");
                write(&mut tx, &tenant, &name, rows, with_events).await?;
                tx.commit().await?;
                number = number.saturating_add(1);
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), DbError>(())
        });
    }
    for result in tasks.join_all().await {
        result?;
    }
    let count = u32::try_from(done.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

pub(crate) async fn measure(
    out: &mut impl Write,
    engine: &str,
    installation: &Installation,
) -> anyhow::Result<()> {
    let platform = &installation.platform;
    let (db, tenant) = (&platform.db, installation.tenant.to_string());
    platform.tasks.spawn(sequencer::run(platform.clone()));
    let without = rate(db, &tenant, "a", 1, false).await?;
    let with = rate(db, &tenant, "b", 1, true).await?;
    writeln!(
        out,
        "{engine:<9} {WRITERS} writers, transactions/s: {without:.0} without an event, {with:.0} with one: {:.2}",
        with / without
    )?;
    let before = head(db, &tenant).await?;
    let began = Instant::now();
    let batched = rate(db, &tenant, "c", 16, true).await? * 16.0;
    let made = batched * LENGTH.as_secs_f64();
    let numbered = loop {
        let numbered = head(db, &tenant).await?.saturating_sub(before);
        let numbered = f64::from(i32::try_from(numbered).unwrap_or(i32::MAX));
        if numbered + 1.0 >= made.floor() {
            break numbered;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    writeln!(
        out,
        "{engine:<9} events/s, 16 a transaction: {:.0} numbered",
        numbered / began.elapsed().as_secs_f64()
    )?;
    lag(out, engine, installation, &tenant).await
}

async fn head(db: &Db, tenant: &str) -> Result<i64, DbError> {
    let mut tx = db.read().await?;
    Ok(tx.one::<(i64,)>(HEAD, args![tenant]).await?.0)
}

/// From the answer to a commit until the event has its number, at 1,000 events a second.
async fn lag(
    out: &mut impl Write,
    engine: &str,
    installation: &Installation,
    tenant: &str,
) -> anyhow::Result<()> {
    let db = &installation.platform.db;
    // What was made before is numbered by now, or soon.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let first = head(db, tenant).await?;
    let committed = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = tokio::task::JoinSet::new();
    let (start, watched) = (Instant::now(), Arc::clone(&committed));
    let (reader, whose) = (db.clone(), tenant.to_owned());
    let watching = installation.platform.tasks.spawn(async move {
        let mut lags = Vec::new();
        while start.elapsed() < LENGTH + Duration::from_millis(500) {
            // On a connection that no writer waits for.
            let mut tx = reader.read_document().await?;
            let (head,): (i64,) = tx.one(HEAD, args![&whose]).await?;
            drop(tx);
            let now = Instant::now();
            let numbered = usize::try_from(head.saturating_sub(first)).unwrap_or_default();
            {
                let commits = watched
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                let more = commits.iter().take(numbered).skip(lags.len());
                let more: Vec<Duration> = more
                    .map(|commit: &Instant| now.saturating_duration_since(*commit))
                    .collect();
                lags.extend(more);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok::<_, DbError>(lags)
    });
    let mut ticks = tokio::time::interval(PACE);
    let mut number = 0_u64;
    while start.elapsed() < LENGTH {
        ticks.tick().await;
        number = number.saturating_add(1);
        let (db, tenant, committed) = (db.clone(), tenant.to_owned(), Arc::clone(&committed));
        tasks.spawn(async move {
            let mut tx = db.begin().await?;
            write(&mut tx, &tenant, &format!("d-{number}"), 1, true).await?;
            tx.commit().await?;
            let mut committed = committed
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            committed.push(Instant::now());
            Ok::<(), DbError>(())
        });
    }
    for result in tasks.join_all().await {
        result?;
    }
    let mut lags = watching.await??;
    lags.sort_unstable();
    let at = |share: usize| {
        let lag = lags.get(lags.len() * share / 100).copied();
        lag.unwrap_or_default().as_secs_f64() * 1_000.0
    };
    writeln!(
        out,
        "{engine:<9} from commit to number at {number} events in {} s: {:.1} ms in the middle, p99 {:.1} ms (read every ms)",
        LENGTH.as_secs(),
        at(50),
        at(99)
    )?;
    Ok(())
}
