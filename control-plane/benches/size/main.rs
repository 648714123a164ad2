//! What lists, filters, sweeps, the revocation feed and a changed role cost on an installation with one
//! page of everything and, in the same run, on a full one: 10,000 tenants, 200,000 users, 300,000 sessions, 10,000 roles.
//!
//! `cargo bench -p control-plane --bench size`. Set `PLINTO_TEST_POSTGRES` to measure a `PostgreSQL`
//! server too. It fails when anything takes more than half as long again on the full one.

mod fill;
mod installation;

use std::{
    io::Write,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use axum::http::Method;
use control_plane::worker;
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use tempfile::TempDir;

use fill::{EMPTY, FULL, Size};
use installation::{Installation, Postgres};

/// Full over empty.
const RATIO_MAX: f64 = 1.5;
/// 25 calls, the middle one counts; three times, the best counts.
const CALLS: usize = 25;
/// 40 rounds of every task.
const ROUNDS: u32 = 40;
/// 5 changes of a role.
const CHANGES: usize = 5;

/// Names what was measured, and how many milliseconds it took.
type Figures = Vec<(&'static str, f64)>;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout();
    let mut is_flat = true;
    {
        let (empty, full) = (TempDir::new()?, TempDir::new()?);
        let url = |folder: &TempDir| format!("sqlite:{}", folder.path().join("db").display());
        let empty = measure(&url(&empty), EMPTY).await?;
        let full = measure(&url(&full), FULL).await?;
        is_flat &= print(&mut out, "sqlite", &empty, &full)?;
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "a bench has no settings of its own"
    )]
    let server = std::env::var("PLINTO_TEST_POSTGRES");
    if let Ok(server) = server {
        let (empty, full) = (
            Postgres::make(&server, "empty").await?,
            Postgres::make(&server, "full").await?,
        );
        let figures = (
            measure(&empty.url, EMPTY).await?,
            measure(&full.url, FULL).await?,
        );
        is_flat &= print(&mut out, "postgres", &figures.0, &figures.1)?;
        let far = full.a_millisecond_away().await?;
        let changed = role_change(&Installation::open(&far).await?, "far").await?;
        writeln!(
            out,
            "postgres   full, 1 ms away: role change until the bundle has it {changed:.0} ms"
        )?;
        empty.drop().await?;
        full.drop().await?;
    } else {
        writeln!(
            out,
            "PLINTO_TEST_POSTGRES is not set: PostgreSQL was not measured"
        )?;
    }
    Ok(if is_flat {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// One line for each figure; `false` when one is over the limit.
fn print(
    out: &mut impl Write,
    engine: &str,
    empty: &Figures,
    full: &Figures,
) -> anyhow::Result<bool> {
    writeln!(
        out,
        "{engine:<10} {:<48} {:>9} {:>9} {:>6}",
        "milliseconds", "empty", "full", "ratio"
    )?;
    let mut is_flat = true;
    for ((name, empty), (_, full)) in empty.iter().zip(full) {
        let ratio = full / empty;
        let over = if ratio > RATIO_MAX {
            "  over the limit"
        } else {
            ""
        };
        is_flat &= ratio <= RATIO_MAX;
        writeln!(
            out,
            "{engine:<10} {name:<48} {empty:>9.2} {full:>9.2} {ratio:>6.2}{over}"
        )?;
    }
    Ok(is_flat)
}

async fn measure(url: &str, size: Size) -> anyhow::Result<Figures> {
    let installation = Installation::open(url).await?;
    installation.set_up(size).await?;
    let mut figures = lists(&installation).await?;
    figures.extend(feeds(&installation).await?);
    figures.extend(sweeps(&installation).await);
    let changed = role_change(&installation, "near").await?;
    figures.push(("role change until the bundle has it", changed));
    installation.platform.db.close().await;
    Ok(figures)
}

async fn lists(installation: &Installation) -> anyhow::Result<Figures> {
    let person = installation.person().await?;
    let mine = "/t/main/v1/me/sessions";
    let of_one = format!("/v1/sessions?user_id={}", person.id);
    let (main, roles) = (&installation.main.key, &installation.with_roles.key);
    let mut figures = Vec::new();
    for (name, key, path) in [
        ("users", main, "/v1/users"),
        ("users of a status", main, "/v1/users?status=active"),
        (
            "users of an e-mail address",
            main,
            "/v1/users?email=person@example.com",
        ),
        ("sessions", main, "/v1/sessions"),
        ("sessions of a user", main, of_one.as_str()),
        ("my own sessions", &person.token, mine),
        ("roles", roles, "/v1/roles"),
        ("organizations", main, "/v1/organizations"),
        ("bundles", main, "/v1/policies/bundles"),
        ("activations", main, "/v1/policies/activations"),
    ] {
        let call = async || installation.get(key, path).await.map(|_| ());
        figures.push((name, best(call).await?));
    }
    // A wrong role key: every key is looked for, and nothing is written.
    let member = installation.member().await?;
    let body = json!({"roles": ["owner", "nobody"]});
    let call = async || {
        let wanted = (Method::PATCH, member.as_str(), 422);
        installation.send(roles, wanted, &body).await.map(|_| ())
    };
    figures.push(("role keys of a member looked for", best(call).await?));
    Ok(figures)
}

/// Empty, the feed has as many entries as fit; full, six times as many were revoked.
async fn feeds(installation: &Installation) -> anyhow::Result<Figures> {
    let mut figures = Vec::new();
    for (name, path) in [
        ("revocation feed", "/t/main/edge/revocations"),
        (
            "revocation feed, 16,384 or 100,000 revoked",
            "/t/revoked/edge/revocations",
        ),
    ] {
        let call = async || installation.get("", path).await.map(|_| ());
        figures.push((name, best(call).await?));
    }
    Ok(figures)
}

/// Every task once and again, with nothing due: on the clock, and of this process's processor time.
/// The best of three.
async fn sweeps(installation: &Installation) -> Figures {
    // What was due for the new tenants.
    worker::run_due_work(&installation.platform).await;
    let (mut wall, mut processor) = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        let (began, used) = (Instant::now(), processor_time());
        for _ in 0..ROUNDS {
            worker::run_due_work(&installation.platform).await;
        }
        wall = wall.min(began.elapsed() / ROUNDS);
        processor = processor.min(processor_time().saturating_sub(used) / ROUNDS);
    }
    vec![
        ("idle round of all background work", millis(wall)),
        (
            "… of which this process's processor time",
            millis(processor),
        ),
    ]
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// From the answer to a change of a role until the bundle has it; the median. `key`: of a role that
/// is made for it.
async fn role_change(installation: &Installation, key: &str) -> anyhow::Result<f64> {
    worker::start(&installation.platform, worker::Role::Serve);
    let before = installation.sequence().await?;
    let mut role = installation.role(key).await?;
    let mut sequence = after(installation, before).await?;
    let mut took = Vec::new();
    for change in 0..CHANGES {
        let permission = format!("document:read{change}");
        installation.change(&role, &permission).await?;
        role.version += 1;
        let began = Instant::now();
        sequence = after(installation, sequence).await?;
        took.push(began.elapsed());
    }
    installation.platform.stopping.cancel();
    installation.platform.tasks.close();
    installation.platform.tasks.wait().await;
    median(&mut took)
}

/// The number of the bundle that comes after this one, once it is there.
async fn after(installation: &Installation, sequence: i64) -> anyhow::Result<i64> {
    loop {
        let now = installation.sequence().await?;
        if now > sequence {
            return Ok(now);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The best of three medians, in milliseconds.
async fn best(mut call: impl AsyncFnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let mut took = Vec::new();
        for _ in 0..CALLS {
            let began = Instant::now();
            call().await?;
            took.push(began.elapsed());
        }
        best = best.min(median(&mut took)?);
    }
    Ok(best)
}

fn median(took: &mut [Duration]) -> anyhow::Result<f64> {
    took.sort_unstable();
    let middle = took.get(took.len() / 2).context("nothing was measured")?;
    Ok(millis(*middle))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
