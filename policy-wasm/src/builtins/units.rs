//! `units.parse` and `units.parse_bytes`. Source: OPA, `topdown/parse_units.go` and
//! `parse_bytes.go`.

use std::ops::{Add, Mul};

use num_bigint::{BigInt, Sign};
use num_integer::Integer;
use num_traits::Pow;

use super::{Builtin, CallError, Context, letters, operand};
use crate::value::{Number, NumberError, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("units.parse", parse),
    Builtin::new("units.parse_bytes", parse_bytes),
];

/// 6: digits of the longest exponent.
const EXPONENT_DIGITS: usize = 6;
/// 4,096: digits of the largest number that is calculated with.
const MAX_DIGITS: usize = 4096;
/// 10: decimals of what is no whole number.
const DECIMALS: u32 = 10;

type Answer = Result<Option<Value>, CallError>;

fn parse(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let text = amount(context, arguments, "units.parse")?;
    let (number, unit) = split(&text, "units.parse", "no amount provided")?;
    let mut unit = unit.chars();
    let first: String = unit.next().into_iter().collect();
    let rest: String = unit.map(letters::lower).collect();
    let unit = format!("{first}{rest}");
    let wrong = || CallError::new(format_args!("units.parse: unit {unit} not recognized"));
    let factor = match unit.as_str() {
        "" => power(1000, 0),
        // the float nearest to 0.001 is 1152921504606847 / 2^60
        "m" => (
            BigInt::from(1_152_921_504_606_847_u64),
            BigInt::from(1_u64 << 60),
        ),
        "k" | "K" => power(1000, 1),
        "M" => power(1000, 2),
        "g" | "G" => power(1000, 3),
        "t" | "T" => power(1000, 4),
        "p" | "P" => power(1000, 5),
        "e" | "E" => power(1000, 6),
        other => power(1024, binary(&other.to_lowercase(), "").ok_or_else(wrong)?),
    };
    let number = decimal(number)
        .ok_or_else(|| CallError::new("units.parse: could not parse amount to a number"))?;
    Ok(Some(scale(&number?, &factor)?.into()))
}

fn parse_bytes(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let text = amount(context, arguments, "units.parse_bytes")?;
    let text: String = text.chars().map(letters::lower).collect();
    let (number, unit) = split(&text, "units.parse_bytes", "no byte amount provided")?;
    let factor = match unit {
        "" => (1000_i64, 0),
        "kb" | "k" => (1000, 1),
        "mb" | "m" => (1000, 2),
        "gb" | "g" => (1000, 3),
        "tb" | "t" => (1000, 4),
        "pb" | "p" => (1000, 5),
        "eb" | "e" => (1000, 6),
        other => (
            1024,
            binary(other, "b").ok_or_else(|| {
                CallError::new(format_args!(
                    "units.parse_bytes: byte unit {other} not recognized"
                ))
            })?,
        ),
    };
    let wrong = || CallError::new("units.parse_bytes: could not parse byte amount to a number");
    let text = as_json(number).ok_or_else(wrong)?;
    let number = Number::parse(&text).ok_or_else(|| {
        if Number::is_json(&text) {
            NumberError::TooLarge.into()
        } else {
            wrong()
        }
    })?;
    let factor = Number::from(factor.0.checked_pow(factor.1).unwrap_or(i64::MAX));
    Ok(Some(number.multiply_truncated(&factor)?.into()))
}

/// Without quotes. Errors: there is a space in it.
fn amount(context: &Context<'_>, arguments: &[Value], name: &str) -> Result<String, CallError> {
    let text = operand::text(arguments, 0)?;
    context.budget.pay_bytes(text.len().saturating_mul(4))?;
    let digits = u64::try_from(text.len().min(MAX_DIGITS)).unwrap_or(0);
    context.budget.pay(digits.saturating_mul(digits) / 2048)?;
    if text.contains(' ') {
        return Err(CallError::new(format_args!(
            "{name}: spaces not allowed in resource strings"
        )));
    }
    Ok(text.replace('"', ""))
}

