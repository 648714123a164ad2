//! Numbers that are not whole: a mantissa of 64 bits, rounded to the nearest, ties to even.
//! Source: Go, `big.Float`, which OPA calculates with.

use std::{
    cmp::Ordering,
    ops::{Mul, Shl, Shr},
};

use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;

use super::{MAX_DIGITS, NumberError, integer::MAX_BITS, literal::Literal};

/// 64: bits of a mantissa. Source: OPA, `NumberToFloat`.
const PRECISION: u32 = 64;
/// 27: the largest power of five of 64 bits.
const LARGEST_SMALL_POWER: u64 = 27;
/// 128: bits of a power of five that a decimal is scaled with. Source: Go, `Float.scan`.
const POWER_BITS: u64 = 128;
/// 192: bits of the squares that such a power is made of. Source: Go, `Float.pow5`.
const SQUARE_BITS: u64 = 192;

/// `mantissa × 2^exponent`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Float {
    pub(super) is_negative: bool,
    /// Its highest bit is set, unless the number is 0.
    pub(super) mantissa: u64,
    pub(super) exponent: i64,
    /// How many of the mantissa's bits are used.
    pub(super) precision: u32,
}

/// What a calculation found before it is rounded: `bits × 2^exponent`, and perhaps a little more.
struct Exact {
    is_negative: bool,
    bits: u128,
    has_more: bool,
    exponent: i64,
}

impl Exact {
    fn round(self, precision: u32) -> Float {
        let zero = Float {
            is_negative: self.is_negative,
            mantissa: 0,
            exponent: 0,
            precision,
        };
        let shift = self.bits.leading_zeros();
        let Some(top) = self.bits.checked_shl(shift) else {
            return zero;
        };
        let dropped = 128_u32.saturating_sub(precision);
        let kept = top.wrapping_shr(dropped);
        let rest = top ^ kept.wrapping_shl(dropped);
        let half = 1_u128.wrapping_shl(dropped.saturating_sub(1));
        let is_up = match rest.cmp(&half) {
            Ordering::Less => false,
            Ordering::Equal => self.has_more || kept & 1 == 1,
            Ordering::Greater => true,
        };
        let kept = kept.saturating_add(u128::from(is_up));
        let is_carried = kept.checked_shr(precision).unwrap_or(0) != 0;
        let kept = if is_carried { kept / 2 } else { kept };
        let mantissa = kept.wrapping_shl(64_u32.saturating_sub(precision));
        Float {
            mantissa: u64::try_from(mantissa).unwrap_or(u64::MAX),
            exponent: self
                .exponent
                .saturating_sub(i64::from(shift))
                .saturating_add(64)
                .saturating_add(i64::from(is_carried)),
            ..zero
        }
    }
}

impl Float {
    /// 1 with the bits that OPA gives to a product: those of `float64`. Source: Go, `big.NewFloat`.
    pub(super) const ONE_OF_53_BITS: Self = Self {
        is_negative: false,
        mantissa: 1 << 63,
        exponent: -63,
        precision: 53,
    };

    const HALF: Self = Self {
        is_negative: false,
        mantissa: 1 << 63,
        exponent: -64,
        precision: PRECISION,
    };

    pub(super) fn zero() -> Self {
        Self::of_i64(0)
    }

    pub(super) fn of_i64(number: i64) -> Self {
        let mut float = Self::of_u64(number.unsigned_abs());
        float.is_negative = number < 0;
        float
    }

    fn of_u64(number: u64) -> Self {
        let exact = Exact {
            is_negative: false,
            bits: u128::from(number),
            has_more: false,
            exponent: 0,
        };
        exact.round(PRECISION)
    }

    fn of_wide(is_negative: bool, number: &BigUint, exponent: i64, has_more: bool) -> Self {
        let shift = number.bits().saturating_sub(128);
        let top = number.shr(shift);
        let exact = Exact {
            is_negative,
            bits: u128::try_from(top).unwrap_or(u128::MAX),
            has_more: has_more || number.trailing_zeros().is_some_and(|zeros| zeros < shift),
            exponent: exponent.saturating_add_unsigned(shift),
        };
        exact.round(PRECISION)
    }

    /// The float of a text, with the rounding of Go's `Float.scan`: it is not always the nearest.
    pub(super) fn of_literal(literal: &Literal) -> Result<Self, NumberError> {
        let (digits, scale) = literal.scaled();
        let count = u64::try_from(digits.clone().count()).unwrap_or(u64::MAX);
        if count > MAX_DIGITS {
            return Err(NumberError::TooLarge);
        }
        let is_negative = literal.is_negative();
        let fives = scale.unsigned_abs();
        if let (Some(number), Some(power)) = (small(digits.clone()), small_power_of_five(fives)) {
            let number = Self::of_u64(number);
            let power = Self::of_u64(power);
            let mut float = if scale < 0 {
                number.divide(power)
            } else {
                number.multiply(power)
            };
            float.is_negative = is_negative;
            if !float.is_zero() {
                float.exponent = float.exponent.saturating_add(scale);
            }
            return Ok(float);
        }
        let digits: Vec<u8> = digits.collect();
        let number = BigUint::parse_bytes(&digits, 10).unwrap_or_default();
        let (power, exponent) = power_of_five(fives);
        Ok(if scale < 0 {
            let shift = POWER_BITS
                .saturating_add(8)
                .saturating_add(power.bits())
                .saturating_sub(number.bits());
            let (quotient, rest) = number.shl(shift).div_rem(&power);
            let below = scale
                .saturating_sub(exponent)
                .saturating_sub_unsigned(shift);
            Self::of_wide(is_negative, &quotient, below, rest.bits() > 0)
        } else {
            let product = number.mul(power);
            Self::of_wide(is_negative, &product, scale.saturating_add(exponent), false)
        })
    }

