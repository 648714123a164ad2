//! Reads JSON. Source: RFC 8259, and Go's `encoding/json` for what that leaves open.

use std::sync::Arc;

use super::super::{Number, Value};

/// 128: arrays and objects, one in the other.
const DEPTH: u32 = 128;
const TOO_DEEP: &str = "nested deeper than 128";
/// 10,000: the same where a text is only looked at. Source: Go, `encoding/json`.
const CHECKED_DEPTH: usize = 10_000;
/// What stands for half of a surrogate pair.
const REPLACEMENT: char = '\u{fffd}';

/// Why a text is not JSON that can be used. Lines and columns are counted from 1, in characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why} at line {line} column {column}")]
pub struct JsonError {
    why: &'static str,
    line: usize,
    column: usize,
}

impl JsonError {
    /// Whether it is JSON, but more than is read here.
    pub(crate) fn is_too_deep(&self) -> bool {
        self.why == TOO_DEEP
    }
}

struct Reader<'a> {
    text: &'a str,
    /// The next byte.
    at: usize,
    depth: u32,
}

type Read<T> = Result<T, &'static str>;

pub(super) fn read(text: &str) -> Result<Value, JsonError> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
    };
    reader.document().map_err(|why| {
        let before = text.get(..reader.at).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or(before);
        JsonError {
            why,
            line: before.matches('\n').count().saturating_add(1),
            column: line.chars().count().saturating_add(1),
        }
    })
}

/// Whether a text is JSON, however large its numbers are. Source: Go, `json.Valid`.
pub(crate) fn is_json(text: &str) -> bool {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
    };
    reader.check().is_ok()
}

impl<'a> Reader<'a> {
    /// Reads over a value, without a call for each level of it.
    fn check(&mut self) -> Read<()> {
        let mut ends = Vec::new();
        loop {
            self.skip_space();
            let end = match self.peek() {
                Some(b'[') => Some(b']'),
                Some(b'{') => Some(b'}'),
                _ => None,
            };
            if let Some(end) = end {
                self.skip();
                self.skip_space();
                if !self.takes(end) {
                    if ends.len() >= CHECKED_DEPTH {
                        return Err("nested deeper than 10,000");
                    }
                    ends.push(end);
                    self.name(end)?;
                    continue;
                }
            } else {
                self.scalar()?;
            }
            loop {
                self.skip_space();
                let Some(end) = ends.last().copied() else {
                    return self.peek().map_or(Ok(()), |_| Err("more than one value"));
                };
                if self.takes(b',') {
                    self.name(end)?;
                    break;
                }
                if !self.takes(end) {
                    return Err("expected `,` or an end");
                }
                ends.pop();
            }
        }
    }

    /// Reads over what comes before a value within an object.
    fn name(&mut self, end: u8) -> Read<()> {
        if end == b']' {
            return Ok(());
        }
        self.skip_space();
        if self.peek() != Some(b'"') {
            return Err("expected a name in quotes");
        }
        self.string()?;
        self.skip_space();
        if self.takes(b':') {
            Ok(())
        } else {
            Err("expected `:`")
        }
    }

    fn scalar(&mut self) -> Read<()> {
        if matches!(self.peek(), Some(b'-' | b'0'..=b'9')) {
            let text = self.number_text();
            return if Number::is_json(text) {
                Ok(())
            } else {
                Err("not a number")
            };
        }
        self.value().map(|_| ())
    }

