//! Starts the control plane: `serve`, `work`, `migrate`, `backup`, `restore`, `verify`, `openapi`, `bootstrap`, `api-key`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use control_plane::{commands, worker::Role};

/// The Plinto control plane.
#[derive(Debug, Parser)]
#[command(name = "plinto-control-plane", version)]
struct Arguments {
    /// Settings file; `plinto.toml` if it exists and none is named.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read a policy bundle, check it within bounds, write the outcome. The server starts it.
    #[command(hide = true, name = commands::CHECK_BUNDLE)]
    CheckBundle,
    #[command(flatten)]
    Other(Other),
}

#[derive(Debug, Subcommand)]
enum Other {
    /// Serve, and do background work, until told to stop (SIGTERM, SIGINT).
    Serve {
        /// Leave background work to other processes on the same database.
        #[arg(long)]
        without_work: bool,
    },
    /// Do background work alone, until told to stop (SIGTERM, SIGINT).
    Work,
    /// Bring the database up to this version.
    Migrate,
    /// Write one state of the database into a new file, while a server runs. For SQLite.
    Backup {
        /// The file.
        file: PathBuf,
    },
    /// Go on from a backup: put it where the settings say that the database is, make everybody sign in
    /// again, and let readers of events know that this is another history. Without a file: the Postgres
    /// server was restored with its own tools.
    Restore {
        /// The backup.
        file: Option<PathBuf>,
        /// Leave people signed in, those too whose sessions ended after the backup.
        #[arg(long)]
        keep_sessions: bool,
    },
    /// Look whether the database has everything as it was recorded, and say what it has not. Reads every
    /// event, and changes nothing.
    Verify,
    /// Print the OpenAPI document.
    Openapi,
    /// Make a tenant with its keys and print what a first client needs, as JSON.
    Bootstrap(commands::BootstrapArguments),
    /// Make another API key that may do everything in a tenant, whose own are lost or revoked.
    ApiKey {
        /// The tenant's name in URLs.
        #[arg(long)]
        tenant: String,
    },
}

fn main() -> ExitCode {
    let Arguments { config, command } = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return commands::misused(&error),
    };
    let result = match command {
        // Before any thread is started: it is bounded in memory, and needs only one.
        Command::CheckBundle => commands::check_bundle(),
        Command::Other(command) => with_runtime(config.as_deref(), command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => commands::fail(&error),
    }
}

fn with_runtime(config: Option<&Path>, command: Other) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let result = runtime.block_on(run(config, command));
    // Whatever has not ended in the time it was given is left behind, blocking work too.
    runtime.shutdown_background();
    result
}

async fn run(config: Option<&Path>, command: Other) -> anyhow::Result<()> {
    match command {
        Other::Serve { without_work } => {
            let role = if without_work {
                Role::ServeWithoutWork
            } else {
                Role::Serve
            };
            commands::serve(config, role).await
        }
        Other::Work => commands::work(config).await,
        Other::Migrate => commands::migrate(config).await,
        Other::Backup { file } => commands::backup(config, &file).await,
        Other::Restore {
            file,
            keep_sessions,
        } => commands::restore(config, file.as_deref(), keep_sessions).await,
        Other::Verify => commands::verify(config).await,
        Other::Openapi => commands::openapi(),
        Other::Bootstrap(arguments) => commands::bootstrap(config, arguments).await,
        Other::ApiKey { tenant } => commands::api_key(config, &tenant).await,
    }
}
