//! `internal.template_string`, which templates (`$"a {b}"`) become calls of.

use regorus::Value;

use crate::{input::weight_of, steps};

pub(crate) const NAME: &str = "internal.template_string";
/// 256 KiB: what the parts of one template may weigh.
const PARTS_BYTES: usize = 256 * 1024;
/// 32: bytes that a step pays for; they are read and written.
const BYTES_PER_STEP: usize = 32;
/// What stands for an expression without a value. Source: OPA.
const UNDEFINED: &str = "<undefined>";

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("a template would read or make more than it may")]
    TooMuch,
    #[error("the steps are spent")]
    Spent,
    #[error("template-strings must not produce multiple outputs")]
    MultipleOutputs,
}

/// Joins the parts: texts, and a set for each expression.
/// Errors: parts that are too large, or of several values.
pub(crate) fn call(arguments: &[Value]) -> Result<Value, TemplateError> {
    let Some(Value::Array(parts)) = arguments.first() else {
        return Ok(Value::Undefined);
    };
    let mut text = String::new();
    for part in parts.iter() {
        let weight = weight_of(part, PARTS_BYTES).ok_or(TemplateError::TooMuch)?;
        let cost = u64::try_from(weight / BYTES_PER_STEP).unwrap_or(u64::MAX);
        if !steps::charge(cost) {
            return Err(TemplateError::Spent);
        }
        match part {
            Value::Set(values) => {
                let mut values = values.iter();
                match values.next() {
                    None => text.push_str(UNDEFINED),
                    Some(Value::String(value)) => text.push_str(value),
                    Some(value) => write(&mut text, value),
                }
                if values.next().is_some() {
                    return Err(TemplateError::MultipleOutputs);
                }
            }
            Value::String(value) => text.push_str(value),
            value => write(&mut text, value),
        }
        if text.len() > PARTS_BYTES {
            return Err(TemplateError::TooMuch);
        }
    }
    Ok(Value::from(text))
}

/// A value as Rego writes it. Its weight bounds how deep it nests.
fn write(text: &mut String, value: &Value) {
    match value {
        Value::Array(items) => list(text, "[", items.iter(), "]"),
        Value::Set(items) if items.is_empty() => text.push_str("set()"),
        Value::Set(items) => list(text, "{", items.iter_sorted(), "}"),
        Value::Object(members) => {
            text.push('{');
            for (index, (name, value)) in members.iter_sorted().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                write(text, name);
                text.push_str(": ");
                write(text, value);
            }
            text.push('}');
        }
        scalar => text.push_str(&scalar.to_json_str().unwrap_or_default()),
    }
}

fn list<'a>(text: &mut String, open: &str, items: impl Iterator<Item = &'a Value>, close: &str) {
    text.push_str(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        write(text, item);
    }
    text.push_str(close);
}
