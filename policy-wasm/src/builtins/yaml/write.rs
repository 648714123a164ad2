//! Writes YAML, with two spaces for each level.
//! Source: `go.yaml.in/yaml/v3`, `emitterc.go` and `encode.go`.

use super::{
    numbers, order,
    read::is_allowed,
    resolve::{Scalar, is_base_60, is_old_bool, is_timestamp, resolve},
};
use crate::{
    builtins::{CallError, Context},
    value::Value,
};

/// 128: bytes of a name that stands before its colon without a `?`.
const SIMPLE_KEY: usize = 128;

/// How a scalar is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

struct Writer<'a> {
    context: &'a Context<'a>,
    text: String,
    /// Characters in the line so far.
    column: usize,
    /// The last one was a space.
    is_space: bool,
    /// There is nothing but indentation in the line so far.
    is_indented: bool,
}

pub(super) fn write(context: &Context<'_>, value: &Value) -> Result<String, CallError> {
    let mut writer = Writer {
        context,
        text: String::new(),
        column: 0,
        is_space: true,
        is_indented: true,
    };
    writer.value(value, 0, true)?;
    writer.indent(0);
    Ok(writer.text)
}

/// Recursion is as deep as the value, which is bounded.
impl Writer<'_> {
    fn push(&mut self, text: &str) -> Result<(), CallError> {
        self.context.budget.pay_bytes(text.len())?;
        self.text.push_str(text);
        self.column = self.column.saturating_add(text.len());
        self.is_space = false;
        self.is_indented = false;
        Ok(())
    }

    fn line_break(&mut self) {
        self.text.push('\n');
        self.column = 0;
        self.is_indented = true;
    }

    /// Goes to where an item begins: in this line, if nothing else is in it.
    fn indent(&mut self, indent: usize) {
        let is_past = self.column > indent || self.column == indent && !self.is_space;
        if !self.is_indented || is_past {
            self.line_break();
        }
        while self.column < indent {
            self.text.push(' ');
            self.column = self.column.saturating_add(1);
        }
        self.is_space = true;
    }

    /// `-`, `?` or `:`, after which an item may begin in the same line.
    fn indicator(&mut self, indicator: char) {
        if !self.is_space {
            self.text.push(' ');
            self.column = self.column.saturating_add(1);
        }
        self.text.push(indicator);
        self.column = self.column.saturating_add(1);
        self.is_space = false;
    }

    fn spaced(&mut self, text: &str) -> Result<(), CallError> {
        if !self.is_space {
            self.push(" ")?;
        }
        self.push(text)
    }

    fn value(&mut self, value: &Value, indent: usize, is_root: bool) -> Result<(), CallError> {
        let below = if is_root { 0 } else { indent.saturating_add(2) };
        match value {
            Value::Array(items) => self.sequence(items, below),
            Value::Set(items) => self.sequence(items, below),
            Value::Object(entries) => self.mapping(entries, below),
            Value::String(text) => self.string(text, indent.saturating_add(2), false),
            Value::Null => self.spaced("null"),
            Value::Bool(flag) => self.spaced(&flag.to_string()),
            Value::Number(number) => {
                let text = number.to_string();
                self.context.budget.pay_bytes(text.len())?;
                let written = match resolve(&text) {
                    Scalar::Int(int) => int.to_string(),
                    Scalar::Float(float) => numbers::general(float),
                    // It is beyond what floats can be.
                    _ => return self.string(&text, indent.saturating_add(2), false),
                };
                self.spaced(&written)
            }
        }
    }

    fn sequence(&mut self, items: &[Value], indent: usize) -> Result<(), CallError> {
        if items.is_empty() {
            return self.spaced("[]");
        }
        for item in items {
            self.context.budget.pay_bytes(indent.saturating_add(32))?;
            self.indent(indent);
            self.indicator('-');
            self.value(item, indent, false)?;
        }
        Ok(())
    }

    fn mapping(&mut self, entries: &[(Value, Value)], indent: usize) -> Result<(), CallError> {
        if entries.is_empty() {
            return self.spaced("{}");
        }
        for (key, value) in self.sorted(entries)? {
            self.context.budget.pay_bytes(indent.saturating_add(32))?;
            self.indent(indent);
            if key.len() <= SIMPLE_KEY && !key.contains(is_break) {
                self.string(&key, indent, true)?;
                self.push(":")?;
            } else {
                self.indicator('?');
                self.string(&key, indent.saturating_add(2), false)?;
                self.indent(indent);
                self.indicator(':');
            }
            self.value(value, indent, false)?;
        }
        Ok(())
    }

    /// The entries by their names; a key that is no text is written as JSON.
    fn sorted<'v>(
        &self,
        entries: &'v [(Value, Value)],
    ) -> Result<Vec<(String, &'v Value)>, CallError> {
        let mut names = Vec::with_capacity(entries.len());
        let mut bytes = 0_usize;
        for (key, value) in entries {
            self.context.budget.pay_value(key)?;
            let name = match key {
                Value::String(name) => name.to_string(),
                other => other.to_json_text(),
            };
            bytes = bytes.saturating_add(name.len()).saturating_add(32);
            names.push((name, value));
        }
        let rounds = usize::try_from(names.len().checked_ilog2().unwrap_or(0)).unwrap_or(32);
        self.context
            .budget
            .pay_bytes(bytes.saturating_mul(rounds.saturating_add(1)))?;
        Ok(order::sort(names, &|left, right| {
            order::is_before(&left.0, &right.0)
        }))
    }

    fn string(&mut self, text: &str, indent: usize, is_key: bool) -> Result<(), CallError> {
        self.context
            .budget
            .pay_bytes(text.len().saturating_mul(4))?;
        // The reference goes by way of JSON, which it reads as YAML.
        if !text
            .chars()
            .all(|character| character < ' ' || is_allowed(character))
        {
            return Err(CallError::new("yaml: control characters are not allowed"));
        }
        let text = &text.replace('\u{85}', " ");
        match style(text, is_key) {
            Style::Plain => self.spaced(text),
            Style::Single => self.spaced(&format!("'{}'", text.replace('\'', "''"))),
            Style::Double => self.spaced(&double_quoted(text)),
            Style::Literal => self.literal(text, indent),
        }
    }

    fn literal(&mut self, text: &str, indent: usize) -> Result<(), CallError> {
        self.spaced("|")?;
        if text.starts_with([' ', '\n']) {
            self.push("2")?;
        }
        if !text.ends_with('\n') {
            self.push("-")?;
        } else if text == "\n" || text.ends_with("\n\n") {
            self.push("+")?;
        }
        self.line_break();
        self.is_space = true;
        for line in text.split_inclusive('\n') {
            self.context.budget.pay_bytes(indent)?;
            let content = line.strip_suffix('\n').unwrap_or(line);
            if !content.is_empty() {
                self.indent(indent);
                self.push(content)?;
                self.is_space = true;
            }
            if content.len() < line.len() {
                self.line_break();
            }
        }
        Ok(())
    }
}

