//! Arithmetic: exact between whole numbers, else with floats. Source: OPA, `topdown/arithmetic.go`.

use std::{
    cmp::Ordering,
    ops::{Add, Mul, Sub},
};

use num_bigint::{BigInt, Sign};
use num_integer::Integer;

use super::{Number, NumberError, float::Float, integer::MAX_BITS};

/// What an operation gives.
type Calculated = Result<Number, NumberError>;

impl Number {
    /// The sum.
    /// Errors: `TooLarge`.
    #[inline]
    pub fn add(&self, other: &Self) -> Calculated {
        if let (Self::Int(left), Self::Int(right)) = (self, other)
            && let Some(sum) = left.checked_add(*right)
        {
            return Ok(Self::Int(sum));
        }
        self.calculate(other, |left, right| Ok(left.add(right)), Float::add)
    }

    /// The difference.
    /// Errors: `TooLarge`.
    #[inline]
    pub fn subtract(&self, other: &Self) -> Calculated {
        if let (Self::Int(left), Self::Int(right)) = (self, other)
            && let Some(difference) = left.checked_sub(*right)
        {
            return Ok(Self::Int(difference));
        }
        self.calculate(other, |left, right| Ok(left.sub(right)), Float::subtract)
    }

    /// The product.
    /// Errors: `TooLarge`.
    #[inline]
    pub fn multiply(&self, other: &Self) -> Calculated {
        if let (Self::Int(left), Self::Int(right)) = (self, other)
            && let Some(product) = left.checked_mul(*right)
        {
            return Ok(Self::Int(product));
        }
        self.calculate(
            other,
            |left, right| multiply(&left, &right),
            Float::multiply,
        )
    }

    /// The quotient; a float, unless whole numbers of 64 bits divide without a rest.
    /// Errors: `DivideByZero`, `TooLarge`.
    #[inline]
    pub fn divide(&self, other: &Self) -> Calculated {
        if let (Self::Int(left), Self::Int(right)) = (self, other)
            && *left != 0
            && left.checked_rem(*right) == Some(0)
            && let Some(quotient) = left.checked_div(*right)
        {
            return Ok(Self::Int(quotient));
        }
        self.divide_floats(other)
    }

    #[cold]
    fn divide_floats(&self, other: &Self) -> Calculated {
        let divisor = other.to_float()?;
        if divisor.is_zero() {
            return Err(NumberError::DivideByZero);
        }
        Self::of_float(self.to_float()?.divide(divisor))
    }

    /// What division leaves, with the sign of `self`.
    /// Errors: `ModuloByZero`, `ModuloOfFraction`, `TooLarge`.
    #[inline]
    pub fn remainder(&self, other: &Self) -> Calculated {
        if let (Self::Int(left), Self::Int(right)) = (self, other) {
            return match right {
                0 => Err(NumberError::ModuloByZero),
                // the one that overflows leaves nothing
                _ => Ok(Self::Int(left.checked_rem(*right).unwrap_or(0))),
            };
        }
        self.big_remainder(other)
    }

    #[cold]
    fn big_remainder(&self, other: &Self) -> Calculated {
        let (Some(left), Some(right)) = (self.to_integer()?, other.to_integer()?) else {
            return Err(NumberError::ModuloOfFraction);
        };
        if right.sign() == Sign::NoSign {
            return Err(NumberError::ModuloByZero);
        }
        Self::of_integer(&left.div_rem(&right).1)
    }

    #[cold]
    fn calculate(
        &self,
        other: &Self,
        exact: fn(BigInt, BigInt) -> Result<BigInt, NumberError>,
        rounded: fn(Float, Float) -> Float,
    ) -> Calculated {
        if self.is_integer() && other.is_integer() {
            let left = self.to_integer()?.unwrap_or_default();
            let right = other.to_integer()?.unwrap_or_default();
            return Self::of_integer(&exact(left, right)?);
        }
        Self::of_float(rounded(self.to_float()?, other.to_float()?))
    }

    /// Without its sign.
    /// Errors: `TooLarge`.
    pub fn abs(&self) -> Calculated {
        match self.as_i64().and_then(i64::checked_abs) {
            Some(number) => Ok(Self::Int(number)),
            None => Self::of_float(self.to_float()?.abs()),
        }
    }

    /// With the other sign.
    /// Errors: `TooLarge`.
    pub fn negate(&self) -> Calculated {
        Self::Int(0).subtract(self)
    }

    /// The nearest whole number; halves go away from zero.
    /// Errors: `TooLarge`.
    pub fn round(&self) -> Calculated {
        match self.as_i64() {
            Some(number) => Ok(Self::Int(number)),
            None => Self::of_integer(&self.to_float()?.round()?),
        }
    }

    /// The next whole number above, and 1 for what is between -1 and 0, as in OPA.
    /// Errors: `TooLarge`.
    pub fn ceil(&self) -> Calculated {
        self.next_integer(|whole| whole.sign() == Sign::Minus, 1)
    }

    /// The next whole number below, and 0 for what is between -1 and 0, as in OPA.
    /// Errors: `TooLarge`.
    pub fn floor(&self) -> Calculated {
        self.next_integer(|whole| whole.sign() != Sign::Minus, -1)
    }

    /// Without its fraction, and a `step` further if it has one and the rest is not yet beyond it.
    fn next_integer(&self, is_beyond: fn(&BigInt) -> bool, step: i64) -> Calculated {
        if let Some(number) = self.as_i64() {
            return Ok(Self::Int(number));
        }
        let float = self.to_float()?;
        let whole = float.truncate()?;
        if float.is_integer() || is_beyond(&whole) {
            return Self::of_integer(&whole);
        }
        Self::of_integer(&whole.add(step))
    }
}

/// Errors: `TooLarge`, before anything of that size is made.
pub(super) fn multiply(left: &BigInt, right: &BigInt) -> Result<BigInt, NumberError> {
    match left.bits().saturating_add(right.bits()).cmp(&MAX_BITS) {
        Ordering::Greater => Err(NumberError::TooLarge),
        _ => Ok(left.mul(right)),
    }
}
