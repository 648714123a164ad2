//! `json.match_schema` and `json.verify_schema`: JSON Schema, drafts 4, 6 and 7, as
//! `github.com/xeipuuv/gojsonschema` reads it. Schemas elsewhere are never fetched.
//! Source: OPA, "Policy Reference", objects.

mod collections;
mod compile;
mod decimal;
mod documents;
mod formats;
mod keywords;
mod outcome;
mod schema;
mod validate;

use super::{Builtin, CallError, Context, encoding::read_json, operand};
use crate::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("json.match_schema", match_schema),
    Builtin::new("json.verify_schema", verify_schema),
];

fn match_schema(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let document = document(context, operand::any(arguments, 0)?)?;
    let schema = document_of_schema(context, arguments, 1)?;
    let schemas = compile::compile(context, &schema)?;
    let errors = validate::validate(context, &schemas, &document)?;
    let is_valid = errors.is_empty();
    Ok(Some(result(is_valid, Value::array(errors))))
}

fn document_of_schema(
    context: &Context<'_>,
    arguments: &[Value],
    index: usize,
) -> Result<Value, CallError> {
    document(context, operand::any(arguments, index)?)
}

fn verify_schema(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let compiled = document_of_schema(context, arguments, 0)
        .and_then(|schema| compile::compile(context, &schema));
    let reason = match compiled {
        Ok(_) => Value::Null,
        Err(CallError::Exhausted(exhausted)) => return Err(exhausted.into()),
        Err(error) => Value::from(format!("jsonschema: {error}")),
    };
    Ok(Some(result(reason == Value::Null, reason)))
}

fn result(is_valid: bool, details: Value) -> Value {
    Value::array(vec![Value::from(is_valid), details])
}

/// As JSON has it: a text is read, sets become arrays, and every key is a text.
fn document(context: &Context<'_>, value: &Value) -> Result<Value, CallError> {
    context.budget.pay_value(value)?;
    let invalid = |_| CallError::new("invalid JSON string");
    match value {
        Value::String(text) => {
            context.budget.pay_bytes(text.len().saturating_mul(8))?;
            read_json(text, invalid)
        }
        Value::Array(_) | Value::Object(_) if is_json(value) => Ok(value.clone()),
        Value::Array(_) | Value::Object(_) => {
            // It is written and read again.
            context.budget.pay(value.size().weight / 8)?;
            read_json(&value.to_json_text(), invalid)
        }
        _ => Err(CallError::new("wrong type, expected string or object")),
    }
}

/// As deep as the value, which is bounded.
fn is_json(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(is_json),
        Value::Set(_) => false,
        Value::Object(entries) => {
            let mut entries = entries.iter();
            entries.all(|(key, value)| key.as_str().is_some() && is_json(value))
        }
        _ => true,
    }
}
