//! `time.parse_duration_ns`: `1h30m`, `1.5d`. Source: Go, `time.ParseDuration`; days, weeks and years
//! of 24, 168 and 8760 hours: OPA.

/// Nanoseconds of a unit.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Hours of the units that Go doesn't have.
const LONG_UNITS: [(&str, f64); 3] = [("d", 24.0), ("w", 168.0), ("y", 8760.0)];

/// The least that is too much.
const LIMIT: u64 = 1 << 63;

/// Nanoseconds. `None`: it is no duration, or one of more than 292 years.
pub(super) fn parse(text: &str) -> Option<i64> {
    if text.contains(['d', 'w', 'y']) {
        return parse_short(&in_hours(text)?);
    }
    parse_short(text)
}

/// Days, weeks and years written as hours.
fn in_hours(text: &str) -> Option<String> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut out = text
        .get(..text.len().checked_sub(unsigned.len())?)?
        .to_owned();
    let mut rest = unsigned;
    while !rest.is_empty() {
        let digits;
        (digits, rest) = split(rest, |letter| letter.is_ascii_digit() || letter == '.');
        if digits.is_empty() {
            return None;
        }
        let unit = unit(rest)?;
        rest = rest.get(unit.len()..)?;
        let Some((_, hours)) = LONG_UNITS.iter().find(|(name, _)| *name == unit) else {
            out.push_str(digits);
            out.push_str(unit);
            continue;
        };
        let number: f64 = digits.parse().ok()?;
        if !number.is_finite() {
            return None;
        }
        out.push_str(&(number * hours).to_string());
        out.push('h');
    }
    Some(out)
}

/// The unit that a text begins with: one of two letters that is known, or any letter.
fn unit(text: &str) -> Option<&str> {
    let known = ["ms", "us", "\u{b5}s", "ns"];
    if let Some(unit) = known.into_iter().find(|unit| text.starts_with(unit)) {
        return Some(unit);
    }
    text.get(..1)
        .filter(|unit| unit.bytes().all(|byte| byte.is_ascii_lowercase()))
}

fn parse_short(text: &str) -> Option<i64> {
    let is_negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let part;
        (part, rest) = read_part(rest)?;
        total = total.checked_add(part).filter(|total| *total <= LIMIT)?;
    }
    if is_negative {
        return 0_i64.checked_sub_unsigned(total);
    }
    i64::try_from(total).ok()
}

/// A number and its unit, in nanoseconds; and what follows.
fn read_part(text: &str) -> Option<(u64, &str)> {
    let is_digit = |letter: char| letter.is_ascii_digit();
    let (whole, mut rest) = split(text, is_digit);
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        (fraction, rest) = split(after, is_digit);
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok().filter(|whole| *whole <= LIMIT)?
    };
    let (name, rest) = split(rest, |letter| !letter.is_ascii_digit() && letter != '.');
    let (_, unit) = UNITS.iter().find(|(unit, _)| *unit == name)?;
    let whole = whole.checked_mul(*unit).filter(|whole| *whole <= LIMIT)?;
    let part = whole.checked_add(fraction_of(fraction, *unit))?;
    (part <= LIMIT).then_some((part, rest))
}

/// As many digits of a fraction as fit, in nanoseconds; computed as Go computes them.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "rounds as Go's conversions do"
)]
fn fraction_of(digits: &str, unit: u64) -> u64 {
    let mut number = 0_u64;
    let mut scale = 1.0_f64;
    for digit in digits.bytes() {
        let value = u64::from(digit.saturating_sub(b'0'));
        let next = number
            .checked_mul(10)
            .and_then(|number| number.checked_add(value));
        let Some(next) = next.filter(|next| *next <= LIMIT) else {
            break;
        };
        number = next;
        scale *= 10.0;
    }
    (number as f64 * (unit as f64 / scale)) as u64
}

/// The longest start of such letters, and what follows.
fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|letter| !belongs(letter)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}
