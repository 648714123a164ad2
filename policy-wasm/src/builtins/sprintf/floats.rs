//! Floats of 64 bits. Source: Go, `strconv.AppendFloat` and `fmt/format.go`.

use super::{Argument, Printer, Written};

/// 1,100: decimals after which every float of 64 bits has but zeros.
const MAX_DECIMALS: usize = 1100;
/// 52: bits of a mantissa that are written down.
const MANTISSA_BITS: u32 = 52;
/// 1,075: what an exponent is written down with, and the bits of the mantissa.
const BIAS: i64 = 1075;

/// `0.digits × 10^point`, without zeros at the end.
struct Digits {
    digits: String,
    point: i64,
}

impl Printer<'_> {
    pub(super) fn put_float(&mut self, number: f64, verb: char) -> Written {
        let (shape, precision) = match verb {
            'v' => ('g', self.flags.precision),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, self.flags.precision),
            'f' | 'F' => ('f', Some(self.flags.precision.unwrap_or(6))),
            'e' | 'E' => (verb, Some(self.flags.precision.unwrap_or(6))),
            _ => return self.bad_verb(&Argument::Float(number), verb),
        };
        let size = number.abs();
        let mut text = match shape {
            'b' => binary(size),
            'f' => plain(size, precision.unwrap_or(0)),
            'e' | 'E' => exponential(size, precision.unwrap_or(0)),
            'g' | 'G' => general(size, precision),
            _ => hexadecimal(size, precision),
        };
        if verb.is_ascii_uppercase() {
            text.make_ascii_uppercase();
        }
        if self.flags.sharp && verb != 'b' {
            text = with_point(&text, shape, precision);
        }
        let sign = match (number.is_sign_negative(), self.flags.plus, self.flags.space) {
            (true, _, _) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let length = sign.len().saturating_add(text.len());
        let is_filled = self.flags.zero && !self.flags.minus && !sign.is_empty();
        let missing = self.flags.width.unwrap_or(0).saturating_sub(length);
        if is_filled && missing > 0 {
            self.output.push_str(sign)?;
            self.fill(b'0', missing)?;
            return Ok(self.output.push_str(&text)?);
        }
        self.put_text(&format!("{sign}{text}"))
    }
}

/// `123.450000`
fn plain(number: f64, precision: usize) -> String {
    let text = format!("{number:.*}", precision.min(MAX_DECIMALS));
    text + &"0".repeat(precision.saturating_sub(MAX_DECIMALS))
}

/// `1.234500e+02`
fn exponential(number: f64, precision: usize) -> String {
    let text = format!("{number:.*e}", precision.min(MAX_DECIMALS));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let zeros = "0".repeat(precision.saturating_sub(MAX_DECIMALS));
    format!(
        "{mantissa}{zeros}{}",
        exponent_of(exponent.parse().unwrap_or(0), 'e')
    )
}

fn exponent_of(exponent: i64, letter: char) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{letter}{sign}{:02}", exponent.unsigned_abs())
}

impl Digits {
    /// As many as the precision says, or as are needed to tell the number from its neighbours.
    fn of(number: f64, precision: Option<usize>) -> Self {
        let text = match precision {
            Some(count) => format!("{number:.*e}", count.saturating_sub(1).min(MAX_DECIMALS)),
            None => format!("{number:e}"),
        };
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let digits = mantissa.replace('.', "");
        let exponent: i64 = exponent.parse().unwrap_or(0);
        Self {
            digits: digits.trim_end_matches('0').to_owned(),
            point: if number == 0.0 {
                0
            } else {
                exponent.saturating_add(1)
            },
        }
    }

    fn count(&self) -> i64 {
        i64::try_from(self.digits.len()).unwrap_or(i64::MAX)
    }
}

