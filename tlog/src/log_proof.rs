//! Proofs that can be checked offline: an index, its path, and the checkpoint (C2SP tlog-proof).

use std::fmt;
use std::str::FromStr;

use crate::checkpoint::Checkpoint;
use crate::hash::Hash;
use crate::key::VerifierKey;
use crate::note::MAX_NOTE_BYTES;
use crate::{Error, base64, proof, size};

/// The first line.
const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// More neighbours than this a tree of [`MAX_SIZE`](crate::MAX_SIZE) can't have.
const MAX_PATH: usize = 63;

/// That an entry is in a log. As text what a `.tlog-proof` file has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogProof {
    index: u64,
    path: Vec<Hash>,
    checkpoint: String,
    extra: Vec<u8>,
}

impl LogProof {
    /// `path`: as [`tree::inclusion`](crate::tree::inclusion) gives it for the checkpoint's size.
    /// `checkpoint`: a signed note, taken over as it is.
    /// Errors: `Size`; `ProofText` when there are more than 63 hashes, or the checkpoint doesn't end
    /// with a newline or is longer than a note may be.
    pub fn new(index: u64, path: Vec<Hash>, checkpoint: String) -> Result<Self, Error> {
        size::check(index)?;
        let is_note = checkpoint.ends_with('\n') && checkpoint.len() <= MAX_NOTE_BYTES;
        if path.len() > MAX_PATH || !is_note {
            return Err(Error::ProofText);
        }
        Ok(Self {
            index,
            path,
            checkpoint,
            extra: Vec::new(),
        })
    }

    /// The same with data whose meaning the application knows. Nothing authenticates it.
    #[must_use]
    pub fn with_extra(mut self, extra: Vec<u8>) -> Self {
        self.extra = extra;
        self
    }

    /// Which entry it is of.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The hashes of its neighbours, from the leaf's up.
    pub fn path(&self) -> &[Hash] {
        &self.path
    }

    /// The signed note, not checked.
    pub fn checkpoint(&self) -> &str {
        &self.checkpoint
    }

    /// The application's data, mostly none. Nothing authenticates it.
    pub fn extra(&self) -> &[u8] {
        &self.extra
    }

    /// Checks all of it and returns the checkpoint that the entry is in.
    /// `leaf`: the hash of the entry, made of what it is about. `origin`, `keys`: as in
    /// [`Checkpoint::open`].
    /// Errors: as [`Checkpoint::open`] and [`proof::verify_inclusion`].
    pub fn verify(
        &self,
        leaf: &Hash,
        origin: &str,
        keys: &[VerifierKey],
    ) -> Result<Checkpoint, Error> {
        let checkpoint = Checkpoint::open(self.checkpoint.as_bytes(), origin, keys)?;
        let (size, root) = (checkpoint.size(), checkpoint.root());
        proof::verify_inclusion(self.index, size, leaf, root, &self.path)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for LogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if !self.extra.is_empty() {
            writeln!(f, "extra {}", base64::encode(&self.extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        let mut path = self.path.iter();
        path.try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for LogProof {
    type Err = Error;

    /// Reads the text; the checkpoint in it is not looked at before [`LogProof::verify`].
    /// Errors: `ProofText`, `Number`, `Size`, `Base64`, `Hash`.
    /// Source: C2SP tlog-proof, "Format".
    fn from_str(text: &str) -> Result<Self, Error> {
        let (lines, checkpoint) = text.split_once("\n\n").ok_or(Error::ProofText)?;
        let mut lines = lines.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(Error::ProofText);
        }
        let mut line = lines.next().ok_or(Error::ProofText)?;
        let mut extra = Vec::new();
        if let Some(encoded) = line.strip_prefix("extra ") {
            extra = base64::decode(encoded)?;
            if extra.is_empty() {
                return Err(Error::ProofText);
            }
            line = lines.next().ok_or(Error::ProofText)?;
        }
        let index = size::parse(line.strip_prefix("index ").ok_or(Error::ProofText)?)?;
        // one more than there can be is enough to be refused
        let path = lines.take(MAX_PATH.saturating_add(1)).map(str::parse);
        let path: Result<Vec<Hash>, Error> = path.collect();
        Ok(Self::new(index, path?, checkpoint.to_owned())?.with_extra(extra))
    }
}
