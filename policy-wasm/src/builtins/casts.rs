//! `to_number` and `cast_*`. Source: OPA, `topdown/casts.go`.

use super::{Builtin, CallError, Context, operand};
use crate::value::{Number, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("cast_array", cast_array),
    Builtin::new("cast_boolean", |_, arguments| cast(arguments, "boolean")),
    Builtin::new("cast_null", |_, arguments| cast(arguments, "null")),
    Builtin::new("cast_object", |_, arguments| cast(arguments, "object")),
    Builtin::new("cast_set", cast_set),
    Builtin::new("cast_string", |_, arguments| cast(arguments, "string")),
    Builtin::new("to_number", to_number),
];

type Answer = Result<Option<Value>, CallError>;

/// What is of that kind already.
fn cast(arguments: &[Value], kind: &str) -> Answer {
    let value = operand::any(arguments, 0)?;
    if value.type_name() != kind {
        return Err(operand::wrong(0, kind, value));
    }
    Ok(Some(value.clone()))
}

fn cast_array(context: &Context<'_>, arguments: &[Value]) -> Answer {
    Ok(Some(match operand::any(arguments, 0)? {
        array @ Value::Array(_) => array.clone(),
        Value::Set(set) => {
            context.budget.pay_bytes(set.len().saturating_mul(24))?;
            Value::array(set.to_vec())
        }
        other => return Err(operand::wrong(0, "one of {array, set}", other)),
    }))
}

fn cast_set(context: &Context<'_>, arguments: &[Value]) -> Answer {
    Ok(Some(match operand::any(arguments, 0)? {
        set @ Value::Set(_) => set.clone(),
        Value::Array(array) => {
            context.budget.pay_sorting(array)?;
            Value::set(array.to_vec())
        }
        other => return Err(operand::wrong(0, "one of {array, set}", other)),
    }))
}

fn to_number(context: &Context<'_>, arguments: &[Value]) -> Answer {
    Ok(Some(match operand::any(arguments, 0)? {
        Value::Null | Value::Bool(false) => Value::from(0_i64),
        Value::Bool(true) => Value::from(1_i64),
        number @ Value::Number(_) => number.clone(),
        Value::String(text) => {
            context.budget.pay_bytes(text.len().saturating_mul(4))?;
            number_of(text)?.into()
        }
        other => {
            return Err(operand::wrong(
                0,
                "one of {null, boolean, number, string}",
                other,
            ));
        }
    }))
}

fn number_of(text: &str) -> Result<Number, CallError> {
    let unsigned = text.trim_start_matches(['+', '-']);
    if ["inf", "infinity", "nan"]
        .iter()
        .any(|word| unsigned.eq_ignore_ascii_case(word))
    {
        return Err(CallError::Type(
            "operand 1 must be valid number string but got string".to_owned(),
        ));
    }
    let number = Number::parse(text).or_else(|| Number::parse(&as_json(text)?));
    let number = number.filter(|number| number.as_f64().is_finite());
    number.ok_or_else(|| CallError::new(format_args!("parsing {text:?}: invalid syntax")))
}

/// `+1`, `.5`, `5.`, `007` and `1_000` as JSON writes them.
pub(super) fn as_json(text: &str) -> Option<String> {
    if text.contains('_') {
        let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        let is_between = |window: &[u8]| {
            window.get(1) != Some(&b'_') || is_digit(window.first()) && is_digit(window.last())
        };
        let is_apart = !text.starts_with('_') && !text.ends_with('_');
        return (is_apart && text.as_bytes().windows(3).all(is_between))
            .then(|| as_json(&text.replace('_', "")))?;
    }
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let at = unsigned.find(['e', 'E']).unwrap_or(unsigned.len());
    let (mantissa, exponent) = unsigned.split_at_checked(at)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    if !has_digits || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}{exponent}"))
}
