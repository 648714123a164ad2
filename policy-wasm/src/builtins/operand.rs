//! Arguments of a call, as what they must be.

use std::sync::Arc;

use super::CallError;
use crate::value::{Array, Number, Object, Set, Value};

/// The argument at a place from 0.
pub(super) fn any(arguments: &[Value], index: usize) -> Result<&Value, CallError> {
    let missing = || CallError::Type(format!("operand {} is missing", index.saturating_add(1)));
    arguments.get(index).ok_or_else(missing)
}

/// What OPA says of an argument of the wrong kind. `wanted`: `array`, `one of {array, set}`.
pub(super) fn wrong(index: usize, wanted: &str, value: &Value) -> CallError {
    let place = index.saturating_add(1);
    let got = value.type_name();
    CallError::Type(format!("operand {place} must be {wanted} but got {got}"))
}

/// A text.
pub(super) fn text(arguments: &[Value], index: usize) -> Result<&str, CallError> {
    let value = any(arguments, index)?;
    value.as_str().ok_or_else(|| wrong(index, "string", value))
}

/// A number.
pub(super) fn number(arguments: &[Value], index: usize) -> Result<&Number, CallError> {
    let value = any(arguments, index)?;
    value
        .as_number()
        .ok_or_else(|| wrong(index, "number", value))
}

/// A whole number of 64 bits; `1.0` is one.
pub(super) fn integer(arguments: &[Value], index: usize) -> Result<i64, CallError> {
    let number = number(arguments, index)?;
    let whole = number.as_i64().or_else(|| {
        let text = number.to_string();
        let (whole, fraction) = text.split_once('.')?;
        let is_whole = fraction.bytes().all(|byte| byte == b'0');
        whole.parse().ok().filter(|_| is_whole)
    });
    let place = index.saturating_add(1);
    let wrong = || {
        CallError::Type(format!(
            "operand {place} must be integer number but got floating-point number"
        ))
    };
    whole.ok_or_else(wrong)
}

/// An array.
pub(super) fn array(arguments: &[Value], index: usize) -> Result<&Arc<Array>, CallError> {
    let value = any(arguments, index)?;
    value.as_array().ok_or_else(|| wrong(index, "array", value))
}

/// A set.
pub(super) fn set(arguments: &[Value], index: usize) -> Result<&Arc<Set>, CallError> {
    let value = any(arguments, index)?;
    value.as_set().ok_or_else(|| wrong(index, "set", value))
}

/// An object.
pub(super) fn object(arguments: &[Value], index: usize) -> Result<&Arc<Object>, CallError> {
    let value = any(arguments, index)?;
    value
        .as_object()
        .ok_or_else(|| wrong(index, "object", value))
}
