//! Arithmetic, rounding and `numbers.*`. Source: OPA, `topdown/arithmetic.go` and `numbers.go`.

use std::ops::{Add, Sub};

use num_bigint::BigInt;
use num_traits::ToPrimitive;

use super::{Builtin, CallError, Context, operand, set_operators};
use crate::{
    budget::Exhausted,
    value::{Number, NumberError, Value},
};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("plus", plus),
    Builtin::new("minus", minus),
    Builtin::new("mul", multiply),
    Builtin::new("div", divide),
    Builtin::new("rem", remainder),
    Builtin::new("abs", abs),
    Builtin::new("round", round),
    Builtin::new("ceil", ceil),
    Builtin::new("floor", floor),
    Builtin::new("numbers.range", range),
    Builtin::new("numbers.range_step", range_step),
];

/// 24: bytes that a value takes in an array.
const ITEM_BYTES: usize = 24;

type Answer = Result<Option<Value>, CallError>;

/// What is beyond a limit of ours, OPA gives a value: the evaluation ends.
impl From<NumberError> for CallError {
    fn from(error: NumberError) -> Self {
        match error {
            NumberError::TooLarge => Exhausted::Digits.into(),
            error => Self::new(error),
        }
    }
}

/// Pays for calculating with a number.
pub(super) fn pay_number(context: &Context<'_>, number: &Number) -> Result<(), CallError> {
    Ok(context.budget.pay(number.work())?)
}

/// A whole number of any size. Source: OPA, `BigIntOperand`.
pub(super) fn integer(
    context: &Context<'_>,
    arguments: &[Value],
    index: usize,
) -> Result<BigInt, CallError> {
    let value = operand::any(arguments, index)?;
    let number = value
        .as_number()
        .ok_or_else(|| operand::wrong(index, "integer", value))?;
    pay_number(context, number)?;
    number.to_integer()?.ok_or_else(|| not_an_integer(index))
}

/// A whole number of 64 bits, written as one. Source: OPA, `IntOperand`.
pub(super) fn small_integer(arguments: &[Value], index: usize) -> Result<i64, CallError> {
    let number = operand::number(arguments, index)?;
    number.as_i64().ok_or_else(|| not_an_integer(index))
}

fn not_an_integer(index: usize) -> CallError {
    let place = index.saturating_add(1);
    CallError::Type(format!(
        "operand {place} must be integer number but got floating-point number"
    ))
}

fn of_two(
    context: &Context<'_>,
    arguments: &[Value],
    calculate: fn(&Number, &Number) -> Result<Number, NumberError>,
) -> Answer {
    let left = operand::number(arguments, 0)?;
    let right = operand::number(arguments, 1)?;
    pay_number(context, left)?;
    pay_number(context, right)?;
    Ok(Some(calculate(left, right)?.into()))
}

fn of_one(
    context: &Context<'_>,
    arguments: &[Value],
    calculate: fn(&Number) -> Result<Number, NumberError>,
) -> Answer {
    let number = operand::number(arguments, 0)?;
    pay_number(context, number)?;
    Ok(Some(calculate(number)?.into()))
}

fn plus(context: &Context<'_>, arguments: &[Value]) -> Answer {
    of_two(context, arguments, Number::add)
}

/// Of numbers, or of sets.
fn minus(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let left = operand::any(arguments, 0)?;
    let right = operand::any(arguments, 1)?;
    match (left, right) {
        (Value::Set(_), Value::Set(_)) => set_operators::difference(context, arguments),
        (Value::Set(_), Value::Number(_)) => Err(operand::wrong(1, "set", right)),
        (Value::Number(_) | Value::Set(_), _) => of_two(context, arguments, Number::subtract)
            .map_err(|error| match error {
                CallError::Type(_) => operand::wrong(1, "number", right),
                error => error,
            }),
        _ => Err(operand::wrong(0, "one of {number, set}", left)),
    }
}

fn multiply(context: &Context<'_>, arguments: &[Value]) -> Answer {
    of_two(context, arguments, Number::multiply)
}

fn divide(context: &Context<'_>, arguments: &[Value]) -> Answer {
    of_two(context, arguments, Number::divide)
}

fn remainder(context: &Context<'_>, arguments: &[Value]) -> Answer {
    of_two(context, arguments, Number::remainder)
}

fn abs(context: &Context<'_>, arguments: &[Value]) -> Answer {
    of_one(context, arguments, Number::abs)
}

fn round(context: &Context<'_>, arguments: &[Value]) -> Answer {
    of_one(context, arguments, Number::round)
}

fn ceil(context: &Context<'_>, arguments: &[Value]) -> Answer {
    of_one(context, arguments, Number::ceil)
}

fn floor(context: &Context<'_>, arguments: &[Value]) -> Answer {
    of_one(context, arguments, Number::floor)
}

fn range(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let from = integer(context, arguments, 0)?;
    let to = integer(context, arguments, 1)?;
    count_up(context, &from, &to, &BigInt::from(1)).map(Some)
}

fn range_step(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let from = integer(context, arguments, 0)?;
    let to = integer(context, arguments, 1)?;
    let step = integer(context, arguments, 2)?;
    if step <= BigInt::ZERO {
        return Err(CallError::new(
            "numbers.range_step: step must be a positive integer",
        ));
    }
    count_up(context, &from, &to, &step).map(Some)
}

/// From one number to the other, both included, up or down.
fn count_up(
    context: &Context<'_>,
    from: &BigInt,
    to: &BigInt,
    step: &BigInt,
) -> Result<Value, CallError> {
    let distance = to.sub(from);
    let steps = distance.magnitude().to_u64().unwrap_or(u64::MAX);
    let steps = steps
        .checked_div(step.to_u64().unwrap_or(u64::MAX))
        .unwrap_or(0);
    let count = usize::try_from(steps)
        .unwrap_or(usize::MAX)
        .saturating_add(1);
    let digits = usize::try_from(from.bits().max(to.bits()) / 8).unwrap_or(usize::MAX);
    // digits are written in time that grows with their square
    let work = digits.saturating_mul(digits) / 8;
    context
        .budget
        .pay_bytes(count.saturating_mul(ITEM_BYTES.saturating_add(work)))?;
    let is_down = to < from;
    let mut items = Vec::with_capacity(count);
    let mut next = from.clone();
    while if is_down { next >= *to } else { next <= *to } {
        items.push(Value::Number(Number::of_integer(&next)?));
        next = if is_down {
            next.sub(step)
        } else {
            next.add(step)
        };
    }
    Ok(Value::array(items))
}
