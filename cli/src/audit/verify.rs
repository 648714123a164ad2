//! Proves an export: every line is the event that was recorded, none is missing, and the whole is what was
//! signed.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, Read as _},
    path::{Path, PathBuf},
};

use clap::ValueHint;
use plinto_tlog::{Checkpoint, Frontier, Hash, VerifierKey};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{
    anchor,
    export::{GROUP, Groups, Header, Trailer},
    record::{Record, Wrong},
    unproven,
};
use crate::{failure::Failure, output::Output};

/// 64 MiB: the last line of an export of 300 million events.
const LINE_BYTES: u64 = 64 << 20;
/// 100: findings that are told.
const FINDINGS_MAX: usize = 100;

#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// The export.
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// The key that the log is signed with, as you noted it earlier. Without it, the export's own is
    /// used, which whoever forged all of it could have made.
    #[arg(long)]
    key: Option<String>,
    /// Checkpoints that `plinto audit checkpoint --append` has kept: the export has to go on from each.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    anchor: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(self, output: Output) -> Result<(), Failure> {
        let mut lines = Lines::open(&self.file)?;
        let header: Header = lines
            .next()?
            .and_then(|line| as_written(&line))
            .ok_or_else(|| unproven("the file does not begin as an export"))?;
        if header.plinto_audit_export != 1 {
            return Err(unproven(
                "the export has a form that this version does not know",
            ));
        }
        let (checkpoint, key) = header.anchor.open()?;
        if let Some(known) = &self.key {
            let known: VerifierKey = known
                .parse()
                .map_err(|error| Failure::Usage(format!("`--key` is no key: {error}")))?;
            if known != key {
                return Err(unproven("it is signed with another key than the one given"));
            }
        }
        let anchors = self.anchors(&key, &checkpoint)?;
        let mut proof = Proof::new(checkpoint, anchors);
        proof.read(&mut lines)?;
        proof.conclude()?;
        let proven = json!({
            "events": proof.checkpoint.size(),
            "origin": proof.checkpoint.origin(),
            "verifier_key": key.to_string(),
            "erased": proof.erased,
            "anchors": proof.anchors.len(),
        });
        output.answer(&proven, || self.told(&proof, &key))
    }

    fn told(&self, proof: &Proof, key: &VerifierKey) -> String {
        let (size, origin) = (proof.checkpoint.size(), proof.checkpoint.origin());
        let mut lines = vec![format!(
            "Proven: {size} events of {origin}, as they were signed"
        )];
        if proof.erased > 0 {
            lines.push(format!(
                "{} of them without their context, which was erased",
                proof.erased
            ));
        }
        if !proof.anchors.is_empty() {
            let kept = proof.anchors.len();
            lines.push(format!("The log goes on from all {kept} checkpoints kept"));
        }
        if self.key.is_none() && proof.anchors.is_empty() {
            lines.push(format!(
                "The key is the export's own; compare it with the one you know: {key}"
            ));
        }
        lines.join("\n")
    }

    /// The roots that the log must have had, by its size then.
    fn anchors(
        &self,
        key: &VerifierKey,
        checkpoint: &Checkpoint,
    ) -> Result<BTreeMap<u64, Hash>, Failure> {
        let mut anchors = BTreeMap::new();
        let Some(file) = &self.anchor else {
            return Ok(anchors);
        };
        let kept = anchor::read(file)?;
        if kept.is_empty() {
            let text = "there is no checkpoint in it";
            return Err(Failure::file(file, anyhow::anyhow!(text)));
        }
        for kept in kept {
            let (before, known) = kept.open()?;
            if known != *key {
                return Err(unproven(
                    "it is signed with another key than the checkpoints kept",
                ));
            }
            if before.size() > checkpoint.size() {
                return Err(unproven(format!(
                    "it was rolled back: a checkpoint kept has {} events, the export {}",
                    before.size(),
                    checkpoint.size()
                )));
            }
            anchors.insert(before.size(), *before.root());
        }
        Ok(anchors)
    }
}

/// What has been read, and what is wrong with it.
struct Proof {
    checkpoint: Checkpoint,
    anchors: BTreeMap<u64, Hash>,
    findings: Vec<String>,
    /// Over what the lines say their hashes are.
    frontier: Frontier,
    /// Over what the lines are.
    groups: Groups,
    expected: u64,
    erased: u64,
    trailer: Option<Trailer>,
    /// The size of the first checkpoint kept whose events are not these.
    rewritten: Option<u64>,
}

