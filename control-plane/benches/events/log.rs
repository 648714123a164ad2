//! A long log: what it takes on disk, how it is sealed and searched.

use std::{io::Write, time::Instant};

use anyhow::Context as _;
use axum::{
    body::{Body, to_bytes},
    http::{Request, header},
};
use control_plane::router;
use plinto_history::audit;
use plinto_platform::{args, db::Db};
use tower::ServiceExt as _;

use crate::Installation;

/// 50,000 events a statement.
const PART: i64 = 50_000;
/// 300 searches of each kind.
const SEARCHES: usize = 300;
/// 5,000 people and 20,000 sessions.
const FILL: &str = "insert into event_log (stream, seq, id, type, version, created_at, result, actor_type,
    actor_id, session_id, target, request_id, data, ip, user_agent, salt)
    with recursive numbers (n) as (select $2 + 1 union all select n + 1 from numbers where n < $2 + $3)
    select (select number from event_streams where tenant_id = $1), n,
        'evt_01jd00000000' || cast(10000000000000 + n as text),
        case n % 10 when 0 then 'sign_in.failed' when 1 then 'user.created' when 2 then 'role.updated'
            when 3 then 'session.refreshed' when 4 then 'session.refreshed' when 5 then 'session.refreshed'
            else 'session.created' end,
        1, 1767225600000 + n * 86, case n % 10 when 0 then 'failure' else 'success' end, 'user',
        'user_01jd00000000000000000' || cast(10000 + (n * 7919) % 5000 as text),
        'sess_01jd00000000000000000' || cast(10000 + (n * 104729) % 20000 as text),
        'sess_01jd00000000000000000' || cast(10000 + (n * 104729) % 20000 as text),
        'req_01jd00000000' || cast(10000000000000 + n as text),
        '{\"amr\":[\"pwd\"],\"client_id\":\"app\",\"is_for_management\":false,\"user_id\":\"user_01jd0000000000000000010000\"}',
        '203.0.113.' || cast(n % 250 as text),
        'Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 Chrome/143.0 Safari/537.36', 'abcdefghijklmnopqrstuv'
    from numbers";
const RAISE: &str = "update event_streams set head = $2 where tenant_id = $1";
const HEAD: &str = "select head from event_streams where tenant_id = $1";

pub(crate) async fn measure(
    out: &mut impl Write,
    engine: &str,
    installation: &Installation,
    events: i64,
) -> anyhow::Result<()> {
    let platform = &installation.platform;
    let (db, tenant) = (&platform.db, installation.tenant.to_string());
    let before = bytes(db).await?;
    let mut tx = db.read().await?;
    let (first,): (i64,) = tx.one(HEAD, args![&tenant]).await?;
    drop(tx);
    let (mut last, end) = (first, first.saturating_add(events));
    while last < end {
        let part = PART.min(end.saturating_sub(last));
        let mut tx = db.begin().await?;
        tx.execute(FILL, args![&tenant, last, part]).await?;
        last = last.saturating_add(part);
        tx.execute(RAISE, args![&tenant, last]).await?;
        tx.commit().await?;
    }
    let (memory, began) = (memory_kib()?, Instant::now());
    audit::seal_due(platform).await?;
    let seconds = began.elapsed().as_secs_f64();
    let count = f64::from(i32::try_from(last).unwrap_or(i32::MAX));
    writeln!(
        out,
        "{engine:<9} sealed {last} events in {seconds:.1} s: {:.0} a second; memory {} KiB before, {} KiB at its height",
        count / seconds,
        memory,
        memory_kib()?
    )?;
    let after = bytes(db).await?;
    let made = f64::from(i32::try_from(events).unwrap_or(i32::MAX));
    let grown = f64::from(u32::try_from(after.saturating_sub(before) / 1_024).unwrap_or(u32::MAX))
        * 1_024.0;
    writeln!(
        out,
        "{engine:<9} {:.0} bytes an event, with indexes and tiles",
        grown / made
    )?;
    searches(out, engine, installation, last).await
}

async fn searches(
    out: &mut impl Write,
    engine: &str,
    installation: &Installation,
    last: i64,
) -> anyhow::Result<()> {
    let router = router::router(&installation.platform);
    for (name, path) in [
        ("newest", "/v1/audit/events?limit=50"),
        (
            "actor",
            "/v1/audit/events?limit=50&actor=user_01jd00000000000000000{p}",
        ),
        (
            "target",
            "/v1/audit/events?limit=50&target=sess_01jd00000000000000000{s}",
        ),
        (
            "actor and type",
            "/v1/audit/events?limit=50&type=sign_in.*&actor=user_01jd00000000000000000{p}",
        ),
        ("type", "/v1/audit/events?limit=50&type=user.created"),
        ("result", "/v1/audit/events?limit=50&result=failure"),
        ("address", "/v1/audit/events?limit=50&ip=203.0.113.{a}"),
        ("text, found nowhere", "/v1/audit/events?limit=50&q=xyzzy"),
        ("until a moment", "/v1/audit/events?limit=50&to={t}"),
        ("following", "/v1/audit/records?limit=100&after={n}"),
    ] {
        let mut times = Vec::new();
        for number in 0..SEARCHES {
            let chance = number.wrapping_mul(7_919);
            let seq = last / 300 * i64::try_from(number).unwrap_or_default();
            let path = path
                .replace("{p}", &(10_000 + chance % 5_000).to_string())
                .replace("{s}", &(10_000 + chance % 20_000).to_string())
                .replace("{a}", &(chance % 250).to_string())
                .replace("{n}", &seq.to_string())
                .replace(
                    "{t}",
                    &format!("2026-01-01T{:02}:{:02}:00Z", chance % 24, chance % 60),
                );
            let request = Request::get(path)
                .header(
                    header::AUTHORIZATION,
                    format!("Bearer {}", installation.key),
                )
                .body(Body::empty())?;
            let began = Instant::now();
            let answer = router.clone().oneshot(request).await?;
            anyhow::ensure!(answer.status().is_success(), "{name}: {}", answer.status());
            to_bytes(answer.into_body(), 4 << 20).await?;
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        times.sort_by(f64::total_cmp);
        writeln!(
            out,
            "{engine:<9} search by {name:<22} {:>7.2} ms in the middle, p99 {:>7.2} ms",
            times.get(SEARCHES / 2).copied().unwrap_or_default(),
            times.get(SEARCHES * 99 / 100).copied().unwrap_or_default()
        )?;
    }
    Ok(())
}

async fn bytes(db: &Db) -> anyhow::Result<u64> {
    let mut tx = db.read().await?;
    let sql = if db.engine() == "sqlite" {
        "select page_count * page_size from pragma_page_count, pragma_page_size"
    } else {
        "select cast(pg_database_size(current_database()) as bigint)"
    };
    let (bytes,): (i64,) = tx.one(sql, args![]).await?;
    Ok(u64::try_from(bytes)?)
}

fn memory_kib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(number.context("no VmHWM")?.parse()?)
}
