//! Floats as Go writes them.

/// The digits of a float, as few as say which one it is, and the place of its first digit.
fn digits(float: f64) -> (bool, String, i32) {
    let text = format!("{float:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let is_negative = mantissa.starts_with('-');
    let digits = mantissa.chars().filter(char::is_ascii_digit).collect();
    (is_negative, digits, exponent.parse().unwrap_or(0))
}

/// `1.5e+20`; Go's `%e`.
fn scientific(float: f64, width: usize) -> String {
    let (is_negative, digits, exponent) = digits(float);
    let (first, rest) = digits.split_at_checked(1).unwrap_or(("0", ""));
    let sign = if is_negative { "-" } else { "" };
    let point = if rest.is_empty() { "" } else { "." };
    let direction = if exponent < 0 { '-' } else { '+' };
    let size = exponent.unsigned_abs();
    format!("{sign}{first}{point}{rest}e{direction}{size:0width$}")
}

/// As JSON has it. `None`: JSON has no infinity.
pub(in crate::builtins) fn json(float: f64) -> Option<String> {
    if !float.is_finite() {
        return None;
    }
    let size = float.abs();
    Some(if size != 0.0 && !(1e-6..1e21).contains(&size) {
        scientific(float, 1)
    } else {
        float.to_string()
    })
}

/// Go's `%g`.
pub(super) fn general(float: f64) -> String {
    if float.is_nan() {
        return ".nan".to_owned();
    }
    if float.is_infinite() {
        return if float < 0.0 { "-.inf" } else { ".inf" }.to_owned();
    }
    let (_, _, exponent) = digits(float);
    if (-4..6).contains(&exponent) {
        float.to_string()
    } else {
        scientific(float, 2)
    }
}

/// The same for the nearest float of 32 bits, as the names of entries are written.
pub(super) fn general_of_32_bits(float: f64) -> String {
    let short: f32 = float.to_string().parse().unwrap_or(f32::NAN);
    let short: f64 = short.to_string().parse().unwrap_or(f64::NAN);
    general(short)
}
