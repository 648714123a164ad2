//! The commands on the audit log: what was signed of it, a copy that proves itself, and the proof.

mod anchor;
mod export;
mod list;
mod record;
mod verify;

use std::path::PathBuf;

use clap::ValueHint;

use crate::{
    client::{Client, text},
    config::Connection,
    failure::Failure,
    online::online,
    output::Output,
};

const CHECKPOINT: &str = "/v1/audit/checkpoint";
const RECORDS: &str = "/v1/audit/records";
const CONSISTENCY: &str = "/v1/audit/consistency_proof";

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Audit {
    /// List events that were looked for, the newest first.
    List(list::List),
    /// Show what was last signed of the log. Kept where the server can't reach it, it shows later
    /// whether anything of before was changed or removed.
    Checkpoint {
        /// Keep it in this file, behind those of before, once the server has proven that the log has
        /// only grown since the last of them.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        append: Option<PathBuf>,
    },
    /// Write the whole log into a file, an event a line, with what proves it.
    Export {
        /// The file.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Replace the file if it exists.
        #[arg(long)]
        force: bool,
    },
    /// Prove, without a network, that an export has every event as it was recorded.
    Verify(verify::Verify),
}

impl Audit {
    pub(crate) fn run(self, connection: &Connection, output: Output) -> Result<(), Failure> {
        let client = || Client::connect(connection);
        match self {
            Self::List(list) => online(list.run(&client()?, output)),
            Self::Checkpoint { append } => {
                let client = client()?;
                let checkpoint = match &append {
                    None => online(client.get(CHECKPOINT))?,
                    Some(file) => online(anchor::append(&client, file))?,
                };
                output.answer(&checkpoint, || {
                    text(&checkpoint, "note").trim_end().to_owned()
                })
            }
            Self::Export { file, force } => {
                let exported = online(export::export(&client()?, &file, force, output))?;
                output.answer(&exported, || {
                    format!(
                        "Wrote {} events to {}\nNext: plinto audit verify {}",
                        text(&exported, "events"),
                        file.display(),
                        file.display()
                    )
                })
            }
            Self::Verify(verify) => verify.run(output),
        }
    }
}

/// What the server said does not fit together.
fn unproven(what: impl std::fmt::Display) -> Failure {
    Failure::Check(format!("the log is not proven: {what}"))
}