fn power(base: u32, exponent: u32) -> (BigInt, BigInt) {
    (BigInt::from(base).pow(exponent), BigInt::from(1))
}

/// The power of 1,024 of a unit like `ki`.
fn binary(unit: &str, end: &str) -> Option<u32> {
    let unit = unit.strip_suffix(end).unwrap_or(unit);
    Some(match unit {
        "ki" => 1,
        "mi" => 2,
        "gi" => 3,
        "ti" => 4,
        "pi" => 5,
        "ei" => 6,
        _ => return None,
    })
}

/// The number and the unit; the letter `e` is part of the number if a digit or a sign follows.
fn split<'a>(text: &'a str, name: &str, nothing: &str) -> Result<(&'a str, &'a str), CallError> {
    let bytes = text.as_bytes();
    let mut at = 0_usize;
    while let Some(byte) = bytes.get(at) {
        let next = bytes.get(at.saturating_add(1));
        match (byte, next) {
            (b'0'..=b'9' | b'.' | b'+' | b'-', _) => {}
            (b'e' | b'E', Some(b'0'..=b'9' | b'+' | b'-')) => {
                let is_signed = matches!(next, Some(b'+' | b'-'));
                at = at.saturating_add(usize::from(is_signed));
                let exponent = bytes.iter().skip(at.saturating_add(1));
                if exponent.take_while(|byte| byte.is_ascii_digit()).count() > EXPONENT_DIGITS {
                    return Err(CallError::new(format_args!("{name}: exponent too large")));
                }
            }
            _ => break,
        }
        at = at.saturating_add(1);
    }
    match text.split_at_checked(at) {
        Some(parts) if at > 0 => Ok(parts),
        _ => Err(CallError::new(format_args!("{name}: {nothing}"))),
    }
}

/// `+.5` and `05.` as JSON writes them.
fn as_json(text: &str) -> Option<String> {
    super::casts::as_json(text)
}

/// A numerator and a denominator.
fn decimal(text: &str) -> Option<Result<(BigInt, BigInt), NumberError>> {
    let text = as_json(text)?;
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text.as_str(), 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let scale = exponent.saturating_sub(i64::try_from(fraction.len()).unwrap_or(i64::MAX));
    let digits = format!("{whole}{fraction}");
    let is_too_large =
        usize::try_from(scale.unsigned_abs()).map_or(true, |scale| scale > MAX_DIGITS);
    let number = BigInt::parse_bytes(digits.get(..digits.len().min(MAX_DIGITS))?.as_bytes(), 10)?;
    if digits.len() > MAX_DIGITS || is_too_large && number.sign() != Sign::NoSign {
        return Some(Err(NumberError::TooLarge));
    }
    let power = BigInt::from(10).pow(if is_too_large {
        0
    } else {
        scale.unsigned_abs()
    });
    Some(Ok(if scale < 0 {
        (number, power)
    } else {
        (number.mul(power), BigInt::from(1))
    }))
}

/// The product of two fractions: whole, or with ten decimals, of which the last is rounded half
/// away from zero.
fn scale(left: &(BigInt, BigInt), right: &(BigInt, BigInt)) -> Result<Number, NumberError> {
    let (over, under) = ((&left.0).mul(&right.0), (&left.1).mul(&right.1));
    let (quotient, rest) = over.div_rem(&under);
    if rest.sign() == Sign::NoSign {
        return Number::of_integer(&quotient);
    }
    let magnitude = BigInt::from_biguint(Sign::Plus, over.magnitude().clone());
    let doubled = magnitude
        .mul(BigInt::from(10).pow(DECIMALS))
        .mul(2_u32)
        .add(&under);
    let rounded = doubled.div_rem(&under.mul(2_u32)).0.to_string();
    let sign = if over.sign() == Sign::Minus { "-" } else { "" };
    let padded = format!("{rounded:0>11}");
    let (whole, fraction) = padded
        .split_at_checked(padded.len().saturating_sub(10))
        .unwrap_or(("0", "0"));
    Number::parse(&format!("{sign}{whole}.{fraction}")).ok_or(NumberError::TooLarge)
}
