//! Distinguished names and the texts in them. Source: RFC 5280 §4.1.2.4; what is accepted as in Go.

use crate::builtins::crypto::der::{Element, Reader, tag};

/// One attribute of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute<'a> {
    pub(super) oid: &'a [u8],
    pub(super) value: String,
}

/// The attributes of a name, in their order.
pub(super) fn parse(der: &[u8]) -> Option<Vec<Attribute<'_>>> {
    let mut sets = Reader(der).sequence()?;
    let mut attributes = Vec::new();
    while !sets.is_empty() {
        let mut set = sets.inner(tag::SET)?;
        while !set.is_empty() {
            let mut attribute = set.sequence()?;
            attributes.push(Attribute {
                oid: attribute.oid()?,
                value: text(attribute.any()?)?,
            });
        }
    }
    Some(attributes)
}

/// A text of any of the kinds that occur. `None`: it is none.
pub(super) fn text(element: Element<'_>) -> Option<String> {
    let bytes = element.content;
    let checked = |is_allowed: fn(u8) -> bool| {
        bytes
            .iter()
            .all(|byte| is_allowed(*byte))
            .then(|| String::from_utf8_lossy(bytes).into_owned())
    };
    match element.tag {
        tag::T61_STRING => Some(bytes.iter().copied().map(char::from).collect()),
        tag::PRINTABLE_STRING => checked(is_printable),
        tag::UTF8_STRING => String::from_utf8(bytes.to_vec()).ok(),
        tag::BMP_STRING => bmp(bytes),
        tag::IA5_STRING => checked(|byte| byte.is_ascii()),
        tag::NUMERIC_STRING => checked(|byte| byte.is_ascii_digit() || byte == b' '),
        _ => None,
    }
}

/// With `*` and `&`, which occur although they must not.
const fn is_printable(byte: u8) -> bool {
    matches!(byte,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'\''..=b')' | b'+'..=b'/'
        | b' ' | b':' | b'=' | b'?' | b'*' | b'&')
}

/// Two bytes each; without what is no letter of that plane.
fn bmp(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.strip_suffix(&[0, 0]).unwrap_or(bytes);
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let letter = |pair: &[u8; 2]| {
        let point = u16::from_be_bytes(*pair);
        let is_none = matches!(point, 0xfffe | 0xffff | 0xfdd0..=0xfdef);
        char::from_u32(u32::from(point)).filter(|_| !is_none)
    };
    pairs.iter().map(letter).collect()
}

/// Text of a general name: ASCII.
pub(super) fn ascii(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.is_ascii())
}

/// Whether a text can be a domain. `is_constraint`: a `.` may stand before it.
pub(super) fn is_domain(text: &str, is_constraint: bool) -> bool {
    if text.is_empty() {
        return true;
    }
    let text = if is_constraint {
        text.strip_prefix('.').unwrap_or(text)
    } else {
        text
    };
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| (33..=126).contains(&byte));
    text.split('.').all(is_label)
}

/// The parts of an address before and behind its `@`. Source: RFC 2821 §4.1.2, as Go reads it.
pub(super) fn mailbox(text: &str) -> Option<(String, &str)> {
    let (local, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted_local(quoted)?,
        None => plain_local(text)?,
    };
    let domain = rest.strip_prefix('@')?;
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| (33..=126).contains(&byte));
    (domain.is_empty() || domain.split('.').all(is_label)).then_some((local, domain))
}

fn quoted_local(text: &str) -> Option<(String, &str)> {
    let mut local = String::new();
    let mut letters = text.chars();
    loop {
        match letters.next()? {
            '"' => return Some((local, letters.as_str())),
            '\\' => {
                let letter = letters.next()?;
                if !matches!(letter, '\u{1}'..='\u{9}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{7f}') {
                    return None;
                }
                local.push(letter);
            }
            letter @ ('\u{1}'..='\u{8}'
            | '\u{b}'
            | '\u{c}'
            | '\u{e}'..='\u{21}'
            | '#'..='['
            | ']'..='\u{7f}') => local.push(letter),
            _ => return None,
        }
    }
}

fn plain_local(text: &str) -> Option<(String, &str)> {
    let mut local = String::new();
    let mut letters = text.chars();
    loop {
        let rest = letters.as_str();
        let Some(letter) = letters.next() else {
            return finished(local, rest);
        };
        match letter {
            '\\' => local.push(letters.next()?),
            _ if letter.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(letter) => {
                local.push(letter);
            }
            _ => return finished(local, rest),
        }
    }
}

fn finished(local: String, rest: &str) -> Option<(String, &str)> {
    let is_right = !local.is_empty()
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    is_right.then_some((local, rest))
}
