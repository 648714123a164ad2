//! What the binary's subcommands do.

use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::SocketAddr,
    path::Path,
    process::ExitCode,
};

use anyhow::Context;
use plinto_contract::problem::FieldError;
use plinto_enforcement::policies;
use plinto_jose::Algorithm;
use plinto_platform::{Platform, config::Config, db::Db, fault, http::server};
use tokio::{net::TcpListener, signal::unix::SignalKind};

use crate::{
    backup,
    bootstrap::{self, Bootstrap},
    logging, ops, router, start,
    worker::{self, Role},
};

pub use plinto_enforcement::policies::CHECK_BUNDLE;

/// Arguments of `bootstrap`.
#[derive(Debug, clap::Args)]
pub struct BootstrapArguments {
    /// The tenant's name in URLs: lower-case letters, digits, hyphens.
    #[arg(long)]
    tenant: String,
    /// `aud` of its access tokens.
    #[arg(long)]
    audience: String,
    /// The tenant's name for people; the slug if it is not given.
    #[arg(long)]
    name: Option<String>,
    /// What its access tokens are signed with: `RS256`, `ES256` or `EdDSA`.
    #[arg(long, default_value = "RS256")]
    signing_alg: String,
}

/// Serves until SIGTERM or SIGINT.
pub async fn serve(file: Option<&Path>, role: Role) -> anyhow::Result<()> {
    fault::set_up();
    let config = Config::load(file)?;
    logging::start(&config.log)?;
    ops::recorder().context("the recorder of figures did not start")?;
    let address = config.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| anyhow::anyhow!("cannot listen on {address}: {error}"))?;
    let platform = start::open(config).await?;
    worker::start(&platform, role);
    stop_on_signal(&platform)?;
    let address = listener.local_addr()?;
    if let Some(text) = platform.config.lost_issuers(address) {
        tracing::warn!("{text}");
    }
    tracing::info!(%address, database = platform.db.engine(), public_url = platform.config.base_url(), ?role, "ready");
    server::serve(&platform, listener, router::router(&platform)).await;
    tracing::info!("stopped");
    Ok(())
}

/// Does background work until SIGTERM or SIGINT, and listens nowhere.
pub async fn work(file: Option<&Path>) -> anyhow::Result<()> {
    let config = Config::load(file)?;
    logging::start(&config.log)?;
    let platform = start::open(config).await?;
    let role = Role::Work;
    worker::start(&platform, role);
    stop_on_signal(&platform)?;
    tracing::info!(database = platform.db.engine(), ?role, "ready");
    platform.stopping.cancelled().await;
    server::end(&platform, std::future::ready(())).await;
    tracing::info!("stopped");
    Ok(())
}

fn stop_on_signal(platform: &Platform) -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(SignalKind::terminate())?;
    let mut interrupt = tokio::signal::unix::signal(SignalKind::interrupt())?;
    let stopping = platform.stopping.clone();
    platform.tasks.spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = stopping.cancelled() => {}
        }
        tracing::info!("stopping");
        stopping.cancel();
    });
    Ok(())
}

/// Brings the database up to this version.
pub async fn migrate(file: Option<&Path>) -> anyhow::Result<()> {
    let config = Config::load(file)?;
    let db = Db::migrate(&config).await?;
    db.close().await;
    print("the database is up to date\n")
}

/// Writes one state of the database into a new file.
pub async fn backup(file: Option<&Path>, to: &Path) -> anyhow::Result<()> {
    let config = Config::load(file)?;
    backup::back_up(&config, to).await?;
    print(&format!(
        "wrote {}; the master key is not in it and is kept apart from it\n",
        to.display()
    ))
}

/// Goes on from a backup.
pub async fn restore(
    file: Option<&Path>,
    copy: Option<&Path>,
    keep_sessions: bool,
) -> anyhow::Result<()> {
    let config = Config::load(file)?;
    backup::restore(config, copy, !keep_sessions).await?;
    print(if keep_sessions {
        "restored\n"
    } else {
        "restored; everybody has to sign in again\n"
    })
}