/// With an exponent if that is large. `None`: as short as can be.
fn general(number: f64, precision: Option<usize>) -> String {
    let precision = precision.map(|precision| precision.max(1));
    let digits = Digits::of(number, precision);
    let wanted = precision.map(|precision| i64::try_from(precision).unwrap_or(i64::MAX));
    let limit = match wanted {
        None => 6,
        Some(wanted) if wanted > digits.count() && digits.count() >= digits.point => digits.count(),
        Some(wanted) => wanted,
    };
    let exponent = digits.point.saturating_sub(1);
    if exponent < -4 || exponent >= limit {
        let (first, rest) = digits.digits.split_at_checked(1).unwrap_or(("0", ""));
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{first}{point}{rest}{}", exponent_of(exponent, 'e'));
    }
    let Ok(point) = usize::try_from(digits.point) else {
        let zeros = "0".repeat(usize::try_from(digits.point.unsigned_abs()).unwrap_or(0));
        return format!("0.{zeros}{}", digits.digits);
    };
    match digits.digits.split_at_checked(point) {
        Some(("", "")) => "0".to_owned(),
        Some(("", fraction)) => format!("0.{fraction}"),
        Some((whole, "")) => whole.to_owned(),
        Some((whole, fraction)) => format!("{whole}.{fraction}"),
        None => format!("{:0<point$}", digits.digits),
    }
}

/// A mantissa and an exponent of two: the number is `mantissa × 2^exponent`.
fn parts(number: f64) -> (u64, i64) {
    let bits = number.to_bits();
    let fraction = bits & ((1 << MANTISSA_BITS) - 1);
    match (bits >> MANTISSA_BITS) & 0x7ff {
        0 => (fraction, 1_i64.saturating_sub(BIAS)),
        written => (
            fraction | (1 << MANTISSA_BITS),
            i64::try_from(written).unwrap_or(0).saturating_sub(BIAS),
        ),
    }
}

/// `4503599627370496p-52`
fn binary(number: f64) -> String {
    let (mantissa, exponent) = parts(number);
    let sign = if exponent < 0 { "" } else { "+" };
    format!("{mantissa}p{sign}{exponent}")
}

/// `0x1.8p+01`
fn hexadecimal(number: f64, precision: Option<usize>) -> String {
    let (mantissa, exponent) = parts(number);
    let shift = mantissa.leading_zeros();
    // the first digit is 1: it has the highest of 61 bits, each of the 15 others has four
    let mut bits = mantissa.checked_shl(shift).unwrap_or(0) >> 3;
    let mut exponent = match bits {
        0 => 0,
        _ => exponent.saturating_sub(i64::from(shift)).saturating_add(63),
    };
    if let Some(precision) = precision.and_then(|count| u32::try_from(count).ok())
        && precision < 15
    {
        let dropped = 60_u32.saturating_sub(precision.saturating_mul(4));
        let half = 1_u64.wrapping_shl(dropped.saturating_sub(1));
        let rest = bits & half.saturating_mul(2).saturating_sub(1);
        let is_odd = bits.wrapping_shr(dropped) & 1 == 1;
        bits = bits.wrapping_shr(dropped);
        if rest > half || rest == half && is_odd {
            bits = bits.saturating_add(1);
        }
        bits = bits.wrapping_shl(dropped);
        if bits >> 61 != 0 {
            bits >>= 1;
            exponent = exponent.saturating_add(1);
        }
    }
    let digits = format!("{:015x}", bits & ((1 << 60) - 1));
    let digits = match precision {
        None => digits.trim_end_matches('0').to_owned(),
        Some(count) if count <= digits.len() => digits.get(..count).unwrap_or("").to_owned(),
        Some(count) => format!("{digits}{}", "0".repeat(count.saturating_sub(digits.len()))),
    };
    let point = if digits.is_empty() { "" } else { "." };
    format!(
        "0x{}{point}{digits}{}",
        bits >> 60,
        exponent_of(exponent, 'p')
    )
}

/// With a point in any case, and the zeros at the end that `g` leaves out.
fn with_point(text: &str, shape: char, precision: Option<usize>) -> String {
    let is_hexadecimal = matches!(shape, 'x' | 'X');
    let ends: &[char] = if is_hexadecimal {
        &['p', 'P']
    } else {
        &['e', 'E']
    };
    let (number, exponent) = text
        .split_at_checked(text.find(ends).unwrap_or(text.len()))
        .unwrap_or((text, ""));
    let mut missing = match shape {
        'g' | 'G' | 'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let digits = number.bytes().filter(|byte| *byte != b'.');
    missing = missing.saturating_sub(digits.skip_while(|digit| *digit == b'0').count());
    let point = if number.contains('.') {
        ""
    } else {
        if number == "0" {
            missing = missing.saturating_sub(1);
        }
        "."
    };
    format!("{number}{point}{}{exponent}", "0".repeat(missing))
}
