//! `array.*`. Source: OPA, "Policy Reference", arrays.

use super::{Builtin, CallError, Context, operand};
use crate::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("array.concat", concat),
    Builtin::new("array.flatten", flatten),
    Builtin::new("array.reverse", reverse),
    Builtin::new("array.slice", slice),
];

/// What an item weighs in an array, apart from what it holds.
const ITEM_BYTES: usize = 24;

fn pay_items(context: &Context<'_>, items: usize) -> Result<(), CallError> {
    Ok(context.budget.pay_bytes(items.saturating_mul(ITEM_BYTES))?)
}

fn concat(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let left = operand::array(arguments, 0)?;
    let right = operand::array(arguments, 1)?;
    pay_items(context, left.len().saturating_add(right.len()))?;
    let items = left.iter().chain(right.iter()).cloned().collect();
    Ok(Some(Value::array(items)))
}

/// Arrays among the items give way to their own items; those are left as they are.
fn flatten(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let array = operand::array(arguments, 0)?;
    pay_items(context, array.len())?;
    let mut flat = Vec::new();
    for item in array.iter() {
        match item {
            Value::Array(nested) => {
                pay_items(context, nested.len())?;
                flat.extend(nested.iter().cloned());
            }
            other => flat.push(other.clone()),
        }
    }
    Ok(Some(Value::array(flat)))
}

fn reverse(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let array = operand::array(arguments, 0)?;
    pay_items(context, array.len())?;
    Ok(Some(Value::array(array.iter().rev().cloned().collect())))
}

/// Indices beyond the array mean its ends.
fn slice(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let array = operand::array(arguments, 0)?;
    let start = operand::integer(arguments, 1)?;
    let stop = operand::integer(arguments, 2)?;
    let clamp = |index: i64| usize::try_from(index.max(0)).unwrap_or(usize::MAX);
    let stop = clamp(stop).min(array.len());
    let start = clamp(start).min(stop);
    let items = array[..].get(start..stop).unwrap_or_default();
    pay_items(context, items.len())?;
    Ok(Some(Value::array(items.to_vec())))
}
