//! Writes floats with the fewest digits that read back as the same one.
//! Source: Go, `Float.Text`, as OPA calls it in `FloatToNumber`.

use std::ops::{Mul, Shl};

use num_bigint::BigUint;
use num_traits::Pow;

use super::{MAX_DIGITS, Number, NumberError, float::Float};

/// 6: places before the point from which an exponent is written. Source: Go, `Float.Append`.
const PLACES_BEFORE_EXPONENT: i64 = 6;
/// -4: the lowest exponent that is written with zeros instead.
const LOWEST_PLAIN_EXPONENT: i64 = -4;

/// `0.digits × 10^point`, without zeros at the end.
struct Decimal {
    digits: Vec<u8>,
    point: i64,
}

impl Number {
    /// What OPA makes of a float.
    /// Errors: `TooLarge`.
    pub(super) fn of_float(float: Float) -> Result<Self, NumberError> {
        let text = if float.is_integer() {
            if let Ok(number) = i64::try_from(&float.truncate()?)
                && (number != 0 || !float.is_negative)
                && is_exact(float)
            {
                return Ok(Self::Int(number));
            }
            shortest(float)?.plain()
        } else {
            shortest(float)?.general()
        };
        let sign = if float.is_negative { "-" } else { "" };
        Self::parse(&format!("{sign}{text}")).ok_or(NumberError::TooLarge)
    }
}

/// Whether no shorter text than all its digits would do: the digits end before the mantissa does.
fn is_exact(float: Float) -> bool {
    let unused = 64_u32.saturating_sub(float.precision);
    float.is_zero() || float.exponent.saturating_add(i64::from(unused)) <= 0
}

impl Decimal {
    /// `number × 2^exponent`, exactly.
    fn of(number: u128, exponent: i64) -> Result<Self, NumberError> {
        let zeros = number.trailing_zeros();
        let odd = BigUint::from(number.checked_shr(zeros).unwrap_or(0));
        let exponent = exponent.saturating_add(i64::from(zeros));
        let size = exponent.unsigned_abs();
        if size > MAX_DIGITS.saturating_mul(3) {
            return Err(NumberError::TooLarge);
        }
        let (scaled, shift) = if exponent >= 0 {
            (odd.shl(size), 0)
        } else {
            (odd.mul(BigUint::from(5_u32).pow(size)), exponent)
        };
        let mut digits = scaled.to_string().into_bytes();
        let point = i64::try_from(digits.len())
            .unwrap_or(i64::MAX)
            .saturating_add(shift);
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        Ok(Self { digits, point })
    }

    fn digit(&self, place: usize) -> u8 {
        self.digits.get(place).copied().unwrap_or(b'0')
    }

    fn round_down(&mut self, count: usize) {
        self.digits.truncate(count);
        while self.digits.last() == Some(&b'0') {
            self.digits.pop();
        }
    }

    fn round_up(&mut self, count: usize) {
        self.digits.truncate(count);
        while self.digits.last() == Some(&b'9') {
            self.digits.pop();
        }
        if let Some(digit) = self.digits.last_mut() {
            *digit = digit.saturating_add(1);
        } else {
            self.digits.push(b'1');
            self.point = self.point.saturating_add(1);
        }
    }

    /// To the nearest, ties to even.
    fn round(&mut self, count: usize) {
        let is_last = count.saturating_add(1) == self.digits.len();
        let is_up = if self.digit(count) == b'5' && is_last {
            self.digit(count.saturating_sub(1)) & 1 == 1
        } else {
            self.digit(count) >= b'5'
        };
        if is_up {
            self.round_up(count);
        } else {
            self.round_down(count);
        }
    }

    fn text(&self, from: usize, to: usize) -> String {
        (from..to)
            .map(|place| char::from(self.digit(place)))
            .collect()
    }

    /// `123.45`
    fn plain(&self) -> String {
        let count = self.digits.len();
        let Ok(point) = usize::try_from(self.point) else {
            let places = usize::try_from(self.point.unsigned_abs()).unwrap_or(0);
            return format!("0.{}{}", "0".repeat(places), self.text(0, count));
        };
        let whole = if point == 0 {
            "0".to_owned()
        } else {
            self.text(0, point)
        };
        if point < count {
            format!("{whole}.{}", self.text(point, count))
        } else {
            whole
        }
    }

    /// `123.45`, or `1.2345e+20` if its exponent is large.
    fn general(&self) -> String {
        let exponent = self.point.saturating_sub(1);
        if (LOWEST_PLAIN_EXPONENT..PLACES_BEFORE_EXPONENT).contains(&exponent) {
            return self.plain();
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        let size = exponent.unsigned_abs();
        let rest = self.text(1, self.digits.len());
        let dot = if rest.is_empty() { "" } else { "." };
        format!("{}{dot}{rest}e{sign}{size:02}", self.text(0, 1))
    }
}

/// The shortest decimal between the halves of the way to its neighbours.
fn shortest(float: Float) -> Result<Decimal, NumberError> {
    if float.is_zero() {
        return Ok(Decimal {
            digits: Vec::new(),
            point: 0,
        });
    }
    let unused = 64_u32.saturating_sub(float.precision);
    // its last bit is half of the mantissa's
    let doubled = u128::from(float.mantissa)
        .wrapping_shl(1)
        .wrapping_shr(unused);
    let exponent = float
        .exponent
        .saturating_sub(1)
        .saturating_add(i64::from(unused));
    let mut decimal = Decimal::of(doubled, exponent)?;
    let lower = Decimal::of(doubled.saturating_sub(1), exponent)?;
    let upper = Decimal::of(doubled.saturating_add(1), exponent)?;
    let is_even = doubled & 2 == 0;
    for place in 0..decimal.digits.len() {
        let next = place.saturating_add(1);
        let (digit, below, above) = (decimal.digit(place), lower.digit(place), upper.digit(place));
        let may_go_down = below != digit || is_even && next == lower.digits.len();
        let may_go_up = digit != above
            && (is_even || digit.saturating_add(1) < above || next < upper.digits.len());
        match (may_go_down, may_go_up) {
            (true, true) => decimal.round(next),
            (true, false) => decimal.round_down(next),
            (false, true) => decimal.round_up(next),
            (false, false) => continue,
        }
        break;
    }
    Ok(decimal)
}
