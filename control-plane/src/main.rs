//! Starts the control plane: `serve`, `migrate`, `openapi`, `bootstrap`, `api-key`.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use control_plane::commands;

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
    /// Serve until told to stop (SIGTERM, SIGINT).
    Serve,
    /// Bring the database up to this version.
    Migrate,
    /// Print the OpenAPI document.
    Openapi,
    /// Read a policy bundle, check it within bounds, write a verdict. The server starts it.
    #[command(hide = true, name = commands::CHECK_BUNDLE)]
    CheckBundle,
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
    let arguments = Arguments::parse();
    // Before any thread is started: it is bounded in memory, and needs only one.
    let result = if let Command::CheckBundle = arguments.command {
        commands::check_bundle()
    } else {
        with_runtime(arguments)
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => commands::fail(&error),
    }
}

fn with_runtime(arguments: Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let result = runtime.block_on(run(arguments));
    // Whatever has not ended in the time it was given is left behind, blocking work too.
    runtime.shutdown_background();
    result
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let config = arguments.config.as_deref();
    match arguments.command {
        Command::CheckBundle => commands::check_bundle(),
        Command::Serve => commands::serve(config).await,
        Command::Migrate => commands::migrate(config).await,
        Command::Openapi => commands::openapi(),
        Command::Bootstrap(arguments) => commands::bootstrap(config, arguments).await,
        Command::ApiKey { tenant } => commands::api_key(config, &tenant).await,
    }
}
