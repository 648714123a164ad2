//! Checkpoints: what a log says of itself at one size, as the text of a note (C2SP tlog-checkpoint).

use std::fmt;
use std::str::FromStr;

use crate::hash::{EMPTY_ROOT, Hash};
use crate::key::{SigningKey, VerifierKey};
use crate::{Error, note, size};

/// The size and root of a log. As text three lines and those of extensions, each ending with a newline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
    extensions: Vec<String>,
}

impl Checkpoint {
    /// `origin`: which log; better a URL without its scheme, as `log.example/acme`, and the name of its
    /// key. `size`: in entries.
    /// Errors: `Checkpoint` for an origin that is empty or has control characters, or another root than
    /// [`EMPTY_ROOT`] of a log without entries; `Size`.
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self, Error> {
        check_line(origin)?;
        size::check(size)?;
        if size == 0 && root != EMPTY_ROOT {
            return Err(Error::Checkpoint);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
            extensions: Vec::new(),
        })
    }

    /// The same with one more line, whose meaning the application knows. Not recommended: nobody who
    /// watches a log can check it.
    /// Errors: `Checkpoint` when it is empty or has control characters.
    pub fn with_extension(mut self, line: &str) -> Result<Self, Error> {
        check_line(line)?;
        self.extensions.push(line.to_owned());
        Ok(self)
    }

    /// Which log it is of.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries the log has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the log.
    pub const fn root(&self) -> &Hash {
        &self.root
    }

    /// The lines after the root.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }

    /// The checkpoint as a signed note. Never sign two that are not consistent.
    /// Errors: as [`note::sign`].
    pub fn sign(&self, keys: &[&SigningKey]) -> Result<String, Error> {
        note::sign(&self.to_string(), keys)
    }

    /// Reads a signed note and checks signatures, form and origin.
    /// `origin`: the log that is asked about. `keys`: those of the log, one of which must have signed;
    /// keys of witnesses don't belong here.
    /// Errors: as [`note::open`]; `Checkpoint`, `Number`, `Size`, `Base64`, `Hash`, `Origin`.
    pub fn open(message: &[u8], origin: &str, keys: &[VerifierKey]) -> Result<Self, Error> {
        let checkpoint: Self = note::open(message, keys)?.text.parse()?;
        if checkpoint.origin != origin {
            return Err(Error::Origin);
        }
        Ok(checkpoint)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, self.root)?;
        let mut lines = self.extensions.iter();
        lines.try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl FromStr for Checkpoint {
    type Err = Error;

    /// Reads the text of a note, which is to be trusted only when the note's signature was checked.
    /// Errors: `Checkpoint`, `Number`, `Size`, `Base64`, `Hash`.
    /// Source: C2SP tlog-checkpoint, "Note text".
    fn from_str(text: &str) -> Result<Self, Error> {
        let lines = text.strip_suffix('\n').ok_or(Error::Checkpoint)?;
        let mut lines = lines.split('\n');
        let mut line = || lines.next().ok_or(Error::Checkpoint);
        let (origin, size, root) = (line()?, line()?, line()?);
        let begun = Self::new(origin, size::parse(size)?, root.parse()?)?;
        lines.try_fold(begun, Self::with_extension)
    }
}

/// Errors: `Checkpoint`: empty, or with an ASCII control character.
fn check_line(line: &str) -> Result<(), Error> {
    if line.is_empty() || line.contains(|c| c < ' ') {
        return Err(Error::Checkpoint);
    }
    Ok(())
}
