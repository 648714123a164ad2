//! `==`, `<` and their kin, by OPA's order of values.

use std::cmp::Ordering;

use super::{Builtin, CallError, Context, operand};
use crate::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("eq", equal),
    Builtin::new("equal", equal),
    Builtin::new("neq", not_equal),
    Builtin::new("lt", less),
    Builtin::new("lte", less_or_equal),
    Builtin::new("gt", greater),
    Builtin::new("gte", greater_or_equal),
];

type Answer = Result<Option<Value>, CallError>;

fn operands<'a>(
    context: &Context<'_>,
    arguments: &'a [Value],
) -> Result<(&'a Value, &'a Value), CallError> {
    let left = operand::any(arguments, 0)?;
    let right = operand::any(arguments, 1)?;
    context.budget.pay_comparison(left, right)?;
    Ok((left, right))
}

fn equality(context: &Context<'_>, arguments: &[Value], wanted: bool) -> Answer {
    let (left, right) = operands(context, arguments)?;
    Ok(Some(Value::Bool((left == right) == wanted)))
}

fn order(context: &Context<'_>, arguments: &[Value], is_wanted: fn(Ordering) -> bool) -> Answer {
    let (left, right) = operands(context, arguments)?;
    Ok(Some(Value::Bool(is_wanted(left.cmp(right)))))
}

fn equal(context: &Context<'_>, arguments: &[Value]) -> Answer {
    equality(context, arguments, true)
}

fn not_equal(context: &Context<'_>, arguments: &[Value]) -> Answer {
    equality(context, arguments, false)
}

fn less(context: &Context<'_>, arguments: &[Value]) -> Answer {
    order(context, arguments, Ordering::is_lt)
}

fn less_or_equal(context: &Context<'_>, arguments: &[Value]) -> Answer {
    order(context, arguments, Ordering::is_le)
}

fn greater(context: &Context<'_>, arguments: &[Value]) -> Answer {
    order(context, arguments, Ordering::is_gt)
}

fn greater_or_equal(context: &Context<'_>, arguments: &[Value]) -> Answer {
    order(context, arguments, Ordering::is_ge)
}
