//! Reads the values of keywords, and says what is wrong with them as the reference does.

use super::decimal::Decimal;
use crate::{
    builtins::CallError,
    value::{Object, Value},
};

pub(super) fn error(message: String) -> CallError {
    CallError::Builtin(message)
}

pub(super) fn invalid_type(expected: &str, given: &str) -> CallError {
    error(format!(
        "Invalid type. Expected: {expected}, given: {given}"
    ))
}

/// A text.
pub(super) fn text<'s>(object: &'s Object, key: &str) -> Result<Option<&'s str>, CallError> {
    let Some(value) = object.get_str(key) else {
        return Ok(None);
    };
    value
        .as_str()
        .map(Some)
        .ok_or_else(|| invalid_type("string", key))
}

/// A list.
pub(super) fn list<'s>(object: &'s Object, key: &str) -> Result<Option<&'s [Value]>, CallError> {
    match object.get_str(key) {
        None => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(_) => Err(error(format!("{key} must be of an array"))),
    }
}

/// A number.
pub(super) fn number(object: &Object, key: &str) -> Result<Option<Decimal>, CallError> {
    match object.get_str(key) {
        None => Ok(None),
        Some(Value::Number(number)) => Ok(Some(Decimal::new(number))),
        Some(_) => Err(error(format!("{key} must be of a Number"))),
    }
}

/// How many of something.
pub(super) fn count(object: &Object, key: &str) -> Result<Option<usize>, CallError> {
    let Some(value) = object.get_str(key) else {
        return Ok(None);
    };
    let wrong = || error(format!("{key} must be of an integer"));
    let number = value
        .as_number()
        .map(Decimal::new)
        .and_then(|number| number.as_i64());
    let number = number.ok_or_else(wrong)?;
    let negative = |_| error(format!("{key} must be greater than or equal to 0"));
    usize::try_from(number).map(Some).map_err(negative)
}