/// Looks at everything that the database has.
/// Errors: something is not as it must be; each was printed.
pub async fn verify(file: Option<&Path>) -> anyhow::Result<()> {
    let config = Config::load(file)?;
    let found = backup::verify(config).await?;
    let broken = found.broken.iter().map(|broken| format!("{broken}\n"));
    let mut text: String = broken.collect();
    let (tenants, events) = (found.tenants, found.events);
    writeln!(text, "looked at {tenants} tenants and {events} events")?;
    print(&text)?;
    match found.broken.len() {
        0 => print("everything is as it was recorded\n"),
        1 => anyhow::bail!("one thing is not as it was recorded"),
        many => anyhow::bail!("{many} things are not as they were recorded"),
    }
}

/// Prints the `OpenAPI` document.
pub fn openapi() -> anyhow::Result<()> {
    let mut text = router::openapi().to_pretty_json()?;
    text.push('\n');
    print(&text)
}

/// Checks the bundle on standard input and prints the outcome. Whoever started it may end it.
pub fn check_bundle() -> anyhow::Result<()> {
    policies::confine().context("the limits of the check cannot be set")?;
    let mut packed = Vec::new();
    std::io::stdin().read_to_end(&mut packed)?;
    flushed(std::io::stdout().write_all(&policies::outcome(&packed)?))
}

/// Makes a tenant and prints it as JSON.
pub async fn bootstrap(file: Option<&Path>, arguments: BootstrapArguments) -> anyhow::Result<()> {
    let config = Config::load(file)?;
    let signing_alg: Algorithm = arguments
        .signing_alg
        .parse()
        .map_err(|_| anyhow::anyhow!("`--signing-alg` must be RS256, ES256 or EdDSA"))?;
    let is_named = arguments.name.is_some();
    let input = Bootstrap {
        name: arguments.name.unwrap_or_else(|| arguments.tenant.clone()),
        slug: arguments.tenant,
        audience: arguments.audience,
        signing_alg,
    };
    // Before the database, which would be made here.
    let faults = input.faults();
    anyhow::ensure!(faults.is_empty(), "{}", flags_at_fault(&faults, is_named));
    let platform = start::open(config).await?;
    warn_of_issuers(&platform.config, platform.config.listen);
    let made = bootstrap::bootstrap(&platform, input).await?;
    platform.db.close().await;
    print(&format!("{}\n", serde_json::to_string_pretty(&made)?)).with_context(|| {
        let slug = &made.slug;
        format!("`{slug}` was made, but not its key told; `api-key --tenant {slug}` makes another")
    })
}

/// The faults by the names of the flags that the values came from. Without a name the slug stands
/// for it, and its faults are told once.
fn flags_at_fault(faults: &[FieldError], is_named: bool) -> String {
    let told = faults
        .iter()
        .filter(|fault| is_named || fault.pointer != "/name");
    let lines = told.map(|fault| {
        let flag = match fault.pointer.as_str() {
            "/slug" => "--tenant".to_owned(),
            pointer => pointer.replace('/', "--").replace('_', "-"),
        };
        format!("`{flag}`: {}", fault.detail)
    });
    lines.collect::<Vec<_>>().join("; ")
}

/// Makes another administrator's API key for a tenant and prints it as JSON.
pub async fn api_key(file: Option<&Path>, tenant: &str) -> anyhow::Result<()> {
    let platform = start::open(Config::load(file)?).await?;
    let made = bootstrap::another_key(&platform, tenant)
        .await
        .with_context(|| format!("no API key for the tenant `{tenant}`"))?;
    platform.db.close().await;
    print(&format!("{}\n", serde_json::to_string_pretty(&made)?))
        .context("a key was made, but not told; make another, and revoke this one")
}

/// Says on standard error, once, where issuers lead when nobody listens there.
fn warn_of_issuers(config: &Config, listening: SocketAddr) {
    if let Some(text) = config.lost_issuers(listening) {
        let _ = writeln!(std::io::stderr(), "plinto-control-plane: {text}");
    }
}

/// One line on standard error.
pub fn fail(error: &anyhow::Error) -> ExitCode {
    let line = format!("{error:#}").replace('\n', " ");
    let _ = writeln!(std::io::stderr(), "plinto-control-plane: {line}");
    ExitCode::FAILURE
}

/// Answers a command line that the parser does not take; help and version are such, too.
pub fn misused(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        error.exit();
    }
    match flushed(error.print()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    flushed(std::io::stdout().write_all(text.as_bytes()))
}

fn flushed(written: std::io::Result<()>) -> anyhow::Result<()> {
    written
        .and_then(|()| std::io::stdout().flush())
        .context("cannot write to standard output")
}
