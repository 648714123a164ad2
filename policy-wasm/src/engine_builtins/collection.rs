//! `internal.collection`, which `some … in` asks for what it goes through.

use regorus::Value;

pub(crate) const NAME: &str = "internal.collection";

/// The value itself, if it is an array, a set or an object.
pub(crate) fn call(arguments: &[Value]) -> Value {
    match arguments {
        [value @ (Value::Array(_) | Value::Set(_) | Value::Object(_))] => value.clone(),
        _ => Value::Undefined,
    }
}
