//! Reads YAML: the first document of a text, as JSON can hold it.

use std::{borrow::Cow, collections::HashMap};

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::{
    numbers,
    resolve::{Scalar, is_timestamp, resolve},
};
use crate::{
    budget::Exhausted,
    builtins::{CallError, Context, tally::Tally},
    value::{Number, Value},
};

/// 1,000: values that a document may always come to by aliases.
const FREE_COPIES: u64 = 1_000;
/// 100: of so many values only one may stand there, the others may come from aliases.
const COPIES_OF_ONE: u64 = 100;

/// What the parser says of too many collections in each other.
const RECURSION: &str = "recursion limit exceeded";

/// A value, and how many values it comes to with those in it.
#[derive(Clone)]
struct Node {
    value: Value,
    count: u64,
    is_merge: bool,
    /// As the name of an entry, where that is not the value's own text.
    name: Option<String>,
}

/// A collection that is open.
enum Open {
    Sequence(Vec<Value>),
    Mapping(Mapping),
}

#[derive(Default)]
struct Mapping {
    entries: Vec<(Value, Value)>,
    /// What `<<` names, the first one counting most.
    merged: Vec<Value>,
    key: Option<Node>,
}

struct Frame {
    open: Open,
    anchor: usize,
    count: u64,
}

struct Reader<'a> {
    tally: Tally<'a>,
    context: &'a Context<'a>,
    open: Vec<Frame>,
    anchors: HashMap<usize, Node>,
    /// The first document, once it is read.
    first: Option<Value>,
    has_document: bool,
    values: u64,
    copies: u64,
}

fn invalid(why: impl std::fmt::Display) -> CallError {
    CallError::Builtin(format!("yaml: {why}"))
}

/// Every document must be YAML; the first one is what is asked for.
pub(super) fn read(context: &Context<'_>, text: &str) -> Result<Value, CallError> {
    context.budget.pay_bytes(text.len().saturating_mul(8))?;
    check(text)?;
    let mut reader = Reader {
        tally: Tally::new(context.budget),
        context,
        open: Vec::new(),
        anchors: HashMap::new(),
        first: None,
        has_document: false,
        values: 0,
        copies: 0,
    };
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| match error.info() {
            RECURSION => Exhausted::Depth.into(),
            why => invalid(why),
        })?;
        reader.tally.add(32)?;
        reader.event(event)?;
    }
    Ok(reader.first.unwrap_or(Value::Null))
}

/// Whether a character may stand in a text of YAML.
pub(super) fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}')
        || character > '\u{ffff}'
}

/// What the parser lets pass and OPA doesn't.
fn check(text: &str) -> Result<(), CallError> {
    if !text.chars().all(is_allowed) {
        return Err(invalid("control characters are not allowed"));
    }
    let is_before_content = |line: &&str| line.trim().is_empty() || line.starts_with(['#', '%']);
    let mut lines = text.lines();
    for line in lines.by_ref().take_while(is_before_content) {
        if line
            .strip_prefix("%YAML")
            .is_some_and(|version| version.trim() != "1.1")
        {
            return Err(invalid("found incompatible YAML document"));
        }
    }
    let is_blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let first = text.lines().find(|line| !is_blank(line));
    if first.is_some_and(|line| line.trim_end() == "...") {
        return Err(invalid("did not find expected node content"));
    }
    Ok(())
}

