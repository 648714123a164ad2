//! Group commit against one flush for each transaction, on a real file with `synchronous=FULL`.
//!
//! `cargo bench -p control-plane --bench group_commit`. Each transaction is what a sign-up writes:
//! three rows. Set `PLINTO_TEST_POSTGRES` to see the same work on a `PostgreSQL` server.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use plinto_platform::{
    args,
    config::Config,
    db::{Db, DbError},
};

const TENANT: &str = "insert into tenants
    (id, slug, name, audience, signing_alg, created_at, updated_at)
    values ($1, $1, 'Name', 'aud', 'RS256', 0, 0) on conflict do nothing";
const EVENT: &str = "insert into outbox (tenant_id, id, type, version, created_at, result, actor_type,
    actor_id, target, data)
    values ($2, $1, 'user.created', 1, 0, 'success', 'system', '', 'user', '{\"some\":\"data of usual length\"}')";
const LENGTH: Duration = Duration::from_secs(4);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "three inserts a transaction, {} s each; transactions per second",
        LENGTH.as_secs()
    )?;
    writeln!(
        out,
        "{:>8} {:>14} {:>14} {:>16} {:>10}",
        "writers", "one by one", "in groups", "per flush", "gain"
    )?;
    for writers in [1, 4, 16, 64] {
        let mut rates = Vec::new();
        let mut per_flush = 0.0;
        for group_commits in [false, true] {
            let file = folder
                .path()
                .join(format!("{writers}-{group_commits}.sqlite"));
            let mut config = Config::default();
            config.database.url = format!("sqlite:{}", file.display()).into();
            config.database.group_commits = group_commits;
            let db = Db::open(&config).await?;
            let before = db.group_commits().unwrap_or(0);
            let (rate, done) = run(&db, writers).await?;
            if group_commits {
                let flushes = db
                    .group_commits()
                    .unwrap_or(0)
                    .saturating_sub(before)
                    .max(1);
                per_flush = ratio(done, flushes);
            }
            rates.push(rate);
            db.close().await;
        }
        let (single, grouped) = (
            rates.first().copied().unwrap_or(0.0),
            rates.last().copied().unwrap_or(0.0),
        );
        let gain = grouped / single.max(1.0);
        writeln!(
            out,
            "{writers:>8} {single:>14.0} {grouped:>14.0} {per_flush:>16.1} {gain:>9.1}x"
        )?;
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "a bench has no settings of its own"
    )]
    let server = std::env::var("PLINTO_TEST_POSTGRES");
    match server {
        Ok(url) => on_postgres(&mut out, url).await?,
        Err(_) => writeln!(
            out,
            "PLINTO_TEST_POSTGRES is not set: PostgreSQL was not measured"
        )?,
    }
    Ok(())
}

async fn on_postgres(out: &mut impl Write, url: String) -> anyhow::Result<()> {
    let mut config = Config::default();
    config.database.url = url.into();
    config.database.max_connections = 32;
    let db = Db::open(&config).await?;
    for writers in [1, 64] {
        let (rate, _) = run(&db, writers).await?;
        writeln!(out, "{writers:>8} {rate:>14.0} on PostgreSQL")?;
    }
    db.close().await;
    Ok(())
}

/// Transactions per second, and how many there were.
async fn run(db: &Db, writers: u64) -> Result<(f64, u64), DbError> {
    let mut tx = db.begin().await?;
    tx.execute(TENANT, args!["bench"]).await?;
    tx.commit().await?;
    let done = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..writers {
        let (db, done) = (db.clone(), Arc::clone(&done));
        tasks.spawn(async move {
            let mut number = 0_u64;
            while start.elapsed() < LENGTH {
                let mut tx = db.begin().await?;
                for part in 0..3 {
                    let id = format!("{writers}-{writer}-{number}-{part}");
                    tx.execute(EVENT, args![id, "bench"]).await?;
                }
                tx.commit().await?;
                number += 1;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), DbError>(())
        });
    }
    for result in tasks.join_all().await {
        result?;
    }
    let count = done.load(Ordering::Relaxed);
    Ok((rate(count, start.elapsed()), count))
}

fn rate(count: u64, elapsed: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / elapsed.as_secs_f64()
}

fn ratio(count: u64, of: u64) -> f64 {
    rate(count, Duration::from_secs(1)) / rate(of, Duration::from_secs(1))
}
