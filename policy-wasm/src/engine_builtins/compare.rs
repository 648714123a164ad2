//! `internal.compare`, which `<`, `<=`, `>` and `>=` become a call of where sets or objects may meet.
//!
//! To the engine a set comes before an object; to OPA it comes after.

use std::cmp::Ordering;

use regorus::Value;

use crate::{input::weight_of, steps};

pub(crate) const NAME: &str = "internal.compare";
/// 256 KiB: what one side of a comparison may weigh.
const SIDE_BYTES: usize = 256 * 1024;
/// 64: weight that a step pays for.
const WEIGHT_PER_STEP: usize = 64;

/// Why there is no order.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompareError {
    #[error("a comparison would read more than it may")]
    TooMuch,
    #[error("the steps are spent")]
    Spent,
}

/// -1, 0 or 1.
/// Errors: values that are too large.
pub(crate) fn call(arguments: &[Value]) -> Result<Value, CompareError> {
    let [left, right] = arguments else {
        return Ok(Value::Undefined);
    };
    for side in [left, right] {
        let weight = weight_of(side, SIDE_BYTES).ok_or(CompareError::TooMuch)?;
        let cost = u64::try_from(weight / WEIGHT_PER_STEP).unwrap_or(u64::MAX);
        if !steps::charge(cost) {
            return Err(CompareError::Spent);
        }
    }
    Ok(Value::from(match compare(left, right) {
        Ordering::Less => -1_i64,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }))
}

/// OPA's order. Its weight bounds how deep a value nests.
fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => each(left.iter(), right.iter()),
        (Value::Set(left), Value::Set(right)) => each(left.iter_sorted(), right.iter_sorted()),
        (Value::Object(left), Value::Object(right)) => {
            let flat = |(name, value)| [name, value];
            each(
                left.iter_sorted().flat_map(flat),
                right.iter_sorted().flat_map(flat),
            )
        }
        _ => match rank(left).cmp(&rank(right)) {
            Ordering::Equal => left.cmp(right),
            order => order,
        },
    }
}

fn each<'a>(
    mut left: impl Iterator<Item = &'a Value>,
    mut right: impl Iterator<Item = &'a Value>,
) -> Ordering {
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(left), Some(right)) => match compare(left, right) {
                Ordering::Equal => {}
                order => return order,
            },
        }
    }
}

/// The order of kinds. Source: OPA, "Policy Reference", comparison.
const fn rank(value: &Value) -> u8 {
    match value {
        Value::Undefined => 0,
        Value::Null => 1,
        Value::Bool(_) => 2,
        Value::Number(_) => 3,
        Value::String(_) => 4,
        Value::Array(_) => 5,
        Value::Object(_) => 6,
        Value::Set(_) => 7,
    }
}
