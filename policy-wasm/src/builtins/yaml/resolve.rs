//! What a plain scalar of YAML means: a number, `true`, nothing, or a text.
//! Source: `go.yaml.in/yaml/v3`, `resolve.go`.

/// A scalar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scalar<'t> {
    Null,
    Bool(bool),
    /// A whole number of 64 bits, with a sign or without.
    Int(i128),
    Float(f64),
    Text(&'t str),
    /// `<<`
    Merge,
}

/// Reads a scalar that is written without quotes.
pub(super) fn resolve(text: &str) -> Scalar<'_> {
    let scalar = match text {
        "true" | "True" | "TRUE" => Some(Scalar::Bool(true)),
        "false" | "False" | "FALSE" => Some(Scalar::Bool(false)),
        "" | "~" | "null" | "Null" | "NULL" => Some(Scalar::Null),
        ".nan" | ".NaN" | ".NAN" => Some(Scalar::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            Some(Scalar::Float(f64::INFINITY))
        }
        "-.inf" | "-.Inf" | "-.INF" => Some(Scalar::Float(f64::NEG_INFINITY)),
        "<<" => Some(Scalar::Merge),
        _ => None,
    };
    let number = || match text.as_bytes().first() {
        Some(b'.') => finite(text).map(Scalar::Float),
        Some(b'0'..=b'9' | b'+' | b'-') => number(&text.replace('_', "")),
        _ => None,
    };
    scalar.or_else(number).unwrap_or(Scalar::Text(text))
}

/// The number that a text without its underscores is.
fn number<'t>(plain: &str) -> Option<Scalar<'t>> {
    if let Some(int) = int(plain) {
        return Some(Scalar::Int(int));
    }
    is_float(plain)
        .then(|| finite(plain))
        .flatten()
        .map(Scalar::Float)
}

/// A float, if it is no larger than floats are.
fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|float: &f64| float.is_finite())
}

/// As Go reads it: decimal, or with `0x`, `0b`, `0o` or `0` before it.
fn int(text: &str) -> Option<i128> {
    let (digits, sign) = match text.as_bytes().first() {
        Some(b'-') => (text.get(1..)?, -1),
        Some(b'+') => (text.get(1..)?, 1),
        _ => (text, 1),
    };
    let lower = digits.get(..2).map(str::to_ascii_lowercase);
    let (digits, base) = match lower.as_deref() {
        Some("0x") => (digits.get(2..)?, 16),
        Some("0b") => (digits.get(2..)?, 2),
        Some("0o") => (digits.get(2..)?, 8),
        Some(_) if digits.starts_with('0') => (digits.get(1..)?, 8),
        _ => (digits, 10),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let number = i128::from_str_radix(digits, base).ok()?.checked_mul(sign)?;
    let most = if text.starts_with(['+', '-']) {
        i128::from(i64::MAX)
    } else {
        i128::from(u64::MAX)
    };
    (i128::from(i64::MIN)..=most)
        .contains(&number)
        .then_some(number)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(place) => {
            let (mantissa, exponent) = text.split_at_checked(place).unwrap_or_default();
            (mantissa, exponent.get(1..))
        }
        None => (text, None),
    };
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    let is_exponent = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !digits.is_empty() && are_digits(digits)
    });
    has_digits && are_digits(whole) && are_digits(fraction) && is_exponent
}

/// What YAML 1.1 reads as a truth value, so that it is quoted.
pub(super) fn is_old_bool(text: &str) -> bool {
    const OLD: &[&str] = &[
        "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off",
        "OFF",
    ];
    OLD.contains(&text)
}

/// What YAML 1.1 reads as a number with the base 60, so that it is quoted.
/// `[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?`
pub(super) fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let are_digits = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let (text, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = text.split(':');
    let first = groups.next().unwrap_or_default();
    let is_first = first.starts_with(|digit: char| digit.is_ascii_digit()) && are_digits(first);
    let is_group = |group: &str| match group.as_bytes() {
        [digit] => digit.is_ascii_digit(),
        [ten, digit] => (b'0'..=b'5').contains(ten) && digit.is_ascii_digit(),
        _ => false,
    };
    let mut groups = groups.peekable();
    are_digits(fraction) && is_first && groups.peek().is_some() && groups.all(is_group)
}

/// What YAML 1.1 reads as a moment, so that it is quoted.
pub(super) fn is_timestamp(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let year = parts.next().unwrap_or_default();
    let is_number = |text: &str, most: usize| {
        !text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if year.len() != 4 || !is_number(year, 4) {
        return false;
    }
    let Some(month) = parts.next().filter(|month| is_number(month, 2)) else {
        return false;
    };
    let rest = parts.next().unwrap_or_default();
    let end = rest
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(rest.len());
    let (day, time) = rest.split_at_checked(end).unwrap_or_default();
    if !is_number(day, 2) || !is_day(year, month, day) {
        return false;
    }
    let separator = time.chars().next();
    let time = time.get(1..).unwrap_or_default();
    match separator {
        None => true,
        Some('T' | 't') => {
            let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
            let (time, zone) = time.split_at_checked(zone).unwrap_or_default();
            is_time(time) && is_zone(zone)
        }
        Some(' ') => is_time(time),
        Some(_) => false,
    }
}

fn is_day(year: &str, month: &str, day: &str) -> bool {
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    let (year, month, day) = (number(year), number(month), number(day));
    let divides = |by: u32| year.checked_rem(by) == Some(0);
    let days = match month {
        2 if divides(4) && !divides(100) || month == 2 && divides(400) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// `15:4:5.999999999`, where only the hour may not be short.
fn is_time(text: &str) -> bool {
    let (text, fraction) = match text.split_once(['.', ',']) {
        Some((text, fraction)) => (text, Some(fraction)),
        None => (text, None),
    };
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let below = |text: &str, most: u32| {
        (1..=2).contains(&text.len())
            && are_digits(text)
            && text.parse::<u32>().is_ok_and(|n| n < most)
    };
    let mut parts = text.split(':');
    let (hour, minute, second) = (parts.next(), parts.next(), parts.next());
    parts.next().is_none()
        && hour.is_some_and(|hour| below(hour, 24))
        && minute.is_some_and(|minute| below(minute, 60))
        && second.is_some_and(|second| below(second, 60))
        && fraction.is_none_or(|fraction| !fraction.is_empty() && are_digits(fraction))
}

fn is_zone(text: &str) -> bool {
    let is_pair = |text: &[u8]| text.len() == 2 && text.iter().all(u8::is_ascii_digit);
    match text.as_bytes() {
        [b'Z'] => true,
        [b'+' | b'-', hour @ .., b':', ten, one] => is_pair(hour) && is_pair(&[*ten, *one]),
        _ => false,
    }
}
