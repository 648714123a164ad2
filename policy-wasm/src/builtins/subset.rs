//! `object.subset`. Source: OPA, "Policy Reference", `object.subset`.

use super::{CallError, Context, operand, tally::Tally};
use crate::{
    budget::Exhausted,
    value::{Array, Object, Set, Value},
};

pub(super) fn subset(
    context: &Context<'_>,
    arguments: &[Value],
) -> Result<Option<Value>, CallError> {
    let whole = operand::any(arguments, 0)?;
    let part = operand::any(arguments, 1)?;
    let mut tally = Tally::new(context.budget);
    let is_subset = match (whole, part) {
        (Value::Array(whole), Value::Set(part)) => all_among(&mut tally, whole, part)?,
        _ => nested(&mut tally, whole, part)?.ok_or_else(|| {
            CallError::Type(
                "both arguments object.subset must be of the same type or array and set".to_owned(),
            )
        })?,
    };
    Ok(Some(Value::from(is_subset)))
}

/// `None`: the two are no collections of the same kind. As deep as the values are.
fn nested(tally: &mut Tally<'_>, whole: &Value, part: &Value) -> Result<Option<bool>, Exhausted> {
    tally.add(16)?;
    Ok(Some(match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => of_object(tally, whole, part)?,
        (Value::Set(whole), Value::Set(part)) => of_set(tally, whole, part)?,
        (Value::Array(whole), Value::Array(part)) => of_array(tally, whole, part)?,
        _ => return Ok(None),
    }))
}

fn of_object(tally: &mut Tally<'_>, whole: &Object, part: &Object) -> Result<bool, Exhausted> {
    for (key, value) in part.iter() {
        tally.find(key, whole.len())?;
        let Some(other) = whole.get(key) else {
            return Ok(false);
        };
        // Nothing but collections can hold without being equal.
        let holds = match nested(tally, other, value)? {
            Some(holds) => holds,
            None => tally.equal(other, value)?,
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

fn of_set(tally: &mut Tally<'_>, whole: &Set, part: &Set) -> Result<bool, Exhausted> {
    for member in part.iter() {
        tally.find(member, whole.len())?;
        if !whole.contains(member) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the items stand in the other array, one after another.
fn of_array(tally: &mut Tally<'_>, whole: &Array, part: &Array) -> Result<bool, Exhausted> {
    if part.is_empty() {
        return Ok(true);
    }
    for window in whole.windows(part.len()) {
        let mut pairs = window.iter().zip(part.iter());
        // An error ends the search too, and is handed on.
        let unequal = pairs.find_map(|(left, right)| match tally.equal(left, right) {
            Ok(true) => None,
            other => Some(other),
        });
        match unequal {
            None => return Ok(true),
            Some(found) => _ = found?,
        }
    }
    Ok(false)
}

/// OPA counts the items that are members, one that occurs twice too, and never looks at an array
/// without items.
fn all_among(tally: &mut Tally<'_>, whole: &Array, part: &Set) -> Result<bool, Exhausted> {
    let mut missing = part.len();
    for item in whole.iter() {
        tally.find(item, part.len())?;
        if part.contains(item) {
            missing = missing.saturating_sub(1);
        }
        if missing == 0 {
            return Ok(true);
        }
    }
    Ok(false)
}
