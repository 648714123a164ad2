//! `internal.template_string`, which templates (`$"a {b}"`) become calls of. Source: OPA,
//! `topdown/template_string.go`.

use std::fmt::Write;

use super::{Builtin, CallError, Context, operand, output::Output};
use crate::{budget::Exhausted, value::Value};

pub(super) const BUILTINS: &[Builtin] = &[Builtin::new("internal.template_string", template)];

/// What stands for an expression without a value.
const UNDEFINED: &str = "<undefined>";
const MULTIPLE: &str = "template-strings must not produce multiple outputs";

/// Joins texts, and a set for each expression.
fn template(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let parts = operand::array(arguments, 0)?;
    context.budget.pay_bytes(parts.len().saturating_mul(8))?;
    let mut output = Output::new(context.budget);
    for part in parts.iter() {
        match part {
            Value::Set(values) => match &values[..] {
                [] => output.push_str(UNDEFINED)?,
                [value] => write(context, &mut output, value)?,
                _ => return Err(CallError::Conflict(MULTIPLE.to_owned())),
            },
            Value::Array(_) | Value::Object(_) => {
                let kind = part.type_name();
                return Err(CallError::new(format_args!(
                    "illegal argument type: {kind}"
                )));
            }
            scalar => write(context, &mut output, scalar)?,
        }
    }
    output.finish().map(Some)
}

/// Writes a text as it is, anything else as Rego writes it.
fn write(context: &Context<'_>, output: &mut Output<'_>, value: &Value) -> Result<(), CallError> {
    context.budget.pay_value(value)?;
    match value {
        Value::String(text) => Ok(output.push_str(text)?),
        other => write!(output, "{other}").map_err(|_| Exhausted::Steps.into()),
    }
}
