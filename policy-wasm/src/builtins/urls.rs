//! `urlquery.*`. Source: OPA, `topdown/encoding.go`; Go, `net/url`.

use std::collections::BTreeMap;

use super::{
    Builtin, CallError, Context, operand,
    output::{Output, text_of},
};
use crate::value::{Value, write_json};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("urlquery.decode", decode),
    Builtin::new("urlquery.decode_object", decode_object),
    Builtin::new("urlquery.encode", encode),
    Builtin::new("urlquery.encode_object", encode_object),
];

/// 64: bytes that a name or a value takes besides its letters.
const PART_BYTES: usize = 64;
/// 32: bytes that a step pays for.
const BYTES_PER_STEP: u64 = 32;

type Answer = Result<Option<Value>, CallError>;

fn encode(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let text = operand::text(arguments, 0)?;
    let mut output = Output::new(context.budget);
    escape(&mut output, text)?;
    output.finish().map(Some)
}

/// Source: Go, `url.QueryEscape`.
fn escape(output: &mut Output<'_>, text: &str) -> Result<(), CallError> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    let mut rest = text.as_bytes();
    loop {
        let plain = rest.iter().take_while(|byte| is_plain(byte)).count();
        let (start, escaped) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
        output.push(start)?;
        rest = match escaped {
            [] => return Ok(()),
            [b' ', rest @ ..] => {
                output.push(b"+")?;
                rest
            }
            [byte, rest @ ..] => {
                output.push_str(&format!("%{byte:02X}"))?;
                rest
            }
        };
    }
}

fn decode(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let text = operand::text(arguments, 0)?;
    context.budget.pay_bytes(text.len().saturating_mul(2))?;
    unescape(text).map(Some)
}

/// Source: Go, `url.QueryUnescape`.
fn unescape(text: &str) -> Result<Value, CallError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return Ok(text_of(bytes)),
            [b'%', high, low, rest @ ..] if is_hexadecimal(*high) && is_hexadecimal(*low) => {
                bytes.push(digit(*high) << 4 | digit(*low));
                rest
            }
            [b'%', ..] => {
                let wrong = String::from_utf8_lossy(rest.get(..3).unwrap_or(rest)).into_owned();
                return Err(CallError::new(format_args!("invalid URL escape {wrong:?}")));
            }
            [b'+', rest @ ..] => {
                bytes.push(b' ');
                rest
            }
            [byte, rest @ ..] => {
                bytes.push(*byte);
                rest
            }
        };
    }
}

fn is_hexadecimal(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

/// The value of a hexadecimal digit.
fn digit(byte: u8) -> u8 {
    let value = char::from(byte).to_digit(16).unwrap_or(0);
    u8::try_from(value).unwrap_or(0)
}

/// In order of the names, and of each name's values.
fn encode_object(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let object = operand::object(arguments, 0)?;
    pay_names(
        context,
        operand::any(arguments, 0)?.size().weight,
        object.len(),
    )?;
    let mut entries = BTreeMap::new();
    for (key, value) in object.iter() {
        let name = match key {
            Value::String(name) => name.to_string(),
            other => write_json(other, None, &mut |bytes| context.budget.pay_bytes(bytes))?,
        };
        let values: &[Value] = match value {
            Value::String(_) => std::slice::from_ref(value),
            Value::Array(array) => array,
            Value::Set(set) => set,
            _ => return Err(wrong_values()),
        };
        entries.insert(name, values);
    }
    let mut output = Output::new(context.budget);
    let mut is_first = true;
    for (name, values) in entries {
        for value in values {
            output.push_str(if is_first { "" } else { "&" })?;
            is_first = false;
            escape(&mut output, &name)?;
            output.push(b"=")?;
            escape(&mut output, value.as_str().ok_or_else(wrong_values)?)?;
        }
    }
    output.finish().map(Some)
}

/// Pays for putting names in order. `bytes`: of all of them.
fn pay_names(context: &Context<'_>, bytes: u64, count: usize) -> Result<(), CallError> {
    let rounds = u64::from(count.checked_ilog2().unwrap_or(0)).saturating_add(1);
    Ok(context
        .budget
        .pay((bytes / BYTES_PER_STEP).saturating_mul(rounds))?)
}

fn wrong_values() -> CallError {
    CallError::Type("operand 1 values must be string, array[string], or set[string]".to_owned())
}

/// Source: Go, `url.ParseQuery`.
fn decode_object(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let query = operand::text(arguments, 0)?;
    context.budget.pay_bytes(query.len().saturating_mul(4))?;
    let count = query.matches('&').count().saturating_add(1);
    context.budget.pay_bytes(count.saturating_mul(PART_BYTES))?;
    pay_names(
        context,
        u64::try_from(query.len()).unwrap_or(u64::MAX),
        count,
    )?;
    let mut entries: BTreeMap<Value, Vec<Value>> = BTreeMap::new();
    for part in query.split('&') {
        if part.contains(';') {
            return Err(CallError::new("invalid semicolon separator in query"));
        }
        if part.is_empty() {
            continue;
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        entries
            .entry(unescape(name)?)
            .or_default()
            .push(unescape(value)?);
    }
    let entries = entries
        .into_iter()
        .map(|(name, values)| (name, Value::array(values)));
    Ok(Some(Value::object(entries.collect())))
}