/// The text of a `!!binary`.
fn decoded(text: &str) -> Result<String, CallError> {
    let wrong = || invalid("!!binary value contains invalid base64 data");
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !b"\r\n".contains(byte))
        .collect();
    let mut bytes = Vec::new();
    if !digits.len().is_multiple_of(4) {
        return Err(wrong());
    }
    let mut left = digits.len() / 4;
    for group in digits.chunks(4) {
        left = left.saturating_sub(1);
        let padding = group.iter().rev().take_while(|byte| **byte == b'=').count();
        if padding > 2 || padding > 0 && left > 0 {
            return Err(wrong());
        }
        let mut number = 0_u32;
        for (index, byte) in group.iter().enumerate() {
            let is_padding = index >= 4_usize.saturating_sub(padding);
            let digit = if is_padding {
                0
            } else {
                base64_digit(*byte).ok_or_else(wrong)?
            };
            number = number.saturating_mul(64).saturating_add(digit);
        }
        let [_, group @ ..] = number.to_be_bytes();
        bytes.extend(group.iter().take(3_usize.saturating_sub(padding)));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn base64_digit(byte: u8) -> Option<u32> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    u32::try_from(DIGITS.bytes().position(|digit| digit == byte)?).ok()
}

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>) -> Result<(), CallError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let node = scalar(&text, style, tag.as_deref())?;
                self.values = self.values.saturating_add(1);
                self.keep(anchor, &node);
                self.add(node)
            }
            Event::Alias(anchor) => {
                let unknown = || invalid("an alias of an anchor that is not there");
                let node = self.anchors.get(&anchor).cloned().ok_or_else(unknown)?;
                self.copy(node.count)?;
                self.add(node)
            }
            Event::SequenceStart(anchor, _) => self.start(Open::Sequence(Vec::new()), anchor),
            Event::MappingStart(anchor, _) => self.start(Open::Mapping(Mapping::default()), anchor),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            // Without `---` only the first document may begin.
            Event::DocumentStart(false) if self.has_document => {
                Err(invalid("did not find expected <document start>"))
            }
            Event::DocumentStart(_) => {
                self.has_document = true;
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    /// Documents that are nearly all aliases are refused, as they are by OPA.
    fn copy(&mut self, count: u64) -> Result<(), CallError> {
        self.values = self.values.saturating_add(count);
        self.copies = self.copies.saturating_add(count);
        let own = self.values.saturating_sub(self.copies);
        if self.values > FREE_COPIES && own.saturating_mul(COPIES_OF_ONE) < self.values {
            return Err(invalid("document contains excessive aliasing"));
        }
        Ok(())
    }

    fn start(&mut self, open: Open, anchor: usize) -> Result<(), CallError> {
        if self.open.len() >= 255 {
            return Err(Exhausted::Depth.into());
        }
        self.values = self.values.saturating_add(1);
        self.open.push(Frame {
            open,
            anchor,
            count: 1,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), CallError> {
        let Some(frame) = self.open.pop() else {
            return Ok(());
        };
        let value = match frame.open {
            Open::Sequence(items) => Value::array(items),
            Open::Mapping(mapping) => mapping.close(&mut self.tally)?,
        };
        let node = Node {
            value: self.context.budget.made(value)?,
            count: frame.count,
            is_merge: false,
            name: None,
        };
        self.keep(frame.anchor, &node);
        self.add(node)
    }

    /// Remembers what an anchor names; 0 is none.
    fn keep(&mut self, anchor: usize, node: &Node) {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
    }

    fn add(&mut self, node: Node) -> Result<(), CallError> {
        let Some(frame) = self.open.last_mut() else {
            self.first.get_or_insert(node.value);
            return Ok(());
        };
        frame.count = frame.count.saturating_add(node.count);
        match &mut frame.open {
            Open::Sequence(items) => {
                items.push(node.value);
                Ok(())
            }
            Open::Mapping(mapping) => mapping.add(node),
        }
    }
}

impl Mapping {
    fn add(&mut self, node: Node) -> Result<(), CallError> {
        let Some(key) = self.key.take() else {
            self.key = Some(node);
            return Ok(());
        };
        if key.is_merge {
            return self.merge(&node.value);
        }
        let name = match key.value {
            Value::String(name) => Value::String(name),
            Value::Bool(flag) => Value::from(flag.to_string()),
            Value::Number(number) => Value::from(key.name.unwrap_or_else(|| number.to_string())),
            Value::Null => return Err(invalid("unsupported map key of type: null")),
            _ => return Err(invalid("invalid map key")),
        };
        self.entries.push((name, node.value));
        Ok(())
    }

    fn merge(&mut self, value: &Value) -> Result<(), CallError> {
        let wanted = || invalid("map merge requires map or sequence of maps as the value");
        match value {
            Value::Object(_) => self.merged.push(value.clone()),
            Value::Array(items) => {
                for item in items.iter() {
                    item.as_object().ok_or_else(wanted)?;
                    self.merged.push(item.clone());
                }
            }
            _ => return Err(wanted()),
        }
        Ok(())
    }

    /// Its own entries count more than those that are merged into it.
    fn close(self, tally: &mut Tally<'_>) -> Result<Value, CallError> {
        let mut entries = Vec::new();
        for object in self.merged.iter().rev().filter_map(Value::as_object) {
            for (key, value) in object.iter() {
                tally.add(48)?;
                entries.push((key.clone(), value.clone()));
            }
        }
        entries.extend(self.entries);
        for (key, _) in &entries {
            tally.find(key, entries.len())?;
        }
        Ok(Value::object(entries))
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Node, CallError> {
    let tag = match tag {
        Some(tag) if tag.handle == "!" && tag.suffix.is_empty() => None,
        Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => None,
        Some(tag) if tag.is_yaml_core_schema() => Some(Cow::Borrowed(tag.suffix.as_str())),
        // It is of a kind of its own, and a text to us.
        Some(_) => Some(Cow::Borrowed("str")),
        None => None,
    };
    let is_plain = style == ScalarStyle::Plain;
    let found = match tag.as_deref() {
        None if is_plain => resolve(text),
        None | Some("str") => Scalar::Text(text),
        Some(tag) => tagged(tag, text)?,
    };
    let is_merge = found == Scalar::Merge;
    let name = match found {
        Scalar::Float(float) => Some(numbers::general_of_32_bits(float)),
        _ => None,
    };
    let value = match tag.as_deref() {
        Some("binary") => Value::from(decoded(text)?),
        Some("timestamp") if text.len() <= 10 && is_timestamp(text) => Value::from(midnight(text)),
        _ => value_of(found)?,
    };
    Ok(Node {
        value,
        count: 1,
        is_merge,
        name,
    })
}

/// The moment that a day begins.
fn midnight(day: &str) -> String {
    let parts: Vec<String> = day.split('-').map(|part| format!("{part:0>2}")).collect();
    format!("{}T00:00:00Z", parts.join("-"))
}

/// A scalar that must be of a kind.
fn tagged<'t>(tag: &str, text: &'t str) -> Result<Scalar<'t>, CallError> {
    let found = resolve(text);
    Ok(match (tag, found) {
        ("null", Scalar::Null)
        | ("bool", Scalar::Bool(_))
        | ("int", Scalar::Int(_))
        | ("float", Scalar::Float(_))
        | ("merge", Scalar::Merge) => found,
        ("float", Scalar::Int(int)) if i64::try_from(int).is_ok() => {
            Scalar::Float(int.to_string().parse().unwrap_or(f64::NAN))
        }
        ("timestamp", _) if is_timestamp(text) => Scalar::Text(text),
        ("null" | "bool" | "int" | "float" | "merge" | "timestamp", _) => {
            return Err(invalid(format_args!("cannot decode a scalar as a !!{tag}")));
        }
        _ => Scalar::Text(text),
    })
}

fn value_of(scalar: Scalar<'_>) -> Result<Value, CallError> {
    let number = |text: String| Number::parse(&text).map_or(Value::Null, Value::Number);
    Ok(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Bool(flag) => Value::from(flag),
        Scalar::Int(int) => number(int.to_string()),
        Scalar::Float(float) => {
            let text = numbers::json(float);
            number(text.ok_or_else(|| invalid("JSON has no such number"))?)
        }
        Scalar::Text(text) => Value::from(text),
        Scalar::Merge => Value::from("<<"),
    })
}
