//! `yaml.*`. Source: OPA, "Policy Reference", encoding; `go.yaml.in/yaml/v3`.

mod numbers;
mod order;
mod read;
mod resolve;
mod write;

pub(super) use numbers::json as json_number;

use super::{Builtin, CallError, Context, operand};
use crate::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("yaml.is_valid", is_valid),
    Builtin::new("yaml.marshal", marshal),
    Builtin::new("yaml.unmarshal", unmarshal),
];

fn unmarshal(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let text = operand::text(arguments, 0)?;
    Ok(Some(read::read(context, text)?))
}

fn is_valid(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let Some(text) = operand::any(arguments, 0)?.as_str() else {
        return Ok(Some(Value::from(false)));
    };
    match read::read(context, text) {
        Err(CallError::Exhausted(exhausted)) => Err(exhausted.into()),
        result => Ok(Some(Value::from(result.is_ok()))),
    }
}

fn marshal(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let value = operand::any(arguments, 0)?;
    Ok(Some(Value::from(write::write(context, value)?)))
}
