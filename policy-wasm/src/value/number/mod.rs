//! Numbers as OPA has them: whole ones are exact, others have 64 bits, and a literal keeps its text.
//!
//! [`arithmetic`] calculates, [`float`] holds what is not whole, [`literal`] reads and compares
//! texts, [`decimal`] writes floats.

mod arithmetic;
mod decimal;
mod float;
mod integer;
mod literal;
#[cfg(test)]
mod tests;
mod total;

use std::{cmp::Ordering, fmt, sync::Arc};

use literal::Literal;

/// 4,096: digits of the largest number that is calculated with; more are kept, compared and written.
const MAX_DIGITS: u64 = 4096;

/// Why there is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// `x / 0`
    #[error("divide by zero")]
    DivideByZero,
    /// `x % 0`
    #[error("modulo by zero")]
    ModuloByZero,
    /// `x % 0.5`
    #[error("modulo on floating-point number")]
    ModuloOfFraction,
    /// More digits than a number may have.
    #[error("the number is too large")]
    TooLarge,
}

/// A number. Whole ones of 64 bits stand by themselves.
#[derive(Debug, Clone)]
pub enum Number {
    /// A whole number, written without a point or an exponent.
    Int(i64),
    /// Any other, as its text.
    Text(Arc<Literal>),
}

impl Number {
    /// A number of JSON. `None`: it is not one, or beyond 10^30103. Source: OPA, `NumberChecked`.
    pub fn parse(text: &str) -> Option<Self> {
        match plain_integer(text) {
            Some(number) => Some(Self::Int(number)),
            None => Some(Self::Text(Arc::new(Literal::parse(text)?))),
        }
    }

    /// Whether JSON has such a number, however large it is.
    pub(crate) fn is_json(text: &str) -> bool {
        Literal::is_json(text)
    }

    /// What it weighs besides its 8 bytes.
    pub(crate) fn extra_bytes(&self) -> u64 {
        match self {
            Self::Int(_) => 0,
            Self::Text(literal) => u64::try_from(literal.text().len()).unwrap_or(u64::MAX),
        }
    }

    /// Steps that calculating with it takes, besides the one for the call. Digits are converted in
    /// time that grows with their square.
    pub(crate) fn work(&self) -> u64 {
        match self {
            Self::Int(_) => 0,
            Self::Text(literal) => {
                let digits = literal.magnitude().min(MAX_DIGITS.saturating_mul(4));
                let length = self.extra_bytes();
                (digits.saturating_mul(digits) / 8192).saturating_add(length / 32)
            }
        }
    }

    /// The whole number of 64 bits that it is: `1` and `1.0`, not `1e0`. Source: OPA, `Number.Int64`.
    #[inline]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Text(literal) => literal.as_i64(),
        }
    }

    /// The place in an array that it is, if it is one.
    #[inline]
    pub fn as_index(&self) -> Option<usize> {
        usize::try_from(self.as_i64()?).ok()
    }

    /// The nearest float; infinite if it is beyond all of them.
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "rounds")]
    pub fn as_f64(&self) -> f64 {
        match self {
            Self::Int(number) => *number as f64,
            Self::Text(literal) => literal.text().parse().unwrap_or(f64::NAN),
        }
    }

    /// Whether it has no fraction: `1`, `1.0` and `1e3`.
    pub fn is_integer(&self) -> bool {
        match self {
            Self::Int(_) => true,
            Self::Text(literal) => literal.is_integer(),
        }
    }

    /// Whether it is written with a point or an exponent. Source: OPA, `sprintf`.
    pub(crate) fn is_written_as_float(&self) -> bool {
        match self {
            Self::Int(_) => false,
            Self::Text(literal) => literal.text().contains(['.', 'e', 'E']),
        }
    }
}

/// A text that `i64` writes just so.
fn plain_integer(text: &str) -> Option<i64> {
    let is_plain = match text.strip_prefix('-').unwrap_or(text).as_bytes() {
        [b'0'] => text.len() == 1,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if is_plain { text.parse().ok() } else { None }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or_else(
            |_| Self::parse(&number.to_string()).unwrap_or(Self::Int(i64::MAX)),
            Self::Int,
        )
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => number.fmt(formatter),
            Self::Text(literal) => formatter.write_str(literal.text()),
        }
    }
}

impl Ord for Number {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => left.cmp(right),
            (Self::Int(left), Self::Text(right)) => right.compare_integer(*left).reverse(),
            (Self::Text(left), Self::Int(right)) => left.compare_integer(*right),
            (Self::Text(left), Self::Text(right)) => left.compare(right),
        }
    }
}

impl PartialOrd for Number {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}
