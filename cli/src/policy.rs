//! `plinto policy …`: from a folder of Rego to what the edge enforces.

mod asking;
mod folder;
mod offline;
mod remote;
mod testing;

pub(crate) use offline::verify_bundle;

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

use folder::PolicyFolder;

use crate::{config::Connection, failure::Failure, output::Output};

/// Commands about policies. Those up to `inspect` never touch the network.
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Start a policy from a template.
    New {
        /// The folder to make; it must not exist or be empty.
        #[arg(value_hint = ValueHint::DirPath)]
        folder: PathBuf,
        /// What to start from.
        #[arg(long, value_enum, default_value_t = offline::Template::Rbac)]
        template: offline::Template,
    },
    /// Compile a policy and its tests and say what is wrong.
    Check {
        #[command(flatten)]
        folder: PolicyFolder,
    },
    /// Ask a policy as the edge would, or for any rule's value.
    Eval(asking::Eval),
    /// Run a policy's tests.
    Test {
        #[command(flatten)]
        folder: PolicyFolder,
        /// List every test with its cost, and what it printed, not only those that fail.
        #[arg(long, short)]
        verbose: bool,
    },
    /// Pack a policy into a bundle; the same files always give the same bytes.
    Build {
        #[command(flatten)]
        folder: PolicyFolder,
        /// The file to write.
        #[arg(long, short = 'f', value_hint = ValueHint::FilePath, default_value = "bundle.tar.gz")]
        file: PathBuf,
        /// Show what would be built and write nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Show what is in a bundle or a folder.
    Inspect {
        /// A bundle or a policy's folder.
        #[arg(value_hint = ValueHint::AnyPath)]
        path: PathBuf,
        /// A key set (JWKS) to check the bundle's signature with.
        #[arg(long, value_hint = ValueHint::FilePath)]
        jwks: Option<PathBuf>,
    },
    /// Check, test and send a policy to the control plane.
    Publish {
        #[command(flatten)]
        folder: PolicyFolder,
        /// Activate it at once.
        #[arg(long)]
        activate: bool,
        /// Check and test it and show what would be sent, without sending it.
        #[arg(long)]
        dry_run: bool,
    },
    /// Make a published revision the one that the edge enforces.
    Activate {
        /// The revision: 64 hexadecimal characters, or the first ones if they are unique.
        revision: String,
    },
    /// Go back to the revision that was active before.
    Rollback,
    /// Show what is active.
    Status,
    /// List published revisions; a star marks the one in force.
    List,
}

impl Policy {
    pub(crate) fn run(self, connection: &Connection, output: Output) -> Result<(), Failure> {
        match self {
            Self::New { folder, template } => offline::new(&folder, template, output),
            Self::Check { folder } => offline::check(&folder, output),
            Self::Eval(eval) => eval.run(output),
            Self::Test { folder, verbose } => testing::test(&folder, verbose, output),
            Self::Build {
                folder,
                file,
                dry_run,
            } => offline::build(&folder, &file, dry_run, output),
            Self::Inspect { path, jwks } => offline::inspect(&path, jwks.as_deref(), output),
            Self::Publish {
                folder,
                activate,
                dry_run,
            } => remote::publish(&folder, activate, dry_run, connection, output),
            Self::Activate { revision } => remote::activate(&revision, connection, output),
            Self::Rollback => remote::rollback(connection, output),
            Self::Status => remote::status(connection, output),
            Self::List => remote::list(connection, output),
        }
    }
}
