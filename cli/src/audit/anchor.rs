//! Checkpoints that are kept where the server can't reach them, one a line.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    path::Path,
};

use plinto_tlog::{Checkpoint, Hash, VerifierKey, proof};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CHECKPOINT, CONSISTENCY, unproven};
use crate::{
    client::{Client, text},
    failure::Failure,
};

/// 16 MiB: a checkpoint every minute for a month.
const ANCHORS_BYTES: u64 = 16 << 20;

/// What was signed, and with which key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Anchor {
    pub(super) note: String,
    pub(super) verifier_key: String,
}

impl Anchor {
    /// What is signed, and the key that signed it.
    pub(super) fn open(&self) -> Result<(Checkpoint, VerifierKey), Failure> {
        let key: VerifierKey = self.verifier_key.parse().map_err(unproven)?;
        let checkpoint =
            Checkpoint::open(self.note.as_bytes(), key.name(), std::slice::from_ref(&key))
                .map_err(unproven)?;
        Ok((checkpoint, key))
    }
}

/// Reads a file of checkpoints; none if there is no file.
pub(super) fn read(file: &Path) -> Result<Vec<Anchor>, Failure> {
    match fs::metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Ok(found) if found.len() > ANCHORS_BYTES => {
            let text = "a file of checkpoints is not that large";
            return Err(Failure::file(file, anyhow::anyhow!(text)));
        }
        _ => {}
    }
    let content = fs::read_to_string(file).map_err(|error| Failure::file(file, error))?;
    let lines = content.lines().filter(|line| !line.trim().is_empty());
    lines
        .enumerate()
        .map(|(place, line)| {
            serde_json::from_str(line).map_err(|_| {
                let place = place.saturating_add(1);
                let text = format!("checkpoint {place} of the file is none; remove that line");
                Failure::file(file, anyhow::anyhow!(text))
            })
        })
        .collect()
}

/// Fetches the newest checkpoint and keeps it, when the log has only grown since the last one.
pub(super) async fn append(client: &Client, file: &Path) -> Result<Value, Failure> {
    let kept = read(file)?;
    let newest = client.get(CHECKPOINT).await?;
    let anchor = Anchor {
        note: text(&newest, "note"),
        verifier_key: text(&newest, "verifier_key"),
    };
    let (checkpoint, key) = anchor.open()?;
    if let Some(last) = kept.last() {
        let (before, known) = last.open()?;
        if known != key {
            return Err(unproven("it is signed with another key than before"));
        }
        grown(client, &before, &checkpoint).await?;
        if before.size() == checkpoint.size() {
            return Ok(newest);
        }
    }
    let mut line = serde_json::to_string(&anchor).unwrap_or_default();
    line.push('\n');
    // Whoever edited the file may have left out the end of its last line.
    let is_open = fs::read(file).is_ok_and(|bytes| bytes.last().is_some_and(|last| *last != b'\n'));
    if is_open {
        line.insert(0, '\n');
    }
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .and_then(|mut file| {
            file.write_all(line.as_bytes())
                .and_then(|()| file.sync_all())
        });
    written.map_err(|error| Failure::file(file, error))?;
    Ok(newest)
}

/// Whether the later log begins with the earlier one.
async fn grown(client: &Client, before: &Checkpoint, after: &Checkpoint) -> Result<(), Failure> {
    if after.size() < before.size() {
        return Err(unproven(format!(
            "it had {} events and has {}",
            before.size(),
            after.size()
        )));
    }
    let query = [
        ("from", before.size().to_string()),
        ("to", after.size().to_string()),
    ];
    let answer = client.get_with(CONSISTENCY, &query).await?;
    let hashes = answer.get("hashes").and_then(Value::as_array);
    let hashes: Option<Vec<Hash>> = hashes
        .into_iter()
        .flatten()
        .map(|hash| hash.as_str()?.parse().ok())
        .collect();
    let hashes = hashes.ok_or_else(|| unproven("the proof is none"))?;
    let (first, second) = (before.size(), after.size());
    proof::verify_consistency(first, second, before.root(), after.root(), &hashes)
        .map_err(|_| unproven(format!("what the first {first} events were has changed")))
}