    pub(super) fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    pub(super) fn negate(self) -> Self {
        Self {
            is_negative: !self.is_negative,
            ..self
        }
    }

    pub(super) fn abs(self) -> Self {
        Self {
            is_negative: false,
            ..self
        }
    }

    pub(super) fn add(self, other: Self) -> Self {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => {
                return Self {
                    is_negative: self.is_negative && other.is_negative,
                    ..self
                };
            }
            (true, false) => return other,
            (false, true) => return self,
            (false, false) => {}
        }
        let size = |float: Self| (float.exponent, float.mantissa);
        let (high, low) = if size(self) < size(other) {
            (other, self)
        } else {
            (self, other)
        };
        let distance =
            u32::try_from(high.exponent.saturating_sub(low.exponent)).unwrap_or(u32::MAX);
        // one bit for a carry stays free
        let spread = |float: Self| u128::from(float.mantissa).wrapping_shl(62);
        let lower = spread(low).checked_shr(distance).unwrap_or(0);
        let has_more = spread(low).trailing_zeros() < distance;
        let bits = if high.is_negative == low.is_negative {
            spread(high).saturating_add(lower)
        } else {
            spread(high)
                .saturating_sub(lower)
                .saturating_sub(u128::from(has_more))
        };
        let exact = Exact {
            is_negative: high.is_negative && bits > 0,
            bits,
            has_more,
            exponent: high.exponent.saturating_sub(62),
        };
        exact.round(self.precision)
    }

    pub(super) fn subtract(self, other: Self) -> Self {
        self.add(other.negate())
    }

    /// The product has the precision of `self`.
    pub(super) fn multiply(self, other: Self) -> Self {
        let exact = Exact {
            is_negative: self.is_negative != other.is_negative,
            bits: u128::from(self.mantissa).saturating_mul(u128::from(other.mantissa)),
            has_more: false,
            exponent: self.exponent.saturating_add(other.exponent),
        };
        exact.round(self.precision)
    }

    /// `other` is not 0.
    pub(super) fn divide(self, other: Self) -> Self {
        let divisor = u128::from(other.mantissa);
        let divide = |number: u128| {
            let quotient = number.checked_div(divisor).unwrap_or(0);
            let rest = number.checked_rem(divisor).unwrap_or(0);
            (quotient, rest)
        };
        let (start, rest) = divide(u128::from(self.mantissa).wrapping_shl(64));
        let (end, rest) = divide(rest.wrapping_shl(2));
        let exact = Exact {
            is_negative: self.is_negative != other.is_negative,
            bits: start.wrapping_shl(2) | end,
            has_more: rest != 0,
            exponent: self
                .exponent
                .saturating_sub(other.exponent)
                .saturating_sub(66),
        };
        exact.round(self.precision)
    }

    /// Whether it has no fraction.
    pub(super) fn is_integer(self) -> bool {
        self.is_zero()
            || self
                .exponent
                .saturating_add(i64::from(self.mantissa.trailing_zeros()))
                >= 0
    }

    /// Without its fraction.
    /// Errors: `TooLarge`.
    pub(super) fn truncate(self) -> Result<BigInt, NumberError> {
        let mantissa = BigUint::from(self.mantissa);
        let magnitude = match u64::try_from(self.exponent) {
            Ok(shift) if shift > MAX_BITS => return Err(NumberError::TooLarge),
            Ok(shift) => mantissa.shl(shift),
            Err(_) => mantissa.shr(self.exponent.unsigned_abs().min(64)),
        };
        let sign = if self.is_negative {
            Sign::Minus
        } else {
            Sign::Plus
        };
        Ok(BigInt::from_biguint(sign, magnitude))
    }

    /// Half away from zero.
    /// Errors: `TooLarge`.
    pub(super) fn round(self) -> Result<BigInt, NumberError> {
        if self.is_negative {
            self.subtract(Self::HALF).truncate()
        } else {
            self.add(Self::HALF).truncate()
        }
    }
}

/// The number of few digits.
fn small(digits: impl Iterator<Item = u8>) -> Option<u64> {
    let mut number = 0_u64;
    for digit in digits {
        number = number.checked_mul(10)?.checked_add(u64::from(digit & 15))?;
    }
    Some(number)
}

fn small_power_of_five(exponent: u64) -> Option<u64> {
    5_u64.checked_pow(u32::try_from(exponent).ok()?)
}

/// `5^exponent` as a number times a power of two, rounded as Go rounds it.
fn power_of_five(exponent: u64) -> (BigUint, i64) {
    let table = exponent.min(LARGEST_SMALL_POWER);
    let start = small_power_of_five(table).unwrap_or(1);
    let mut power = (BigUint::from(start), 0_i64);
    let mut square = (BigUint::from(5_u32), 0_i64);
    let mut left = exponent.saturating_sub(table);
    while left > 0 {
        if left & 1 == 1 {
            power = multiply(&power, &square, POWER_BITS);
        }
        square = multiply(&square, &square, SQUARE_BITS);
        left /= 2;
    }
    power
}

fn multiply(left: &(BigUint, i64), right: &(BigUint, i64), precision: u64) -> (BigUint, i64) {
    let product = (&left.0).mul(&right.0);
    let exponent = left.1.saturating_add(right.1);
    let shift = product.bits().saturating_sub(precision);
    let Some(half) = shift.checked_sub(1) else {
        return (product, exponent);
    };
    let mut kept = (&product).shr(shift);
    let has_more = product.trailing_zeros().is_some_and(|zeros| zeros < half);
    if product.bit(half) && (has_more || kept.bit(0)) {
        kept.inc();
    }
    (kept, exponent.saturating_add_unsigned(shift))
}
