//! Numbers of schemas, exact as far as they have 38 digits, and JSON without ways of writing numbers.

use std::cmp::Ordering;

use crate::value::{Number, Value};

/// A number, split so that it can be divided exactly.
#[derive(Clone)]
pub(super) struct Decimal {
    number: Number,
    /// Digits and the power of ten. `None`: too many digits.
    parts: Option<(i128, i32)>,
}

impl Decimal {
    pub(super) fn new(number: &Number) -> Self {
        Self {
            parts: parts(&number.to_string()),
            number: number.clone(),
        }
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.number.cmp(&other.number)
    }

    pub(super) fn is_positive(&self) -> bool {
        self.number > Number::from(0_i64)
    }

    pub(super) fn is_whole(&self) -> bool {
        match self.parts {
            Some((digits, power)) => digits == 0 || power >= 0,
            None => self.number.as_f64().fract() == 0.0,
        }
    }

    /// The whole number of 64 bits that it is.
    pub(super) fn as_i64(&self) -> Option<i64> {
        let (digits, power) = self.parts?;
        let scale = 10_i128.checked_pow(u32::try_from(power).ok()?)?;
        i64::try_from(digits.checked_mul(scale)?).ok()
    }

    pub(super) fn is_multiple_of(&self, other: &Self) -> bool {
        let exact = || {
            let ((digits, power), (by, by_power)) = (self.parts?, other.parts?);
            let lowest = power.min(by_power);
            let scaled = |digits: i128, power: i32| {
                let places = u32::try_from(power.checked_sub(lowest)?).ok()?;
                digits.checked_mul(10_i128.checked_pow(places)?)
            };
            scaled(digits, power)?.checked_rem(scaled(by, by_power)?)
        };
        match exact() {
            Some(rest) => rest == 0,
            None => (self.number.as_f64() / other.number.as_f64()).fract() == 0.0,
        }
    }

    /// As Go writes it: `100`, `1.5e+10`.
    pub(super) fn text(&self) -> String {
        let Some((number, power)) = self.parts.filter(|(number, _)| *number != 0) else {
            return self.number.to_string();
        };
        let sign = if number < 0 { "-" } else { "" };
        let digits = number.unsigned_abs().to_string();
        let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
        // Of the first digit.
        let exponent = power.saturating_add(count).saturating_sub(1);
        let size = usize::try_from(exponent.unsigned_abs()).unwrap_or(0);
        if !(-4..6).contains(&exponent) {
            let (first, rest) = digits.split_at_checked(1).unwrap_or_default();
            let point = if rest.is_empty() { "" } else { "." };
            let direction = if exponent < 0 { '-' } else { '+' };
            return format!("{sign}{first}{point}{rest}e{direction}{size:02}");
        }
        if exponent < 0 {
            let zeros = "0".repeat(size.saturating_sub(1));
            return format!("{sign}0.{zeros}{digits}");
        }
        let whole = size.saturating_add(1);
        match digits.split_at_checked(whole) {
            Some((digits, "")) => format!("{sign}{digits}"),
            Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
            None => format!("{sign}{digits:0<whole$}"),
        }
    }
}

fn parts(text: &str) -> Option<(i128, i32)> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    let mut power = exponent.parse::<i32>().ok()?.checked_sub(places)?;
    while digits != 0 && digits.checked_rem(10) == Some(0) {
        digits = digits.checked_div(10)?;
        power = power.checked_add(1)?;
    }
    Some((digits, power))
}

/// JSON in which equal numbers are written alike, and markup is escaped. As deep as the value.
pub(super) fn plain_json(value: &Value) -> String {
    let mut text = String::new();
    push(&mut text, value);
    text
}

fn push(text: &mut String, value: &Value) {
    match value {
        Value::Number(number) => {
            let written = super::super::yaml::json_number(number.as_f64());
            text.push_str(&written.unwrap_or_else(|| number.to_string()));
        }
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                push(text, item);
            }
            text.push(']');
        }
        Value::Object(entries) => {
            text.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                push(text, key);
                text.push(':');
                push(text, value);
            }
            text.push('}');
        }
        other => {
            for character in other.to_json_text().chars() {
                match character {
                    '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                        let code = u32::from(character);
                        text.extend(["\\u", &format!("{code:04x}")]);
                    }
                    other => text.push(other),
                }
            }
        }
    }
}