impl Proof {
    fn new(checkpoint: Checkpoint, anchors: BTreeMap<u64, Hash>) -> Self {
        Self {
            checkpoint,
            anchors,
            findings: Vec::new(),
            frontier: Frontier::new(),
            groups: Groups::default(),
            expected: 1,
            erased: 0,
            trailer: None,
            rewritten: None,
        }
    }

    fn read(&mut self, lines: &mut Lines) -> Result<(), Failure> {
        while let Some(line) = lines.next()? {
            if self.trailer.is_some() {
                self.find("something stands behind the end of the export".to_owned());
                break;
            }
            match serde_json::from_str::<Map<String, Value>>(&line) {
                Ok(members) if !members.contains_key("seq") => {
                    self.trailer = as_written(&line);
                    if self.trailer.is_none() {
                        self.find(format!(
                            "line {} is neither an event nor the end",
                            lines.number
                        ));
                    }
                }
                Ok(members) => self.event(&line, members, lines.number)?,
                Err(_) => self.find(format!("line {} is no event", lines.number)),
            }
        }
        Ok(())
    }

    fn event(
        &mut self,
        line: &str,
        members: Map<String, Value>,
        number: u64,
    ) -> Result<(), Failure> {
        // A member that stands twice would be read by one program so and by another otherwise.
        let is_as_written = serde_json::to_string(&members).is_ok_and(|text| text == line);
        let seq = members.get("seq").and_then(Value::as_u64);
        if !is_as_written {
            self.find(format!("line {number} was written by something else"));
        }
        let record = match Record::of(members) {
            Ok(record) => record,
            Err(Wrong::Unreadable(why)) => {
                self.find(format!("line {number} is no event: {why}"));
                return Ok(());
            }
            Err(Wrong::Context) => {
                let seq = seq.unwrap_or_default();
                self.find(format!("event {seq} was changed: its context is another"));
                self.expected = seq.saturating_add(1);
                return Ok(());
            }
        };
        self.place(record.seq, number);
        if record.computed != record.said {
            self.find(format!("event {} was changed", record.seq));
        }
        self.erased = self.erased.saturating_add(u64::from(record.is_erased));
        if self.frontier.size() < self.checkpoint.size() {
            self.frontier.push(record.said).map_err(unproven)?;
            self.groups.push(record.computed).map_err(unproven)?;
        }
        let size = self.frontier.size();
        if let Some(root) = self.anchors.get(&size)
            && *root != self.frontier.root()
        {
            self.rewritten.get_or_insert(size);
        }
        Ok(())
    }

    /// Whether the event is the one that comes next.
    fn place(&mut self, seq: u64, number: u64) {
        let expected = self.expected;
        if seq > self.checkpoint.size() {
            self.find(format!(
                "event {seq} was slipped in: {} were signed",
                self.checkpoint.size()
            ));
        } else if seq < expected {
            self.find(format!(
                "line {number}: event {seq} was slipped in behind event {}",
                expected.saturating_sub(1)
            ));
        } else if seq > expected {
            self.missing(expected, seq.saturating_sub(1));
        }
        self.expected = expected.max(seq.saturating_add(1));
    }

    fn missing(&mut self, first: u64, last: u64) {
        self.find(if first == last {
            format!("event {first} is missing")
        } else {
            format!("events {first} to {last} are missing")
        });
    }

