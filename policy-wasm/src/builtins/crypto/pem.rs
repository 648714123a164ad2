//! PEM blocks, with Go's patience for what stands around them. Source: RFC 7468; Go,
//! `encoding/pem`.

use super::base64::decode;
use super::base64::{Alphabet, Padding};

/// What stands between BEGIN and END.
pub(in crate::builtins) struct Block<'a> {
    /// `CERTIFICATE`
    pub(in crate::builtins) label: &'a [u8],
    pub(in crate::builtins) bytes: Vec<u8>,
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"\n-----END ";
const DASHES: &[u8] = b"-----";

/// The next block and what follows it. `None`: there is none.
pub(in crate::builtins) fn next(text: &[u8]) -> Option<(Block<'_>, &[u8])> {
    let mut rest = text;
    loop {
        let end = find(rest, END)?;
        match block(rest, end) {
            Ok(found) => return Some(found),
            // The search goes on behind this END.
            Err(NoBlock::Here) => rest = rest.get(end.checked_add(END.len())?..)?,
            Err(NoBlock::Anywhere) => return None,
        }
    }
}

enum NoBlock {
    Here,
    Anywhere,
}

/// The block that ends at an END line.
fn block(text: &[u8], end: usize) -> Result<(Block<'_>, &[u8]), NoBlock> {
    let before = text.get(..end).ok_or(NoBlock::Here)?;
    let begin = rfind(before, BEGIN).ok_or(NoBlock::Here)?;
    let starts_line = begin
        .checked_sub(1)
        .is_none_or(|index| before.get(index) == Some(&b'\n'));
    if !starts_line {
        return Err(NoBlock::Here);
    }
    // The END's own line end closes the last line.
    let inner_start = begin.saturating_add(BEGIN.len());
    let closed = text.get(..end.saturating_add(1)).unwrap_or(before);
    let inner = closed.get(inner_start..).ok_or(NoBlock::Here)?;
    let (line, inner) = line(inner);
    let label = line.strip_suffix(DASHES).ok_or(NoBlock::Here)?;
    let after = text
        .get(end.saturating_add(END.len())..)
        .unwrap_or_default();
    let (data, has_headers) = without_headers(inner);
    if has_headers && data.is_none() {
        return Err(NoBlock::Here);
    }
    let trailer = after
        .strip_prefix(label)
        .and_then(|rest| rest.strip_prefix(DASHES))
        .ok_or(NoBlock::Here)?;
    let (end_of_line, rest) = self::line(trailer);
    if !end_of_line.is_empty() {
        return Err(NoBlock::Here);
    }
    if after.is_empty() {
        return Err(NoBlock::Anywhere);
    }
    let data: Vec<u8> = data
        .unwrap_or_default()
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b' ' | b'\t'))
        .collect();
    let bytes = decode(&data, Alphabet::Standard, Padding::Needed).ok_or(NoBlock::Here)?;
    Ok((Block { label, bytes }, rest))
}

/// What follows the lines with a colon, and whether there were some. `None`: nothing follows.
fn without_headers(text: &[u8]) -> (Option<&[u8]>, bool) {
    let mut rest = text;
    let mut has_headers = false;
    while !rest.is_empty() {
        let (first, next) = line(rest);
        if !first.contains(&b':') {
            return (Some(rest), has_headers);
        }
        has_headers = true;
        rest = next;
    }
    (None, has_headers)
}

/// A line without the white space at its end, and what follows.
fn line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| *byte == b'\n');
    let (line, rest) = match end {
        Some(end) => (
            text.get(..end).unwrap_or_default(),
            text.get(end.saturating_add(1)..).unwrap_or_default(),
        ),
        None => (text, Default::default()),
    };
    let line = line
        .strip_suffix(b"\r")
        .filter(|_| end.is_some())
        .unwrap_or(line);
    let kept = line
        .iter()
        .rposition(|byte| !matches!(byte, b' ' | b'\t'))
        .map_or(0, |last| last.saturating_add(1));
    (line.get(..kept).unwrap_or_default(), rest)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}

fn rfind(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .rposition(|window| window == wanted)
}
