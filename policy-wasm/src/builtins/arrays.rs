//! `array.*`.

use super::{Builtin, CallError, Context, operand};
use crate::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[Builtin {
    name: "array.concat",
    call: concat,
}];

fn concat(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let left = operand::array(arguments, 0)?;
    let right = operand::array(arguments, 1)?;
    context.budget.pay_bytes(left.len().saturating_add(right.len()).saturating_mul(24))?;
    let items = left.iter().chain(right.iter()).cloned().collect();
    Ok(Some(Value::array(items)))
}