    fn find(&mut self, what: String) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(what);
        }
    }

    /// Errors: what was found.
    fn conclude(&mut self) -> Result<(), Failure> {
        let size = self.checkpoint.size();
        if self.expected <= size {
            self.missing(self.expected, size);
        }
        let is_signed =
            self.frontier.size() == size && self.frontier.root() == *self.checkpoint.root();
        if let (Some(size), true) = (self.rewritten, is_signed) {
            self.find(format!(
                "the log was rewritten: its first {size} events are not those of a checkpoint kept"
            ));
        }
        if is_signed && !self.ends_as_it_is() {
            self.find("the last line is not the one that was written".to_owned());
        }
        if !is_signed && self.findings.is_empty() {
            self.find("the events are not those that were signed".to_owned());
            self.name_groups();
        }
        if self.findings.is_empty() {
            return Ok(());
        }
        Err(Failure::Check(self.findings.join("\n")))
    }

    /// Whether the last line is there, and of these events.
    fn ends_as_it_is(&self) -> bool {
        self.trailer.as_ref() == Some(&self.groups.trailer())
    }

    /// Where what was signed and what is there part, if the last line is still what was signed.
    fn name_groups(&mut self) {
        let Some(trailer) = &self.trailer else {
            return;
        };
        let parse = |texts: &[String]| -> Option<Vec<Hash>> {
            texts.iter().map(|text| text.parse().ok()).collect()
        };
        let (Some(groups), Some(rest)) = (parse(&trailer.groups), parse(&trailer.rest)) else {
            return;
        };
        if !is_root_of(&groups, &rest, &self.checkpoint) {
            return;
        }
        let (roots, leaves) = self.groups.parts();
        let mut found = Vec::new();
        for (first, (signed, there)) in (0..).zip(groups.iter().zip(roots)) {
            if signed != there {
                let first: u64 = GROUP.saturating_mul(first).saturating_add(1);
                let last = first.saturating_add(GROUP).saturating_sub(1);
                found.push(format!("one of the events {first} to {last} was changed"));
            }
        }
        let before = GROUP.saturating_mul(u64::try_from(groups.len()).unwrap_or(u64::MAX));
        for (place, (signed, there)) in (1..).zip(rest.iter().zip(leaves)) {
            if signed != there {
                found.push(format!(
                    "event {} was changed",
                    before.saturating_add(place)
                ));
            }
        }
        for what in found {
            self.find(what);
        }
    }
}

/// Reads a line that says nothing more, and nothing twice.
fn as_written<T: Serialize + DeserializeOwned>(line: &str) -> Option<T> {
    let read: T = serde_json::from_str(line).ok()?;
    let is_same = serde_json::to_string(&read).is_ok_and(|text| text == line);
    is_same.then_some(read)
}

/// Whether groups and leaves make the tree that was signed: a whole group is a node of eight levels.
fn is_root_of(groups: &[Hash], rest: &[Hash], checkpoint: &Checkpoint) -> bool {
    let whole = groups.len().saturating_mul(256).saturating_add(rest.len());
    if u64::try_from(whole).ok() != Some(checkpoint.size()) {
        return false;
    }
    let mut hashes = Vec::new();
    let mut peaks = |mut level: Vec<Hash>| {
        // The largest subtrees from left to right (RFC 9162 §2.1.1).
        while !level.is_empty() {
            let width = 1_usize << level.len().ilog2();
            let rest = level.split_off(width);
            while level.len() > 1 {
                level = level
                    .chunks(2)
                    .filter_map(|pair| Some(plinto_tlog::hash::node(pair.first()?, pair.get(1)?)))
                    .collect();
            }
            hashes.append(&mut level);
            level = rest;
        }
    };
    peaks(groups.to_vec());
    peaks(rest.to_vec());
    let Some(last) = hashes.pop() else {
        return false;
    };
    let root = hashes
        .iter()
        .rev()
        .fold(last, |right, left| plinto_tlog::hash::node(left, &right));
    root == *checkpoint.root()
}

/// The lines of a file, one at a time.
struct Lines {
    reader: BufReader<File>,
    path: PathBuf,
    number: u64,
}

impl Lines {
    fn open(path: &Path) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|error| Failure::file(path, error))?;
        Ok(Self {
            reader: BufReader::new(file),
            path: path.to_owned(),
            number: 0,
        })
    }

    /// Errors: it cannot be read, or is longer than any line of an export.
    fn next(&mut self) -> Result<Option<String>, Failure> {
        let mut line = Vec::new();
        self.number = self.number.saturating_add(1);
        let read = self
            .reader
            .by_ref()
            .take(LINE_BYTES)
            .read_until(b'\n', &mut line);
        let read = read.map_err(|error| Failure::file(&self.path, error))?;
        if read == 0 {
            return Ok(None);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        String::from_utf8(line)
            .map(Some)
            .map_err(|_| unproven(format!("line {} is no text", self.number)))
    }
}
