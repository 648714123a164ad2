//! Signed notes: a text, an empty line, and lines of signatures (C2SP signed-note).

use crate::key::{SigningKey, VerifierKey, check_name};
use crate::{Error, base64};

/// The longest note that is read, in bytes: room for sixteen post-quantum signatures and the text.
pub const MAX_NOTE_BYTES: usize = 256 * 1024;
/// How many signatures of a note are read.
pub const MAX_SIGNATURES: usize = 100;
/// How a line of a signature begins.
const SIGNATURE: &str = "— ";
/// Bytes of a key id before a signature.
const ID_BYTES: usize = 4;

/// The text of a note, and who of the known keys has signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened<'k> {
    /// What is signed, with its last newline.
    pub text: String,
    /// Each of the known keys that has signed, once, as the note names them.
    pub signers: Vec<&'k VerifierKey>,
}

/// Signs a text.
/// `text`: ends with a newline and has no other control characters.
/// `keys`: at least one; their signatures stand in this order.
/// Errors: `Note` for other texts, `NoteSize`, `TooManySignatures`; `Unsigned` without keys;
/// `AmbiguousKey` when one is there twice.
pub fn sign(text: &str, keys: &[&SigningKey]) -> Result<String, Error> {
    check_characters(text)?;
    if !text.ends_with('\n') {
        return Err(Error::Note);
    }
    if keys.is_empty() {
        return Err(Error::Unsigned);
    }
    if keys.len() > MAX_SIGNATURES {
        return Err(Error::TooManySignatures);
    }
    let verifiers: Vec<_> = keys.iter().map(|key| key.verifier()).collect();
    for key in &verifiers {
        known(&verifiers, key.name(), key.id())?;
    }
    let lines: String = keys.iter().map(|key| key.line(text)).collect();
    let note = format!("{text}\n{lines}");
    if note.len() > MAX_NOTE_BYTES {
        return Err(Error::NoteSize);
    }
    Ok(note)
}

/// Reads a note and checks its signatures. Those of unknown keys are ignored; every one of a known key
/// must verify, and there must be one.
/// Errors: `NoteSize`, `Note`, `TooManySignatures`, `AmbiguousKey`, `Signature`, `Unsigned`.
/// Source: C2SP signed-note, "Format" and "Signatures".
pub fn open<'k>(message: &[u8], keys: &'k [VerifierKey]) -> Result<Opened<'k>, Error> {
    if message.len() > MAX_NOTE_BYTES {
        return Err(Error::NoteSize);
    }
    let message = str::from_utf8(message).map_err(|_| Error::Note)?;
    check_characters(message)?;
    let (text, lines) = split(message).ok_or(Error::Note)?;
    if lines.clone().count() > MAX_SIGNATURES {
        return Err(Error::TooManySignatures);
    }
    let keys: Vec<&VerifierKey> = keys.iter().collect();
    let mut signers: Vec<&VerifierKey> = Vec::new();
    for line in lines {
        let line = Line::parse(line)?;
        let Some(key) = known(&keys, line.name, line.id)? else {
            continue;
        };
        key.verify(text.as_bytes(), &line.signature)?;
        if !signers.contains(&key) {
            signers.push(key);
        }
    }
    if signers.is_empty() {
        return Err(Error::Unsigned);
    }
    Ok(Opened {
        text: text.to_owned(),
        signers,
    })
}

/// The text with its newline, and the lines after the last empty line; none if there is no such line,
/// nothing before or after it, or no newline at the end.
fn split(message: &str) -> Option<(&str, impl Iterator<Item = &str> + Clone)> {
    let (before, lines) = message.rsplit_once("\n\n")?;
    let text = message.get(..before.len().checked_add(1)?)?;
    let lines = lines.strip_suffix('\n')?;
    Some((text, lines.split('\n')))
}

/// Errors: `Note`: ASCII control characters other than newline.
fn check_characters(text: &str) -> Result<(), Error> {
    if text.contains(|c| c < ' ' && c != '\n') {
        return Err(Error::Note);
    }
    Ok(())
}

/// The key of this name and id.
/// Errors: `AmbiguousKey`.
fn known<'k>(
    keys: &[&'k VerifierKey],
    name: &str,
    id: u32,
) -> Result<Option<&'k VerifierKey>, Error> {
    let mut matching = keys
        .iter()
        .filter(|key| key.id() == id && key.name() == name);
    let key = matching.next();
    if matching.next().is_some() {
        return Err(Error::AmbiguousKey);
    }
    Ok(key.copied())
}

/// One signature, of whatever type.
struct Line<'m> {
    name: &'m str,
    id: u32,
    signature: Vec<u8>,
}

impl<'m> Line<'m> {
    /// Errors: `Note`.
    fn parse(line: &'m str) -> Result<Self, Error> {
        let (name, encoded) = line
            .strip_prefix(SIGNATURE)
            .and_then(|rest| rest.split_once(' '))
            .ok_or(Error::Note)?;
        check_name(name).map_err(|_| Error::Note)?;
        let bytes = base64::decode(encoded).map_err(|_| Error::Note)?;
        let (id, signature) = bytes.split_first_chunk::<ID_BYTES>().ok_or(Error::Note)?;
        if signature.is_empty() {
            return Err(Error::Note);
        }
        Ok(Self {
            name,
            id: u32::from_be_bytes(*id),
            signature: signature.to_vec(),
        })
    }
}
