//! JSON for untrusted documents: bounded, and each member name at most once.
//!
//! Parsers disagree on which of two equal members counts; a token that reads differently in
//! two places is an attack, so names are compared after unescaping and a repeat is refused.

use serde_json::{Map, Number, Value};

use crate::Error;

/// How much a document may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of the text, in bytes.
    pub bytes: usize,
    /// Nesting of arrays and objects; the outermost object counts as one.
    pub depth: usize,
    /// Members of all objects together.
    pub members: usize,
}

impl Limits {
    /// A token's header or claims: 8 KiB, 16 levels, 64 members.
    pub const TOKEN: Self = Self {
        bytes: 8 * 1024,
        depth: 16,
        members: 64,
    };
}

/// Parses one JSON object within [`Limits::TOKEN`].
/// `bytes`: UTF-8 without a byte order mark.
/// Errors: `TooLarge`, `Json`, `DuplicateMember`, `TooDeep`, `TooManyMembers`.
/// Source: RFC 8259, RFC 8725 §3.
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, Error> {
    parse_object_within(bytes, &Limits::TOKEN)
}

/// Parses one JSON object within `limits`; otherwise as [`parse_object`].
pub fn parse_object_within(bytes: &[u8], limits: &Limits) -> Result<Map<String, Value>, Error> {
    if bytes.len() > limits.bytes {
        return Err(Error::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Error::Json)?;
    let mut parser = Parser {
        text,
        at: 0,
        members_left: limits.members,
    };
    parser.skip_whitespace();
    let Value::Object(object) = parser.value(limits.depth)? else {
        return Err(Error::Json);
    };
    parser.skip_whitespace();
    if parser.peek().is_some() {
        return Err(Error::Json);
    }
    Ok(object)
}

struct Parser<'a> {
    text: &'a str,
    /// Byte offset; always on a character boundary, since it only moves over ASCII or whole runs.
    at: usize,
    members_left: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn advance(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    fn next(&mut self) -> Result<u8, Error> {
        let byte = self.peek().ok_or(Error::Json)?;
        self.advance(1);
        Ok(byte)
    }

    fn take_if(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.advance(1);
        }
        found
    }

    fn slice_from(&self, start: usize) -> Result<&str, Error> {
        self.text.get(start..self.at).ok_or(Error::Json)
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.advance(1);
        }
    }

    /// `depth_left`: levels that may still be opened, so recursion is bounded.
    fn value(&mut self, depth_left: usize) -> Result<Value, Error> {
        match self.peek().ok_or(Error::Json)? {
            b'{' => self.object(depth_left.checked_sub(1).ok_or(Error::TooDeep)?),
            b'[' => self.array(depth_left.checked_sub(1).ok_or(Error::TooDeep)?),
            b'"' => self.string().map(Value::String),
            b't' => self.literal("true", Value::Bool(true)),
            b'f' => self.literal("false", Value::Bool(false)),
            b'n' => self.literal("null", Value::Null),
            _ => self.number().map(Value::Number),
        }
    }

    fn object(&mut self, depth_left: usize) -> Result<Value, Error> {
        self.advance(1);
        let mut object = Map::new();
        self.skip_whitespace();
        if self.take_if(b'}') {
            return Ok(Value::Object(object));
        }
        loop {
            self.skip_whitespace();
            if self.peek() != Some(b'"') {
                return Err(Error::Json);
            }
            let name = self.string()?;
            self.members_left = self
                .members_left
                .checked_sub(1)
                .ok_or(Error::TooManyMembers)?;
            self.skip_whitespace();
            if self.next()? != b':' {
                return Err(Error::Json);
            }
            self.skip_whitespace();
            let value = self.value(depth_left)?;
            if object.insert(name, value).is_some() {
                return Err(Error::DuplicateMember);
            }
            self.skip_whitespace();
            match self.next()? {
                b',' => {}
                b'}' => return Ok(Value::Object(object)),
                _ => return Err(Error::Json),
            }
        }
    }

    fn array(&mut self, depth_left: usize) -> Result<Value, Error> {
        self.advance(1);
        let mut items = Vec::new();
        self.skip_whitespace();
        if self.take_if(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            self.skip_whitespace();
            items.push(self.value(depth_left)?);
            self.skip_whitespace();
            match self.next()? {
                b',' => {}
                b']' => return Ok(Value::Array(items)),
                _ => return Err(Error::Json),
            }
        }
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Value, Error> {
        let rest = self.text.get(self.at..).ok_or(Error::Json)?;
        if !rest.starts_with(word) {
            return Err(Error::Json);
        }
        self.advance(word.len());
        Ok(value)
    }

    fn string(&mut self) -> Result<String, Error> {
        self.advance(1);
        let mut text = String::new();
        let mut run = self.at;
        loop {
            match self.peek().ok_or(Error::Json)? {
                b'"' => {
                    text.push_str(self.slice_from(run)?);
                    self.advance(1);
                    return Ok(text);
                }
                b'\\' => {
                    text.push_str(self.slice_from(run)?);
                    self.advance(1);
                    text.push(self.escape()?);
                    run = self.at;
                }
                0x00..=0x1f => return Err(Error::Json),
                _ => self.advance(1),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        match self.next()? {
            b'"' => Ok('"'),
            b'\\' => Ok('\\'),
            b'/' => Ok('/'),
            b'b' => Ok('\u{8}'),
            b'f' => Ok('\u{c}'),
            b'n' => Ok('\n'),
            b'r' => Ok('\r'),
            b't' => Ok('\t'),
            b'u' => self.unicode_escape(),
            _ => Err(Error::Json),
        }
    }

    /// `\uXXXX`, or a surrogate pair of two; a lone surrogate is no character.
    fn unicode_escape(&mut self) -> Result<char, Error> {
        let first = self.four_hex_digits()?;
        let mut units = vec![first];
        if (0xd800..0xdc00).contains(&first) {
            if self.next()? != b'\\' || self.next()? != b'u' {
                return Err(Error::Json);
            }
            units.push(self.four_hex_digits()?);
        }
        let mut characters = char::decode_utf16(units);
        match (characters.next(), characters.next()) {
            (Some(Ok(character)), None) => Ok(character),
            _ => Err(Error::Json),
        }
    }

    fn four_hex_digits(&mut self) -> Result<u16, Error> {
        let start = self.at;
        for _ in 0..4 {
            if !self.next()?.is_ascii_hexdigit() {
                return Err(Error::Json);
            }
        }
        u16::from_str_radix(self.slice_from(start)?, 16).map_err(|_| Error::Json)
    }

    fn digits(&mut self) -> Result<(), Error> {
        if !self.next()?.is_ascii_digit() {
            return Err(Error::Json);
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.advance(1);
        }
        Ok(())
    }

    /// An integer stays one; a fraction or an exponent makes a float, and so does `-0`.
    fn number(&mut self) -> Result<Number, Error> {
        let start = self.at;
        let negative = self.take_if(b'-');
        let leading_zero = self.peek() == Some(b'0');
        if leading_zero {
            self.advance(1);
        } else {
            self.digits()?;
        }
        let mut integer = !(negative && leading_zero);
        if self.take_if(b'.') {
            integer = false;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            integer = false;
            self.advance(1);
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.advance(1);
            }
            self.digits()?;
        }
        let text = self.slice_from(start)?;
        if integer {
            if let Ok(number) = text.parse::<u64>() {
                return Ok(Number::from(number));
            }
            if let Ok(number) = text.parse::<i64>() {
                return Ok(Number::from(number));
            }
        }
        let float = text.parse::<f64>().map_err(|_| Error::Json)?;
        Number::from_f64(float).ok_or(Error::Json)
    }
}
