//! A number's text, and its order, which needs no more than its digits.

use std::cmp::Ordering;

/// 30,103: the decimal place of 2^100,000, beyond which OPA reads no exponent.
const MAX_POINT: i64 = 30_103;
/// 19: digits of the longest text that OPA takes for a whole number of 64 bits.
const LONGEST_I64: usize = 19;

/// A number of JSON as it is written.
#[derive(Debug)]
pub struct Literal {
    text: Box<str>,
    is_negative: bool,
    is_zero: bool,
    /// Where the point stands, counted from the first digit that isn't 0: 3 for `123.4`, 0 for
    /// `0.5`, -1 for `0.05`.
    point: i64,
}

/// The pieces of a text.
struct Pieces<'a> {
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

impl Literal {
    /// Reads a number of JSON; its exponent is bounded as OPA bounds it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let pieces = Pieces::of(text)?;
        if !pieces.is_json() {
            return None;
        }
        let is_zero = pieces.leading_zeros().is_none();
        let point = pieces.point();
        let has_exponent = text.contains(['e', 'E']);
        if has_exponent && !is_zero && !(-MAX_POINT..=MAX_POINT).contains(&point) {
            return None;
        }
        Some(Self {
            text: text.into(),
            is_negative: text.starts_with('-'),
            is_zero,
            point: if is_zero { 0 } else { point },
        })
    }

    /// Whether JSON has such a number, however large its exponent is.
    pub(super) fn is_json(text: &str) -> bool {
        Pieces::of(text).is_some_and(|pieces| pieces.is_json())
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn is_negative(&self) -> bool {
        self.is_negative
    }

    pub(super) fn point(&self) -> i64 {
        self.point
    }

    /// Digits that it has when it is written out.
    pub(super) fn magnitude(&self) -> u64 {
        let digits = u64::try_from(self.text.len()).unwrap_or(u64::MAX);
        digits.max(self.point.unsigned_abs())
    }

    /// All digits from the first that isn't 0, and the power of ten that they are to be taken
    /// times.
    pub(super) fn scaled(&self) -> (impl Iterator<Item = u8> + Clone + '_, i64) {
        let scale = Pieces::of(&self.text).map_or(0, |pieces| {
            pieces.exponent.saturating_sub(length(pieces.fraction))
        });
        (self.digits(), scale)
    }

    /// Its digits from the first that isn't 0.
    pub(super) fn digits(&self) -> impl Iterator<Item = u8> + Clone + '_ {
        self.text
            .bytes()
            .take_while(|byte| !matches!(byte, b'e' | b'E'))
            .filter(u8::is_ascii_digit)
            .skip_while(|digit| *digit == b'0')
    }

    pub(super) fn is_integer(&self) -> bool {
        let point = usize::try_from(self.point).unwrap_or(0);
        self.digits().skip(point).all(|digit| digit == b'0')
    }

    /// Source: OPA, `util.Atoi64`: nothing but zeros after the point, no exponent, 19 characters.
    pub(super) fn as_i64(&self) -> Option<i64> {
        let unsigned = self.text.strip_prefix('-').unwrap_or(&self.text);
        if unsigned.len() > LONGEST_I64 {
            return None;
        }
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        if fraction.bytes().any(|digit| digit != b'0') {
            return None;
        }
        let signed = self
            .text
            .get(..self.text.len().saturating_sub(unsigned.len()))?;
        format!("{signed}{whole}").parse().ok()
    }

    /// By value.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        if self.text == other.text {
            return Ordering::Equal;
        }
        let by_sign = self.sign().cmp(&other.sign());
        if by_sign != Ordering::Equal || self.is_zero {
            return by_sign;
        }
        let by_size = self
            .point
            .cmp(&other.point)
            .then_with(|| compare_digits(self.digits(), other.digits()));
        if self.is_negative {
            by_size.reverse()
        } else {
            by_size
        }
    }

    /// By value.
    pub(super) fn compare_integer(&self, other: i64) -> Ordering {
        let by_sign = self.sign().cmp(&other.signum());
        if by_sign != Ordering::Equal || self.is_zero {
            return by_sign;
        }
        let whole = other.unsigned_abs();
        let places = i64::from(whole.checked_ilog10().unwrap_or(0)).saturating_add(1);
        let by_size = self.point.cmp(&places).then_with(|| {
            // as many digits as `other` has, at most 19
            let point = usize::try_from(self.point).unwrap_or(0);
            let digits = self.digits().chain(std::iter::repeat(b'0')).take(point);
            let start = digits.fold(0_u64, |number, digit| {
                number.wrapping_mul(10).wrapping_add(u64::from(digit & 15))
            });
            let has_fraction = self.digits().skip(point).any(|digit| digit != b'0');
            start.cmp(&whole).then(has_fraction.cmp(&false))
        });
        if self.is_negative {
            by_size.reverse()
        } else {
            by_size
        }
    }

    fn sign(&self) -> i64 {
        match (self.is_zero, self.is_negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}

/// Of two runs of digits that begin at the same place.
fn compare_digits(
    mut left: impl Iterator<Item = u8>,
    mut right: impl Iterator<Item = u8>,
) -> Ordering {
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (left, right) => match left.unwrap_or(b'0').cmp(&right.unwrap_or(b'0')) {
                Ordering::Equal => {}
                order => return order,
            },
        }
    }
}

impl<'a> Pieces<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(pieces) => pieces,
            None => (mantissa, ""),
        };
        Some(Self {
            whole,
            fraction,
            exponent,
        })
    }

    fn is_json(&self) -> bool {
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_whole =
            !self.whole.is_empty() && (self.whole.len() == 1 || !self.whole.starts_with('0'));
        is_whole && is_digits(self.whole) && is_digits(self.fraction)
    }

    fn digits(&self) -> impl Iterator<Item = u8> + '_ {
        self.whole.bytes().chain(self.fraction.bytes())
    }

    /// How many zeros come first; `None` if there is nothing else.
    fn leading_zeros(&self) -> Option<usize> {
        self.digits().position(|digit| digit != b'0')
    }

    fn point(&self) -> i64 {
        let zeros = self.leading_zeros().unwrap_or(0);
        length(self.whole)
            .saturating_sub(i64::try_from(zeros).unwrap_or(i64::MAX))
            .saturating_add(self.exponent)
    }
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

fn exponent_of(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // one that is beyond 64 bits is too large in any case
    let limit = if text.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    };
    Some(text.parse().unwrap_or(limit))
}
