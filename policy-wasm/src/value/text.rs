//! Values as Rego writes them. Source: OPA, `Value.String`; Go, `strconv.Quote`.

use std::fmt;

use super::Value;

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str("null"),
            Self::Bool(flag) => flag.fmt(formatter),
            Self::Number(number) => number.fmt(formatter),
            Self::String(text) => write_quoted(formatter, text),
            Self::Array(array) => list(formatter, "[", array, "]"),
            Self::Set(set) if set.is_empty() => formatter.write_str("set()"),
            Self::Set(set) => list(formatter, "{", set, "}"),
            Self::Object(object) => {
                formatter.write_str("{")?;
                for (index, (key, value)) in object.iter().enumerate() {
                    if index > 0 {
                        formatter.write_str(", ")?;
                    }
                    fmt::Display::fmt(key, formatter)?;
                    formatter.write_str(": ")?;
                    fmt::Display::fmt(value, formatter)?;
                }
                formatter.write_str("}")
            }
        }
    }
}

fn list(
    formatter: &mut fmt::Formatter<'_>,
    open: &str,
    items: &[Value],
    close: &str,
) -> fmt::Result {
    formatter.write_str(open)?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            formatter.write_str(", ")?;
        }
        fmt::Display::fmt(item, formatter)?;
    }
    formatter.write_str(close)
}

/// In double quotes.
fn write_quoted(out: &mut impl fmt::Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    let mut rest = text;
    while let Some(place) = rest.find(|character| !stands_for_itself(character)) {
        let (plain, escaped) = rest.split_at_checked(place).unwrap_or((rest, ""));
        out.write_str(plain)?;
        let mut characters = escaped.chars();
        if let Some(character) = characters.next() {
            write_escaped(out, character, '"', is_printable)?;
        }
        rest = characters.as_str();
    }
    out.write_str(rest)?;
    out.write_char('"')
}

fn stands_for_itself(character: char) -> bool {
    !matches!(character, '"' | '\\') && is_printable(character)
}

/// One character of a text in quotes. `is_plain`: whether it may stand for itself.
pub(crate) fn write_escaped(
    out: &mut impl fmt::Write,
    character: char,
    quote: char,
    is_plain: fn(char) -> bool,
) -> fmt::Result {
    match character {
        '\\' => out.write_str("\\\\"),
        quoted if quoted == quote => write!(out, "\\{quote}"),
        plain if is_plain(plain) => out.write_char(plain),
        '\u{7}' => out.write_str("\\a"),
        '\u{8}' => out.write_str("\\b"),
        '\u{c}' => out.write_str("\\f"),
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        '\u{b}' => out.write_str("\\v"),
        '\0'..=' ' | '\u{7f}' => write!(out, "\\x{:02x}", u32::from(character)),
        '\0'..='\u{ffff}' => write!(out, "\\u{:04x}", u32::from(character)),
        _ => write!(out, "\\U{:08x}", u32::from(character)),
    }
}

/// Whether it is seen: a letter, mark, number, sign, or the space of ASCII. Source: Go,
/// `unicode.IsPrint`.
pub(crate) fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return (' '..='~').contains(&character);
    }
    // `escape_debug` escapes what isn't printable, and marks only where a text begins with them
    let mut bytes = [b'a'; 5];
    let (_, rest) = bytes.split_at_mut(1);
    let length = character.encode_utf8(rest).len().saturating_add(1);
    let text = bytes
        .get(..length)
        .and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.is_some_and(|text| text.escape_debug().count() == 2)
}
