//! Writes JSON as Go's `encoding/json` does, with which OPA writes it.

use std::fmt::Write as _;

use super::super::Value;

/// 1,024: bytes that are written before they are paid for.
const UNPAID_BYTES: usize = 1024;
/// 8: keys within keys. Each one doubles the backslashes of what is in it.
const KEY_DEPTH: u32 = 8;

/// Line breaks and white space between values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Indent<'a> {
    /// What each line but the first begins with.
    pub(crate) prefix: &'a str,
    /// What follows for each level.
    pub(crate) step: &'a str,
}

struct Writer<'a, Pay> {
    text: String,
    indent: Option<Indent<'a>>,
    level: usize,
    key_depth: u32,
    unpaid: usize,
    pay: &'a mut Pay,
}

/// The text of a value; `pay` hears of bytes before they are made.
/// Errors: those of `pay`.
pub(crate) fn write_json<E>(
    value: &Value,
    indent: Option<Indent<'_>>,
    pay: &mut impl FnMut(usize) -> Result<(), E>,
) -> Result<String, E> {
    write_at(value, indent, 0, pay)
}

fn write_at<E, Pay: FnMut(usize) -> Result<(), E>>(
    value: &Value,
    indent: Option<Indent<'_>>,
    key_depth: u32,
    pay: &mut Pay,
) -> Result<String, E> {
    let mut writer = Writer {
        text: String::new(),
        indent,
        level: 0,
        key_depth,
        unpaid: 0,
        pay,
    };
    writer.value(value)?;
    (writer.pay)(writer.unpaid)?;
    Ok(writer.text)
}

impl<E, Pay: FnMut(usize) -> Result<(), E>> Writer<'_, Pay> {
    fn owe(&mut self, bytes: usize) -> Result<(), E> {
        self.unpaid = self.unpaid.saturating_add(bytes);
        if self.unpaid >= UNPAID_BYTES {
            (self.pay)(self.unpaid)?;
            self.unpaid = 0;
        }
        Ok(())
    }

    fn put(&mut self, text: &str) -> Result<(), E> {
        self.owe(text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    fn value(&mut self, value: &Value) -> Result<(), E> {
        match value {
            Value::Null => self.put("null"),
            Value::Bool(true) => self.put("true"),
            Value::Bool(false) => self.put("false"),
            Value::Number(number) => {
                let start = self.text.len();
                // a `String` takes all that is written to it
                let _ = write!(self.text, "{number}");
                self.owe(self.text.len().saturating_sub(start))
            }
            Value::String(text) => self.quoted(text),
            Value::Array(array) => self.list("[", array.iter(), "]", Self::value),
            Value::Set(set) => self.list("[", set.iter(), "]", Self::value),
            Value::Object(object) if object.iter().all(|(key, _)| key.as_str().is_some()) => {
                let entries = object
                    .iter()
                    .filter_map(|(key, value)| Some((key.as_str()?, value)));
                self.list("{", entries, "}", Self::entry)
            }
            Value::Object(object) => self.object_of_any_keys(object),
        }
    }

    /// Keys that are no texts become such, among which the order is found anew.
    fn object_of_any_keys(&mut self, entries: &[(Value, Value)]) -> Result<(), E> {
        if self.key_depth >= KEY_DEPTH {
            return self.put("null");
        }
        let depth = self.key_depth.saturating_add(1);
        let mut named = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let name = match key {
                Value::String(text) => text.to_string(),
                other => write_at(other, None, depth, self.pay)?,
            };
            named.push((name, value));
        }
        // of those with the same name the last one counts
        named.reverse();
        named.sort_by(|left, right| left.0.cmp(&right.0));
        named.dedup_by(|next, kept| next.0 == kept.0);
        let entries = named.iter().map(|(name, value)| (name.as_str(), *value));
        self.list("{", entries, "}", Self::entry)
    }

    fn entry(&mut self, (name, value): (&str, &Value)) -> Result<(), E> {
        self.quoted(name)?;
        self.put(if self.indent.is_some() { ": " } else { ":" })?;
        self.value(value)
    }

    fn list<T>(
        &mut self,
        open: &str,
        items: impl Iterator<Item = T>,
        close: &str,
        write: fn(&mut Self, T) -> Result<(), E>,
    ) -> Result<(), E> {
        self.put(open)?;
        self.level = self.level.saturating_add(1);
        let mut is_empty = true;
        for item in items {
            if !is_empty {
                self.put(",")?;
            }
            is_empty = false;
            self.new_line()?;
            write(self, item)?;
        }
        self.level = self.level.saturating_sub(1);
        if !is_empty {
            self.new_line()?;
        }
        self.put(close)
    }

    fn new_line(&mut self) -> Result<(), E> {
        let Some(Indent { prefix, step }) = self.indent else {
            return Ok(());
        };
        self.put("\n")?;
        self.put(prefix)?;
        for _ in 0..self.level {
            self.put(step)?;
        }
        Ok(())
    }

    fn quoted(&mut self, text: &str) -> Result<(), E> {
        self.owe(text.len().saturating_add(2))?;
        self.text.push('"');
        let mut rest = text;
        while let Some(place) = rest.find(is_escaped) {
            let (plain, escaped) = rest.split_at_checked(place).unwrap_or((rest, ""));
            self.text.push_str(plain);
            let mut characters = escaped.chars();
            if let Some(character) = characters.next() {
                self.escaped(character)?;
            }
            rest = characters.as_str();
        }
        self.text.push_str(rest);
        self.text.push('"');
        Ok(())
    }

    fn escaped(&mut self, character: char) -> Result<(), E> {
        match character {
            '"' => self.text.push_str("\\\""),
            '\\' => self.text.push_str("\\\\"),
            '\n' => self.text.push_str("\\n"),
            '\r' => self.text.push_str("\\r"),
            '\t' => self.text.push_str("\\t"),
            '\u{8}' => self.text.push_str("\\b"),
            '\u{c}' => self.text.push_str("\\f"),
            other => {
                self.owe(5)?;
                // a `String` takes all that is written to it
                let _ = write!(self.text, "\\u{:04x}", u32::from(other));
            }
        }
        self.owe(1)
    }
}

/// What Go writes otherwise, also where JSON need not.
fn is_escaped(character: char) -> bool {
    character < ' '
        || matches!(
            character,
            '"' | '\\' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}'
        )
}