    fn document(&mut self) -> Read<Value> {
        let value = self.value()?;
        self.skip_space();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err("more than one value"),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.skip();
        }
    }

    /// Takes a byte if it comes next.
    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.skip();
        }
        is_next
    }

    fn value(&mut self) -> Read<Value> {
        self.skip_space();
        match self.peek() {
            Some(b'"') => Ok(Value::from(self.string()?)),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) => Err("expected a value"),
            None => Err("the text ends where a value should be"),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Read<Value> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err("expected a value");
        }
        self.at = self.at.saturating_add(word.len());
        Ok(value)
    }

    fn nested(&mut self, read: fn(&mut Self) -> Read<Value>) -> Read<Value> {
        if self.depth >= DEPTH {
            return Err(TOO_DEEP);
        }
        self.skip();
        self.depth = self.depth.saturating_add(1);
        let value = read(self)?;
        self.depth = self.depth.saturating_sub(1);
        Ok(value)
    }

    fn array(&mut self) -> Read<Value> {
        let mut items = Vec::new();
        self.skip_space();
        if self.takes(b']') {
            return Ok(Value::array(items));
        }
        loop {
            items.push(self.value()?);
            self.skip_space();
            if self.takes(b']') {
                return Ok(Value::array(items));
            }
            if !self.takes(b',') {
                return Err("expected `,` or `]`");
            }
        }
    }

    fn object(&mut self) -> Read<Value> {
        let mut entries = Vec::new();
        self.skip_space();
        if self.takes(b'}') {
            return Ok(Value::object(entries));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err("expected a name in quotes");
            }
            let name = Value::from(self.string()?);
            self.skip_space();
            if !self.takes(b':') {
                return Err("expected `:`");
            }
            entries.push((name, self.value()?));
            self.skip_space();
            if self.takes(b'}') {
                return Ok(Value::object(entries));
            }
            if !self.takes(b',') {
                return Err("expected `,` or `}`");
            }
        }
    }

    fn number(&mut self) -> Read<Value> {
        let start = self.at;
        let text = self.number_text();
        let Some(number) = Number::parse(text) else {
            self.at = start;
            return Err("not a number, or one that is too large");
        };
        Ok(Value::Number(number))
    }

    fn number_text(&mut self) -> &'a str {
        let start = self.at;
        while matches!(
            self.peek(),
            Some(b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')
        ) {
            self.skip();
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Bytes up to the next quote or escape.
    fn plain_text(&mut self) -> Read<&'a str> {
        let start = self.at;
        loop {
            match self.peek() {
                Some(b'"' | b'\\') => break,
                Some(0..=0x1f) => return Err("a control character in a text"),
                Some(_) => self.skip(),
                None => return Err("a text without its end"),
            }
        }
        Ok(self.text.get(start..self.at).unwrap_or_default())
    }

    fn string(&mut self) -> Read<Arc<str>> {
        self.skip();
        let start = self.plain_text()?;
        if self.takes(b'"') {
            return Ok(start.into());
        }
        let mut text = start.to_owned();
        while !self.takes(b'"') {
            text.push(self.escape()?);
            text.push_str(self.plain_text()?);
        }
        Ok(text.into())
    }

    /// From a backslash on; there is none if a text goes on after an escape.
    fn escape(&mut self) -> Read<char> {
        self.skip();
        let escaped = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.skip();
                return self.unicode();
            }
            _ => return Err("an escape that is none"),
        };
        self.skip();
        Ok(escaped)
    }

    /// The digits after `\u`, and those of the second half if it is the first of a pair.
    fn unicode(&mut self) -> Read<char> {
        let unit = self
            .hexadecimal()
            .ok_or("expected four hexadecimal digits")?;
        if let Some(character) = char::from_u32(unit) {
            return Ok(character);
        }
        let start = self.at;
        if self.takes(b'\\')
            && self.takes(b'u')
            && let Some(second) = self.hexadecimal()
            && let (0xd800..=0xdbff, 0xdc00..=0xdfff) = (unit, second)
        {
            let bits = ((unit & 0x3ff) << 10) | (second & 0x3ff);
            return Ok(char::from_u32(bits.saturating_add(0x1_0000)).unwrap_or(REPLACEMENT));
        }
        self.at = start;
        Ok(REPLACEMENT)
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let end = self.at.saturating_add(4);
        let digits = self.text.get(self.at..end)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        self.at = end;
        u32::from_str_radix(digits, 16).ok()
    }
}
