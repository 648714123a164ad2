//! `is_*` and `type_name`.

use super::{Builtin, CallError, Context, operand};
use crate::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("is_array", |_, arguments| is(arguments, "array")),
    Builtin::new("is_boolean", |_, arguments| is(arguments, "boolean")),
    Builtin::new("is_null", |_, arguments| is(arguments, "null")),
    Builtin::new("is_number", |_, arguments| is(arguments, "number")),
    Builtin::new("is_object", |_, arguments| is(arguments, "object")),
    Builtin::new("is_set", |_, arguments| is(arguments, "set")),
    Builtin::new("is_string", |_, arguments| is(arguments, "string")),
    Builtin::new("type_name", type_name),
];

type Answer = Result<Option<Value>, CallError>;

fn is(arguments: &[Value], kind: &str) -> Answer {
    Ok(Some(Value::Bool(
        operand::any(arguments, 0)?.type_name() == kind,
    )))
}

fn type_name(_: &Context<'_>, arguments: &[Value]) -> Answer {
    Ok(Some(Value::from(operand::any(arguments, 0)?.type_name())))
}
