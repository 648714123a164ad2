//! `replace` and `strings.replace_n`. Source: OPA, `topdown/strings.go`; Go, `strings.Replacer`.

use super::{Builtin, CallError, Context, operand, output::Output, strings::text};
use crate::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("replace", replace),
    Builtin::new("strings.replace_n", replace_n),
];

/// What is replaced, and by what.
type Pair<'a> = (&'a [u8], &'a [u8]);
type Answer = Result<Option<Value>, CallError>;

fn replace(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let text = text(context, arguments, 0)?;
    let old = self::text(context, arguments, 1)?;
    let new = operand::text(arguments, 2)?;
    if old.is_empty() {
        return replace_pairs(context, text, vec![(old.as_bytes(), new.as_bytes())]);
    }
    let mut output = Output::new(context.budget);
    for (index, part) in text.split(old).enumerate() {
        if index > 0 {
            output.push_str(new)?;
        }
        output.push_str(part)?;
    }
    output.finish().map(Some)
}

fn replace_n(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let pairs = operand::object(arguments, 0)?;
    let text = text(context, arguments, 1)?;
    context.budget.pay_value(operand::any(arguments, 0)?)?;
    let pair = |(old, new): &'_ (Value, Value)| match (old, new) {
        (Value::String(old), Value::String(new)) => Ok((old.clone(), new.clone())),
        (Value::String(_), _) => Err("non-string value found in pattern object"),
        _ => Err("non-string key found in pattern object"),
    };
    let pairs = pairs.iter().map(pair).collect::<Result<Vec<_>, _>>();
    let pairs = pairs.map_err(|why| CallError::Type(format!("operand 1 {why}")))?;
    let pairs = pairs
        .iter()
        .map(|(old, new)| (old.as_bytes(), new.as_bytes()));
    replace_pairs(context, text, pairs.collect())
}

/// Replaces in one go. `pairs`: in order of what is replaced, so that of two that match at a place
/// the shorter one counts; nothing matches at every place, but not twice.
fn replace_pairs(context: &Context<'_>, text: &str, mut pairs: Vec<Pair<'_>>) -> Answer {
    let empty = match pairs.first() {
        Some((b"", new)) => Some(*new),
        _ => None,
    };
    if empty.is_some() {
        pairs.remove(0);
    }
    // what begins with another one never counts
    pairs.dedup_by(|next, kept| next.0.starts_with(kept.0));
    pay_search(context, text, &pairs)?;
    let text = text.as_bytes();
    let mut output = Output::new(context.budget);
    let (mut place, mut written, mut was_empty) = (0_usize, 0_usize, false);
    while let Some(rest) = text.get(place..) {
        let (new, length) = match (empty, find(&pairs, rest)) {
            (Some(new), _) if !was_empty => (Some(new), 0),
            (_, Some((old, new))) => (Some(new), old.len()),
            _ => (None, 1),
        };
        was_empty = new.is_some() && length == 0;
        if let Some(new) = new {
            output.push(text.get(written..place).unwrap_or_default())?;
            output.push(new)?;
            written = place.saturating_add(length);
        }
        place = place.saturating_add(length);
    }
    output.push(text.get(written..).unwrap_or_default())?;
    output.finish().map(Some)
}

/// At each byte of the text, a search among the pairs.
fn pay_search(context: &Context<'_>, text: &str, pairs: &[Pair<'_>]) -> Result<(), CallError> {
    let rounds = usize::try_from(pairs.len().checked_ilog2().unwrap_or(0)).unwrap_or(0);
    let longest = pairs.iter().map(|pair| pair.0.len()).max().unwrap_or(0);
    let read = longest.min(text.len()).saturating_add(8) / 8;
    let reads = text.len().saturating_mul(rounds.saturating_add(1));
    Ok(context.budget.pay_bytes(reads.saturating_mul(read))?)
}

/// The pair that matches where `rest` begins. None begins with another, so it can only be the last
/// one that isn't beyond `rest`.
fn find<'a>(pairs: &[Pair<'a>], rest: &[u8]) -> Option<Pair<'a>> {
    let beyond = pairs.partition_point(|pair| pair.0 <= rest);
    let pair = pairs.get(beyond.checked_sub(1)?)?;
    rest.starts_with(pair.0).then_some(*pair)
}
