//! Builtins that Rego v0 has under older names, and `trace`. Source: OPA, "Policy Reference".

use super::{Builtin, CallError, Context, find, operand};
use crate::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("net.cidr_overlap", cidr_overlap),
    Builtin::new("re_match", re_match),
    Builtin::new("set_diff", set_diff),
    Builtin::new("trace", trace),
];

type Answer = Result<Option<Value>, CallError>;

fn cidr_overlap(context: &Context<'_>, arguments: &[Value]) -> Answer {
    called("net.cidr_contains", context, arguments)
}

fn re_match(context: &Context<'_>, arguments: &[Value]) -> Answer {
    called("regex.match", context, arguments)
}

fn set_diff(context: &Context<'_>, arguments: &[Value]) -> Answer {
    operand::set(arguments, 0)?;
    operand::set(arguments, 1)?;
    called("minus", context, arguments)
}

/// Nobody listens.
fn trace(_: &Context<'_>, arguments: &[Value]) -> Answer {
    operand::text(arguments, 0)?;
    Ok(Some(Value::Bool(true)))
}

/// Calls a builtin by the name that it has now.
fn called(name: &str, context: &Context<'_>, arguments: &[Value]) -> Answer {
    match find(name) {
        Some(builtin) => (builtin.call)(context, arguments),
        None => Err(CallError::new(format!("there is no `{name}`"))),
    }
}
