//! Writes a log into a file: a line that says what was signed, a line for each event, and a line with the
//! hashes of each 256 of them, so that a change is found in its place.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use plinto_tlog::{Frontier, Hash};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{CHECKPOINT, RECORDS, anchor::Anchor, unproven};
use crate::{
    client::{Client, text},
    failure::Failure,
    output::Output,
};

/// 1,000: events of one answer.
const PART: u64 = 1_000;
/// 256: events of a group.
pub(super) const GROUP: u64 = 256;

/// The first line of an export.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    /// The version of the format.
    pub(super) plinto_audit_export: u8,
    #[serde(flatten)]
    pub(super) anchor: Anchor,
}

/// The last line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trailer {
    /// The root of each 256 events, in base64.
    pub(super) groups: Vec<String>,
    /// The leaves of those that are left.
    pub(super) rest: Vec<String>,
}

/// Writes the events that the newest checkpoint covers.
pub(super) async fn export(
    client: &Client,
    file: &Path,
    force: bool,
    output: Output,
) -> Result<Value, Failure> {
    match file.symlink_metadata() {
        Ok(found) if !found.is_file() => {
            let text = format!("`{}` is no file, and is not replaced", file.display());
            return Err(Failure::Usage(text));
        }
        Ok(_) if !force => {
            let text = format!("`{}` exists; `--force` replaces it", file.display());
            return Err(Failure::Usage(text));
        }
        _ => {}
    }
    let newest = client.get(CHECKPOINT).await?;
    let anchor = Anchor {
        note: text(&newest, "note"),
        verifier_key: text(&newest, "verifier_key"),
    };
    let (checkpoint, _) = anchor.open()?;
    // Beside it first: a file of that name is whole.
    let (part, created) = Part::create(file.with_added_extension("part"))?;
    let failed = |error: std::io::Error| Failure::file(&part.0, error);
    let mut out = BufWriter::new(created);
    let header = Header {
        plinto_audit_export: 1,
        anchor,
    };
    line(&mut out, &header).map_err(failed)?;
    let bar = output.counter(checkpoint.size(), "events");
    let mut groups = Groups::default();
    while groups.size < checkpoint.size() {
        for record in records(client, groups.size, checkpoint.size()).await? {
            let leaf = record.get("leaf_hash").and_then(Value::as_str);
            let leaf = leaf.and_then(|leaf| leaf.parse().ok());
            let leaf = leaf.ok_or_else(|| unproven("an event has no `leaf_hash`"))?;
            groups.push(leaf).map_err(unproven)?;
            line(&mut out, &record).map_err(failed)?;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    line(&mut out, &groups.trailer()).map_err(failed)?;
    let written = out
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    written.sync_all().map_err(failed)?;
    fs::rename(&part.0, file).map_err(|error| Failure::file(file, error))?;
    Ok(json!({ "events": checkpoint.size(), "file": file.display().to_string() }))
}

/// A file that is not whole yet, gone with whoever gives up.
struct Part(PathBuf);

impl Part {
    /// Addresses of people are in it: nobody else on the machine reads it.
    /// Errors: there is one already.
    fn create(path: PathBuf) -> Result<(Self, File), Failure> {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(file) => Ok((Self(path), file)),
            Err(error) => Err(Failure::file(&path, error)),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.0);
    }
}

async fn records(
    client: &Client,
    after: u64,
    size: u64,
) -> Result<Vec<Map<String, Value>>, Failure> {
    let limit = PART.min(size.saturating_sub(after));
    let query = [("after", after.to_string()), ("limit", limit.to_string())];
    let part = client.get_with(RECORDS, &query).await?;
    let records = part.get("data").and_then(Value::as_array);
    let records: Vec<_> = records
        .into_iter()
        .flatten()
        .filter_map(|record| record.as_object().cloned())
        .collect();
    if records.is_empty() {
        return Err(unproven(format!(
            "the server has no event behind event {after}, and signed {size}"
        )));
    }
    Ok(records)
}

fn line(out: &mut impl Write, value: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Leaves, 256 to a group.
#[derive(Debug, Default)]
pub(super) struct Groups {
    size: u64,
    roots: Vec<Hash>,
    group: Vec<Hash>,
}

impl Groups {
    pub(super) fn push(&mut self, leaf: Hash) -> Result<(), plinto_tlog::Error> {
        self.size = self.size.saturating_add(1);
        self.group.push(leaf);
        if self.size.is_multiple_of(GROUP) {
            self.roots.push(root(&self.group)?);
            self.group.clear();
        }
        Ok(())
    }

    /// The roots of the whole groups, and the leaves that are left.
    pub(super) fn parts(&self) -> (&[Hash], &[Hash]) {
        (&self.roots, &self.group)
    }

    /// The last line of an export of these.
    pub(super) fn trailer(&self) -> Trailer {
        let texts = |hashes: &[Hash]| hashes.iter().map(Hash::to_string).collect();
        Trailer {
            groups: texts(&self.roots),
            rest: texts(&self.group),
        }
    }
}

/// The root of a tree of these leaves.
pub(super) fn root(leaves: &[Hash]) -> Result<Hash, plinto_tlog::Error> {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier.push(*leaf)?;
    }
    Ok(frontier.root())
}
