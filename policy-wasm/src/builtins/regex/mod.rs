//! `regex.*`. Patterns mean what RE2 and Go mean by them. Source: OPA, "Policy Reference", regex.

mod class;
mod escapes;
pub(super) mod glob;
mod globs;
mod machine;
mod matches;
mod patterns;
mod program;
mod replacement;
mod syntax;
mod tables;
mod template;
#[cfg(test)]
mod tests;
mod tree;

use matches::Matches;
pub(crate) use patterns::Patterns;
pub(super) use program::Program;

use super::{Builtin, CallError, Context, operand, tally::Tally};
use crate::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new(
        "regex.find_all_string_submatch_n",
        find_all_string_submatch_n,
    ),
    Builtin::new("regex.find_n", find_n),
    Builtin::new("regex.globs_match", globs::globs_match),
    Builtin::new("regex.is_valid", is_valid),
    Builtin::new("regex.match", is_match),
    Builtin::new("regex.replace", replace),
    Builtin::new("regex.split", split),
    Builtin::new("regex.template_match", template::template_match),
];

fn is_valid(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let Some(pattern) = operand::any(arguments, 0)?.as_str() else {
        return Ok(Some(Value::from(false)));
    };
    let is_valid = match syntax::parse(pattern, &mut Tally::new(context.budget)) {
        Ok(_) => true,
        Err(syntax::PatternError::Syntax(_)) => false,
        Err(exhausted) => return Err(exhausted.into()),
    };
    Ok(Some(Value::from(is_valid)))
}

fn is_match(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let pattern = operand::text(arguments, 0)?;
    let text = operand::text(arguments, 1)?;
    let program = context.patterns.regex(pattern, context.budget)?;
    Ok(Some(Value::from(program.matches(context, text)?)))
}

impl Program {
    /// Whether it matches anywhere in a text.
    pub(super) fn matches(&self, context: &Context<'_>, text: &str) -> Result<bool, CallError> {
        let mut machine = machine::Machine::new(context.budget, self, text, 0)?;
        Ok(machine.find_from(0)?.is_some())
    }
}

/// How many matches are wanted; a negative number means all.
fn limit(arguments: &[Value]) -> Result<usize, CallError> {
    let limit = operand::integer(arguments, 2)?;
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}

fn find_n(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let pattern = operand::text(arguments, 0)?;
    let text = operand::text(arguments, 1)?;
    let limit = limit(arguments)?;
    let program = context.patterns.regex(pattern, context.budget)?;
    let mut matches = Matches::new(context, &program, text, 1, limit)?;
    let mut found = Vec::new();
    while let Some(slots) = matches.next()? {
        found.push(piece(context, text, matches::group(&slots, 0))?);
    }
    Ok(Some(Value::array(found)))
}

/// A piece of the text, or nothing, as a value of its own.
fn piece(
    context: &Context<'_>,
    text: &str,
    place: Option<(usize, usize)>,
) -> Result<Value, CallError> {
    let piece = place
        .and_then(|(start, end)| text.get(start..end))
        .unwrap_or_default();
    context.budget.pay_bytes(piece.len().saturating_add(32))?;
    Ok(Value::from(piece))
}

fn find_all_string_submatch_n(
    context: &Context<'_>,
    arguments: &[Value],
) -> Result<Option<Value>, CallError> {
    let pattern = operand::text(arguments, 0)?;
    let text = operand::text(arguments, 1)?;
    let limit = limit(arguments)?;
    let program = context.patterns.regex(pattern, context.budget)?;
    let groups = program.names.len();
    let mut matches = Matches::new(context, &program, text, groups, limit)?;
    let mut found = Vec::new();
    while let Some(slots) = matches.next()? {
        let pieces = (0..groups).map(|index| piece(context, text, matches::group(&slots, index)));
        found.push(Value::array(pieces.collect::<Result<_, _>>()?));
    }
    Ok(Some(Value::array(found)))
}

fn split(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let pattern = operand::text(arguments, 0)?;
    let text = operand::text(arguments, 1)?;
    let program = context.patterns.regex(pattern, context.budget)?;
    if text.is_empty() && !program.is_empty {
        return Ok(Some(Value::array(vec![Value::from("")])));
    }
    let mut matches = Matches::new(context, &program, text, 1, usize::MAX)?;
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut end = 0;
    while let Some(slots) = matches.next()? {
        let Some((first, last)) = matches::group(&slots, 0) else {
            break;
        };
        end = first;
        if last > 0 {
            pieces.push(piece(context, text, Some((start, end)))?);
        }
        start = last;
    }
    if end != text.len() {
        pieces.push(piece(context, text, Some((start, text.len())))?);
    }
    Ok(Some(Value::array(pieces)))
}

fn replace(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let text = operand::text(arguments, 0)?;
    let pattern = operand::text(arguments, 1)?;
    let replacement = operand::text(arguments, 2)?;
    let program = context.patterns.regex(pattern, context.budget)?;
    context
        .budget
        .pay_bytes(replacement.len().saturating_mul(2))?;
    let parts = replacement::parse(replacement, &program);
    let groups = program.names.len();
    let mut matches = Matches::new(context, &program, text, groups, usize::MAX)?;
    let mut replaced = String::new();
    let mut push = |piece: &str| -> Result<(), CallError> {
        context.budget.pay_bytes(piece.len().saturating_add(4))?;
        replaced.push_str(piece);
        Ok(())
    };
    let mut start = 0;
    while let Some(slots) = matches.next()? {
        let Some((first, last)) = matches::group(&slots, 0) else {
            break;
        };
        push(text.get(start..first).unwrap_or_default())?;
        for part in &parts {
            push(part.text(text, &slots))?;
        }
        start = last;
    }
    push(text.get(start..).unwrap_or_default())?;
    Ok(Some(Value::from(replaced)))
}
