//! The plinto command line: builds, tests and publishes policies, follows events, reads tokens, checks a set-up.

mod address;
mod audit;
mod client;
mod clock;
mod config;
mod credentials;
mod doctor;
mod events;
mod explain;
mod failure;
mod login;
mod online;
mod output;
mod policy;
mod token;

use std::{io::Write as _, process::ExitCode};

use clap::{CommandFactory as _, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

use crate::{
    config::Connection,
    failure::Failure,
    output::{Format, Output},
};

/// Exit codes, shown by `--help` and kept stable.
const EXIT_CODES: &str = "Exit codes:
  0  done
  1  a check failed: a policy is wrong, a test fails, a token is not valid
  2  the command line is wrong
  3  a file or the configuration could not be read or written
  4  the control plane refused
  5  the control plane could not be reached or failed
  130  interrupted";

#[derive(Debug, Parser)]
#[command(name = "plinto", version, about, after_help = EXIT_CODES, propagate_version = true)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, clap::Args)]
struct Global {
    /// How to answer.
    #[arg(long, global = true, value_enum, default_value_t = Format::Human, env = "PLINTO_OUTPUT")]
    output: Format,
    /// The control plane's address; otherwise the one in `PLINTO_URL`, or the only one that a key
    /// is stored for.
    #[arg(long, global = true, value_hint = ValueHint::Url)]
    url: Option<String>,
    /// Speak to another machine without TLS: who is on the way can read the API key.
    #[arg(long, global = true)]
    allow_http: bool,
    /// Folder of the stored keys.
    #[arg(long, global = true, env = "PLINTO_CONFIG_DIR", value_hint = ValueHint::DirPath)]
    config_dir: Option<std::path::PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Store an API key for later commands to the same address.
    Login(login::Login),
    /// Forget a stored API key.
    Logout(login::Logout),
    /// Write, test and publish policies.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Keep, export and prove the audit log.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// See what has happened, and what happens.
    #[command(subcommand)]
    Events(events::Events),
    /// Read and verify tokens.
    #[command(subcommand)]
    Token(token::Token),
    /// Check the configuration, the control plane and what the edge would get from it.
    Doctor(doctor::Doctor),
    /// Say what a problem code means and what to do about it.
    Explain(explain::Explain),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return misused(&error),
    };
    let output = Output::new(arguments.global.output);
    match run(arguments, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.fail(&failure),
    }
}

fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let Arguments { global, command } = arguments;
    let connection = Connection::new(global.url, global.allow_http, global.config_dir);
    match command {
        Command::Login(login) => login.run(&connection, output),
        Command::Logout(logout) => logout.run(&connection, output),
        Command::Policy(policy) => policy.run(&connection, output),
        Command::Audit(audit) => audit.run(&connection, output),
        Command::Events(events) => events.run(&connection, output),
        Command::Token(token) => token.run(&connection, output),
        Command::Doctor(doctor) => doctor.run(&connection, output),
        Command::Explain(explain) => explain.run(output),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "plinto", &mut script);
            output::write_out(&String::from_utf8_lossy(&script))
        }
    }
}

/// Answers a command line that the parser does not take; help and version are such, too.
fn misused(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let written = error.print().and_then(|()| std::io::stdout().flush());
        return match output::unless_gone(written) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => Output::new(Format::Human).fail(&failure),
        };
    }
    if !wants_json() {
        error.exit();
    }
    let text = error.to_string();
    let text = text.trim().trim_start_matches("error: ");
    Output::new(Format::Json).fail(&Failure::Usage(text.to_owned()))
}

/// Whether failures are to be JSON, where the parser could not say: the last `--output`, or else
/// the environment.
fn wants_json() -> bool {
    let words: Vec<String> = std::env::args_os()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let given = words.iter().enumerate().rev().find_map(|(at, word)| {
        let rest = word.strip_prefix("--output")?;
        if rest.is_empty() {
            return words.get(at.saturating_add(1)).cloned();
        }
        rest.strip_prefix('=').map(str::to_owned)
    });
    given.or_else(config::output).as_deref() == Some("json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