const fn is_break(character: char) -> bool {
    matches!(character, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

const fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

fn style(text: &str, is_key: bool) -> Style {
    let wanted = if text.contains('\n') {
        Style::Literal
    } else if is_plain_text(text) {
        Style::Plain
    } else {
        Style::Double
    };
    let shape = Shape::of(text);
    match wanted {
        Style::Literal if shape.can_be_literal && !is_key => Style::Literal,
        Style::Plain if shape.can_be_plain => Style::Plain,
        Style::Plain if shape.can_be_single => Style::Single,
        _ => Style::Double,
    }
}

/// Whether it would be read as the text that it is.
fn is_plain_text(text: &str) -> bool {
    matches!(resolve(text), Scalar::Text(_))
        && !is_base_60(text)
        && !is_old_bool(text)
        && !is_timestamp(text)
}

/// Which ways of writing a text leave it as it is.
struct Shape {
    can_be_plain: bool,
    can_be_single: bool,
    can_be_literal: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        let ends_with = |test: fn(char) -> bool| text.starts_with(test) || text.ends_with(test);
        let has_indicator = has_indicator(text);
        let has_special = text
            .chars()
            .any(|character| character != '\t' && !is_printable(character));
        let has_tab = text.contains('\t');
        let has_break = text.contains(is_break);
        let pairs = || text.chars().zip(text.chars().skip(1));
        let break_space = pairs().any(|(one, other)| is_break(one) && other == ' ');
        let space_break = pairs().any(|(one, other)| one == ' ' && is_break(other));
        let can_be_single = !(break_space || space_break || has_tab || has_special);
        let has_ends = ends_with(|character| character == ' ' || is_break(character));
        Self {
            can_be_plain: can_be_single && !has_break && !has_ends && !has_indicator,
            can_be_single,
            can_be_literal: !(text.ends_with(' ') || space_break || has_special),
        }
    }
}

/// Whether something in it would mean something else.
fn has_indicator(text: &str) -> bool {
    if text.starts_with("---") || text.starts_with("...") {
        return true;
    }
    let is_blank = |character: Option<char>| {
        character.is_none_or(|character| matches!(character, ' ' | '\t') || is_break(character))
    };
    let mut before = None;
    let mut characters = text.chars().peekable();
    let mut is_first = true;
    while let Some(character) = characters.next() {
        let is_before_blank = matches!(characters.peek(), None | Some(' ' | '\t'));
        let found = match character {
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
            | '`' => is_first,
            '?' | '-' => is_first && is_before_blank,
            ':' => is_before_blank,
            '#' => is_blank(before),
            _ => false,
        };
        if found {
            return true;
        }
        is_first = false;
        before = Some(character);
    }
    false
}

fn double_quoted(text: &str) -> String {
    // Behind a byte order mark the reference escapes everything.
    let escapes_all = text.starts_with('\u{feff}');
    let mut quoted = String::from('"');
    for character in text.chars() {
        let code = u32::from(character);
        let short = match character {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            '\u{a0}' if escapes_all => '_',
            other if is_printable(other) && !escapes_all => {
                quoted.push(other);
                continue;
            }
            _ => {
                let escape = match code {
                    0..=0xff => format!("\\x{code:02X}"),
                    0x100..=0xffff => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                };
                quoted.push_str(&escape);
                continue;
            }
        };
        quoted.push('\\');
        quoted.push(short);
    }
    quoted.push('"');
    quoted
}
