//! Numbers as OPA has them: as exact as they were written.

use std::{cmp::Ordering, fmt, sync::Arc};

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
    /// A whole number.
    Int(i64),
    /// Any other, with its text.
    Float(Arc<(f64, Box<str>)>),
}

impl Number {
    /// A number of JSON.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(number) = text.parse() {
            return Some(Self::Int(number));
        }
        Some(Self::Float(Arc::new((text.parse().ok()?, text.into()))))
    }

    /// What it weighs besides its 8 bytes.
    pub(crate) fn extra_bytes(&self) -> u64 {
        match self {
            Self::Int(_) => 0,
            Self::Float(float) => u64::try_from(float.1.len()).unwrap_or(u64::MAX),
        }
    }

    /// The whole number that it is, if it is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Float(_) => None,
        }
    }

    /// The place in an array that it is, if it is one.
    pub fn as_index(&self) -> Option<usize> {
        usize::try_from(self.as_i64()?).ok()
    }

    /// The nearest float.
    #[expect(clippy::as_conversions, reason = "rounds")]
    pub fn as_f64(&self) -> f64 {
        match self {
            Self::Int(number) => *number as f64,
            Self::Float(float) => float.0,
        }
    }
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
            Self::Float(float) => formatter.write_str(&float.1),
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => left.cmp(right),
            _ => self.as_f64().total_cmp(&other.as_f64()),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}
