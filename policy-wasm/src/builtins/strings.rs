//! Texts: their parts, their ends and their letters. Source: OPA, `topdown/strings.go`.

use super::{
    Builtin, CallError, Context, letters, numbers::small_integer, operand, output::Output,
};
use crate::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("concat", concat),
    Builtin::new("contains", contains),
    Builtin::new("endswith", ends_with),
    Builtin::new("lower", lower),
    Builtin::new("split", split),
    Builtin::new("startswith", starts_with),
    Builtin::new("strings.reverse", reverse),
    Builtin::new("strings.split_n", split_n),
    Builtin::new("substring", substring),
    Builtin::new("trim", trim),
    Builtin::new("trim_left", trim_left),
    Builtin::new("trim_prefix", trim_prefix),
    Builtin::new("trim_right", trim_right),
    Builtin::new("trim_space", trim_space),
    Builtin::new("trim_suffix", trim_suffix),
    Builtin::new("upper", upper),
];

/// 40: bytes that a part takes besides its letters.
const PART_BYTES: usize = 40;

type Answer = Result<Option<Value>, CallError>;

/// A text, paid for once to read it and once to make another of it.
pub(super) fn text<'a>(
    context: &Context<'_>,
    arguments: &'a [Value],
    index: usize,
) -> Result<&'a str, CallError> {
    let text = operand::text(arguments, index)?;
    context.budget.pay_bytes(text.len().saturating_mul(2))?;
    Ok(text)
}

/// What OPA says of a member of the wrong kind.
pub(super) fn wrong_member(index: usize, value: &Value, member: &Value) -> CallError {
    let place = index.saturating_add(1);
    let (kind, got) = (value.type_name(), member.type_name());
    CallError::Type(format!(
        "operand {place} must be {kind} of strings but got {kind} containing {got}"
    ))
}

fn concat(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let delimiter = operand::text(arguments, 0)?;
    let value = operand::any(arguments, 1)?;
    let parts: &[Value] = match value {
        Value::Array(array) => array,
        Value::Set(set) => set,
        other => return Err(operand::wrong(1, "one of {set, array}", other)),
    };
    context.budget.pay_bytes(parts.len().saturating_mul(8))?;
    let mut output = Output::new(context.budget);
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            output.push_str(delimiter)?;
        }
        output.push_str(part.as_str().ok_or_else(|| wrong_member(1, value, part))?)?;
    }
    output.finish().map(Some)
}

fn contains(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let found = text(context, arguments, 0)?.contains(text(context, arguments, 1)?);
    Ok(Some(Value::Bool(found)))
}

fn starts_with(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let (text, start) = (operand::text(arguments, 0)?, operand::text(arguments, 1)?);
    context.budget.pay_bytes(start.len().min(text.len()))?;
    Ok(Some(Value::Bool(text.starts_with(start))))
}

fn ends_with(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let (text, end) = (operand::text(arguments, 0)?, operand::text(arguments, 1)?);
    context.budget.pay_bytes(end.len().min(text.len()))?;
    Ok(Some(Value::Bool(text.ends_with(end))))
}

fn lower(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let lower: String = text(context, arguments, 0)?
        .chars()
        .map(letters::lower)
        .collect();
    Ok(Some(Value::from(lower)))
}

fn upper(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let upper: String = text(context, arguments, 0)?
        .chars()
        .map(letters::upper)
        .collect();
    Ok(Some(Value::from(upper)))
}

fn reverse(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let reversed: String = text(context, arguments, 0)?.chars().rev().collect();
    Ok(Some(Value::from(reversed)))
}

/// The parts between delimiters; without one, the letters. Source: Go, `strings.Split`.
fn parts<'a>(
    context: &Context<'_>,
    text: &'a str,
    delimiter: &str,
) -> Result<Vec<&'a str>, CallError> {
    let count = if delimiter.is_empty() {
        text.chars().count()
    } else {
        text.matches(delimiter).count().saturating_add(1)
    };
    context.budget.pay_bytes(count.saturating_mul(PART_BYTES))?;
    Ok(if delimiter.is_empty() {
        text.split("").filter(|letter| !letter.is_empty()).collect()
    } else {
        text.split(delimiter).collect()
    })
}

fn split(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let (text, delimiter) = (text(context, arguments, 0)?, text(context, arguments, 1)?);
    let parts = parts(context, text, delimiter)?;
    Ok(Some(Value::array(
        parts.into_iter().map(Value::from).collect(),
    )))
}

/// The first parts of that many, or the last if there are fewer than none.
fn split_n(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let (text, delimiter) = (text(context, arguments, 0)?, text(context, arguments, 1)?);
    let count = small_integer(arguments, 2)?;
    let mut parts = parts(context, text, delimiter)?;
    let size = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count < 0 {
        parts.drain(..parts.len().saturating_sub(size));
    } else {
        parts.truncate(size);
    }
    Ok(Some(Value::array(
        parts.into_iter().map(Value::from).collect(),
    )))
}

fn substring(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let text = text(context, arguments, 0)?;
    let offset = small_integer(arguments, 1)?;
    let length = small_integer(arguments, 2)?;
    let Ok(offset) = usize::try_from(offset) else {
        return Err(CallError::new("negative offset"));
    };
    let rest = text.get(place_of(text, offset)..).unwrap_or_default();
    // a negative length means all that is left
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Ok(Some(Value::from(
        rest.get(..place_of(rest, length)).unwrap_or_default(),
    )))
}

/// The byte at which a letter stands, counted from 0.
fn place_of(text: &str, letter: usize) -> usize {
    text.char_indices()
        .nth(letter)
        .map_or(text.len(), |(place, _)| place)
}

/// A text and the letters that are taken from its ends, in order.
fn text_and_letters<'a>(
    context: &Context<'_>,
    arguments: &'a [Value],
) -> Result<(&'a str, Vec<char>), CallError> {
    let text = text(context, arguments, 0)?;
    let letters = operand::text(arguments, 1)?;
    let rounds = usize::try_from(letters.len().checked_ilog2().unwrap_or(0)).unwrap_or(0);
    let read = text.len().saturating_add(letters.len().saturating_mul(2));
    context.budget.pay_bytes(read.saturating_mul(rounds))?;
    let mut letters: Vec<char> = letters.chars().collect();
    letters.sort_unstable();
    Ok((text, letters))
}

fn trim(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let (text, letters) = text_and_letters(context, arguments)?;
    Ok(Some(Value::from(
        text.trim_matches(|letter| is_among(&letters, letter)),
    )))
}

fn trim_left(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let (text, letters) = text_and_letters(context, arguments)?;
    Ok(Some(Value::from(
        text.trim_start_matches(|letter| is_among(&letters, letter)),
    )))
}

fn trim_right(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let (text, letters) = text_and_letters(context, arguments)?;
    Ok(Some(Value::from(
        text.trim_end_matches(|letter| is_among(&letters, letter)),
    )))
}

fn is_among(letters: &[char], letter: char) -> bool {
    letters.binary_search(&letter).is_ok()
}

fn trim_prefix(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let (text, start) = (text(context, arguments, 0)?, text(context, arguments, 1)?);
    Ok(Some(Value::from(text.strip_prefix(start).unwrap_or(text))))
}

fn trim_suffix(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let (text, end) = (text(context, arguments, 0)?, text(context, arguments, 1)?);
    Ok(Some(Value::from(text.strip_suffix(end).unwrap_or(text))))
}

fn trim_space(context: &Context<'_>, arguments: &[Value]) -> Answer {
    Ok(Some(Value::from(text(context, arguments, 0)?.trim())))
}
