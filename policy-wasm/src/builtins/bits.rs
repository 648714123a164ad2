//! `bits.*`, on whole numbers of any size in two's complement. Source: OPA, `topdown/bits.go`.

use std::ops::{BitAnd, BitOr, BitXor, Not, Shl, Shr};

use num_bigint::{BigInt, Sign};

use super::{Builtin, CallError, Context, numbers::integer};
use crate::value::{Number, NumberError, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("bits.and", and),
    Builtin::new("bits.or", or),
    Builtin::new("bits.xor", xor),
    Builtin::new("bits.negate", negate),
    Builtin::new("bits.lsh", shift_left),
    Builtin::new("bits.rsh", shift_right),
];

/// 16,384: bits beyond which no number has few enough digits.
const MAX_BITS: u64 = 16_384;

type Answer = Result<Option<Value>, CallError>;

fn of_two(
    context: &Context<'_>,
    arguments: &[Value],
    calculate: impl Fn(BigInt, BigInt) -> Result<BigInt, CallError>,
) -> Answer {
    let left = integer(context, arguments, 0)?;
    let right = integer(context, arguments, 1)?;
    answer(&calculate(left, right)?)
}

fn answer(number: &BigInt) -> Answer {
    Ok(Some(Number::of_integer(number)?.into()))
}

fn and(context: &Context<'_>, arguments: &[Value]) -> Answer {
    of_two(context, arguments, |left, right| Ok(left.bitand(right)))
}

fn or(context: &Context<'_>, arguments: &[Value]) -> Answer {
    of_two(context, arguments, |left, right| Ok(left.bitor(right)))
}

fn xor(context: &Context<'_>, arguments: &[Value]) -> Answer {
    of_two(context, arguments, |left, right| Ok(left.bitxor(right)))
}

fn negate(context: &Context<'_>, arguments: &[Value]) -> Answer {
    answer(&integer(context, arguments, 0)?.not())
}

fn shift_left(context: &Context<'_>, arguments: &[Value]) -> Answer {
    of_two(context, arguments, |number, shift| {
        let shift = width(&shift)?;
        if number == BigInt::ZERO {
            return Ok(number);
        }
        if shift.saturating_add(number.bits()) > MAX_BITS {
            return Err(NumberError::TooLarge.into());
        }
        context.budget.pay(shift / 64)?;
        Ok(number.shl(shift))
    })
}

fn shift_right(context: &Context<'_>, arguments: &[Value]) -> Answer {
    // with all bits gone, the sign stays
    of_two(context, arguments, |number, shift| {
        Ok(number.shr(width(&shift)?.min(MAX_BITS)))
    })
}

/// Of a shift: its lowest 64 bits, as in OPA.
fn width(shift: &BigInt) -> Result<u64, CallError> {
    if shift.sign() == Sign::Minus {
        return Err(CallError::Type(
            "operand 2 must be an unsigned integer number but got a negative integer".to_owned(),
        ));
    }
    Ok(shift.iter_u64_digits().next().unwrap_or(0))
}
