//! `regex.template_match`: a text with regular expressions between delimiters.
//! Source: OPA, "Policy Reference", regex.

use crate::{
    builtins::{CallError, Context, operand},
    value::Value,
};

pub(super) fn template_match(
    context: &Context<'_>,
    arguments: &[Value],
) -> Result<Option<Value>, CallError> {
    let template = operand::text(arguments, 0)?;
    let text = operand::text(arguments, 1)?;
    let start = delimiter(arguments, 2, "start")?;
    let end = delimiter(arguments, 3, "end")?;
    context.budget.pay_bytes(template.len().saturating_mul(4))?;
    let pattern = pattern(context, template, start, end)?;
    let program = context.patterns.regex(&pattern, context.budget)?;
    Ok(Some(Value::from(program.matches(context, text)?)))
}

fn delimiter(arguments: &[Value], index: usize, name: &str) -> Result<u8, CallError> {
    match operand::text(arguments, index)?.as_bytes() {
        [delimiter] => Ok(*delimiter),
        text => Err(CallError::Builtin(format!(
            "{name} delimiter has to be exactly one character long but is {} long",
            text.len()
        ))),
    }
}

/// The whole as one regular expression.
fn pattern(context: &Context<'_>, template: &str, start: u8, end: u8) -> Result<String, CallError> {
    let unbalanced = || CallError::Builtin(format!("unbalanced braces in {template:?}"));
    let mut pattern = "^".to_owned();
    let mut level = 0_usize;
    let mut done = 0_usize;
    for (place, byte) in template.bytes().enumerate() {
        let after = place.saturating_add(1);
        if byte == start {
            if level == 0 {
                quote(template.get(done..place).unwrap_or_default(), &mut pattern);
                done = after;
            }
            level = level.saturating_add(1);
        } else if byte == end {
            level = level.checked_sub(1).ok_or_else(unbalanced)?;
            if level == 0 {
                let inner = template.get(done..place).unwrap_or_default();
                // Each must be a regular expression by itself.
                context
                    .patterns
                    .regex(&format!("^{inner}$"), context.budget)?;
                pattern.push('(');
                pattern.push_str(inner);
                pattern.push(')');
                done = after;
            }
        }
    }
    if level > 0 {
        return Err(unbalanced());
    }
    quote(template.get(done..).unwrap_or_default(), &mut pattern);
    pattern.push('$');
    Ok(pattern)
}

fn quote(text: &str, pattern: &mut String) {
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
}
