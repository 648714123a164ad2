//! What events cost: a transaction with one beside the same without, how many are numbered a second and how
//! soon, what one takes on disk, how long a search takes in a long log, how fast a log is sealed.
//!
//! `cargo bench -p control-plane --bench events`. `PLINTO_TEST_POSTGRES` names a server to measure beside SQLite,
//! `EVENTS` how long the long log is (1,000,000).

mod load;
mod log;

use std::io::Write;

use anyhow::Context as _;
use control_plane::{
    bootstrap::{self, Bootstrap},
    start,
};
use plinto_contract::ids::TenantId;
use plinto_jose::Algorithm;
use plinto_platform::{Platform, config::Config};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// A control plane in this process, and its tenant.
pub(crate) struct Installation {
    pub(crate) platform: Platform,
    pub(crate) tenant: TenantId,
    pub(crate) key: String,
}

impl Installation {
    async fn open(url: &str) -> anyhow::Result<Self> {
        let mut config = Config::default();
        config.database.url = url.to_owned().into();
        config.database.max_connections = 32;
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8".to_owned();
        config.master_key = Some(key.into());
        config.http.requests_per_minute = 0;
        // What fills the log takes longer than a request may.
        config.http.timeout_s = 3_600;
        let platform = start::open(config).await?;
        let input = Bootstrap {
            slug: "main".to_owned(),
            name: "Main".to_owned(),
            audience: "https://api.example".to_owned(),
            signing_alg: Algorithm::Es256,
        };
        let made = bootstrap::bootstrap(&platform, input).await?;
        Ok(Self {
            platform,
            tenant: made.tenant,
            key: made.api_key.expose().to_owned(),
        })
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let folder = tempfile::tempdir()?;
    let file = format!("sqlite:{}", folder.path().join("db").display());
    let mut databases = vec![("sqlite", file)];
    #[expect(
        clippy::disallowed_methods,
        reason = "a bench has no settings of its own"
    )]
    let (server, events) = (
        std::env::var("PLINTO_TEST_POSTGRES"),
        std::env::var("EVENTS"),
    );
    let events: i64 = match events {
        Ok(text) => text.parse().context("EVENTS is no number")?,
        Err(_) => 1_000_000,
    };
    match &server {
        Ok(server) => databases.push(("postgres", make_database(server).await?)),
        Err(_) => writeln!(
            out,
            "PLINTO_TEST_POSTGRES is not set: PostgreSQL was not measured"
        )?,
    }
    for (engine, url) in &databases {
        let installation = Installation::open(url).await?;
        load::measure(&mut out, engine, &installation).await?;
        log::measure(&mut out, engine, &installation, events).await?;
        installation.platform.stopping.cancel();
        installation.platform.db.close().await;
    }
    Ok(())
}

async fn make_database(server: &str) -> anyhow::Result<String> {
    let mut connection = PgConnection::connect(server).await?;
    let name = format!("plinto_events_{}", std::process::id());
    connection
        .execute(AssertSqlSafe(format!("create database {name}")))
        .await?;
    connection.close().await?;
    let mut url: url::Url = server.parse()?;
    url.set_path(&name);
    Ok(url.to_string())
}
