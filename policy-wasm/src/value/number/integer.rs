//! Whole numbers of any size, for bits and other bases.

use std::ops::Mul;

use num_bigint::BigInt;

use super::{MAX_DIGITS, Number, NumberError, float::Float};

/// Bits of [`MAX_DIGITS`] digits.
pub(super) const MAX_BITS: u64 = 13_607;

impl Number {
    /// A whole number.
    /// Errors: `TooLarge`.
    pub(crate) fn of_integer(number: &BigInt) -> Result<Self, NumberError> {
        if let Ok(number) = i64::try_from(number) {
            return Ok(Self::Int(number));
        }
        if number.bits() > MAX_BITS {
            return Err(NumberError::TooLarge);
        }
        Self::parse(&number.to_string()).ok_or(NumberError::TooLarge)
    }

    /// The whole number that it is; `None` if it has a fraction.
    /// Errors: `TooLarge`. Source: OPA, `NumberToInt`.
    pub(crate) fn to_integer(&self) -> Result<Option<BigInt>, NumberError> {
        let literal = match self {
            Self::Int(number) => return Ok(Some(BigInt::from(*number))),
            Self::Text(literal) => literal,
        };
        if !literal.is_integer() {
            return Ok(None);
        }
        let point = u64::try_from(literal.point()).unwrap_or(0);
        if point > MAX_DIGITS {
            return Err(NumberError::TooLarge);
        }
        let places = usize::try_from(point).unwrap_or(0);
        let digits = literal.digits().chain(std::iter::repeat(b'0'));
        let digits: Vec<u8> = digits.take(places).collect();
        let number = BigInt::parse_bytes(&digits, 10).unwrap_or_default();
        let sign = if literal.is_negative() { -1 } else { 1 };
        Ok(Some(number.mul(sign)))
    }

    /// The whole number that `format_int` writes: exact if it is written as one, else the float
    /// without its fraction.
    /// Errors: `TooLarge`.
    pub(crate) fn truncate(&self) -> Result<BigInt, NumberError> {
        if !self.is_written_as_float() {
            return Ok(self.to_integer()?.unwrap_or_default());
        }
        self.to_float()?.truncate()
    }

    /// The product as a float, without its fraction. Source: OPA, `units.parse_bytes`.
    /// Errors: `TooLarge`.
    pub(crate) fn multiply_truncated(&self, factor: &Self) -> Result<Self, NumberError> {
        Self::of_integer(&self.to_float()?.multiply(factor.to_float()?).truncate()?)
    }

    pub(super) fn to_float(&self) -> Result<Float, NumberError> {
        match self {
            Self::Int(number) => Ok(Float::of_i64(*number)),
            Self::Text(literal) => Float::of_literal(literal),
        }
    }
}
