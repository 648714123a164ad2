//! `count`, `sum`, `max` and their kin, and `in`. Source: OPA, `topdown/aggregates.go`.

use super::{Builtin, CallError, Context, operand};
use crate::value::{Number, NumberError, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("count", count),
    Builtin::new("sum", sum),
    Builtin::new("product", product),
    Builtin::new("max", max),
    Builtin::new("min", min),
    Builtin::new("sort", sort),
    Builtin::new("all", all),
    Builtin::new("any", any),
    Builtin::new("internal.member_2", member),
    Builtin::new("internal.member_3", member_with_key),
];

/// 8: bytes that looking at a value without its members is paid as.
const LOOK_BYTES: usize = 8;
/// 32: bytes that a step pays for.
const BYTES_PER_STEP: u64 = 32;

type Answer = Result<Option<Value>, CallError>;

/// The members of an array or a set. `wanted`: as OPA names both.
fn members<'a>(arguments: &'a [Value], wanted: &str) -> Result<&'a [Value], CallError> {
    match operand::any(arguments, 0)? {
        Value::Array(array) => Ok(array),
        Value::Set(set) => Ok(set),
        other => Err(operand::wrong(0, wanted, other)),
    }
}

fn count(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let count = match operand::any(arguments, 0)? {
        Value::Array(array) => array.len(),
        Value::Set(set) => set.len(),
        Value::Object(object) => object.len(),
        Value::String(text) => {
            context.budget.pay_bytes(text.len())?;
            text.chars().count()
        }
        other => {
            return Err(operand::wrong(
                0,
                "one of {array, object, set, string}",
                other,
            ));
        }
    };
    Ok(Some(whole(count)))
}

/// A count or a place.
pub(super) fn whole(number: usize) -> Value {
    Value::from(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The members as numbers.
fn total<'a, Numbers>(
    context: &Context<'_>,
    arguments: &'a [Value],
    add_up: fn(Numbers) -> Result<Number, NumberError>,
    numbers: fn(&'a [Value]) -> Numbers,
) -> Answer {
    let value = operand::any(arguments, 0)?;
    let members = members(arguments, "one of {set, array}")?;
    let mut work = u64::try_from(members.len()).unwrap_or(u64::MAX) / 8;
    for member in members {
        let Some(number) = member.as_number() else {
            let (kind, got) = (value.type_name(), member.type_name());
            return Err(CallError::Type(format!(
                "operand 1 must be {kind} of numbers but got {kind} containing {got}"
            )));
        };
        work = work.saturating_add(number.work());
    }
    context.budget.pay(work)?;
    Ok(Some(add_up(numbers(members))?.into()))
}

fn sum(context: &Context<'_>, arguments: &[Value]) -> Answer {
    total(context, arguments, Number::sum, |members| {
        members.iter().filter_map(Value::as_number)
    })
}

fn product(context: &Context<'_>, arguments: &[Value]) -> Answer {
    total(context, arguments, Number::product, |members| {
        members.iter().filter_map(Value::as_number)
    })
}

/// Among equal ones the last of an array and the first of a set, as they may be written otherwise.
fn max(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let members = members(arguments, "one of {set, array}")?;
    context.budget.pay_value(operand::any(arguments, 0)?)?;
    Ok(members.iter().max().cloned())
}

fn min(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let members = members(arguments, "one of {set, array}")?;
    context.budget.pay_value(operand::any(arguments, 0)?)?;
    Ok(members.iter().rev().min().cloned())
}

fn sort(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let members = members(arguments, "one of {set, array}")?;
    context.budget.pay_sorting(members)?;
    let mut items = members.to_vec();
    items.sort();
    Ok(Some(Value::array(items)))
}

fn all(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let members = members(arguments, "one of {array, set}")?;
    context
        .budget
        .pay_bytes(members.len().saturating_mul(LOOK_BYTES))?;
    let is_all = members.iter().all(|member| member.as_bool() == Some(true));
    Ok(Some(Value::Bool(is_all)))
}

fn any(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let members = members(arguments, "one of {array, set}")?;
    context
        .budget
        .pay_bytes(members.len().saturating_mul(LOOK_BYTES))?;
    let is_any = members.iter().any(|member| member.as_bool() == Some(true));
    Ok(Some(Value::Bool(is_any)))
}

/// Pays for looking a value up among sorted ones.
fn pay_search(context: &Context<'_>, value: &Value, count: usize) -> Result<(), CallError> {
    let rounds = u64::from(count.checked_ilog2().unwrap_or(0)).saturating_add(1);
    let weight = value.size().weight / BYTES_PER_STEP;
    Ok(context.budget.pay(weight.saturating_mul(rounds))?)
}

/// `value in collection`
fn member(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let value = operand::any(arguments, 0)?;
    let is_member = match operand::any(arguments, 1)? {
        Value::Set(set) => {
            pay_search(context, value, set.len())?;
            set.contains(value)
        }
        Value::Array(array) => is_among(context, value, array.iter())?,
        Value::Object(object) => is_among(context, value, object.iter().map(|(_, value)| value))?,
        _ => false,
    };
    Ok(Some(Value::Bool(is_member)))
}

fn is_among<'a>(
    context: &Context<'_>,
    value: &Value,
    mut items: impl ExactSizeIterator<Item = &'a Value> + Clone,
) -> Result<bool, CallError> {
    context
        .budget
        .pay_bytes(items.len().saturating_mul(LOOK_BYTES))?;
    let weight = value.size().weight;
    let read = items.clone().fold(0_u64, |read, item| {
        read.saturating_add(item.size().weight.min(weight))
    });
    context.budget.pay(read / BYTES_PER_STEP)?;
    Ok(items.any(|item| item == value))
}

/// `key, value in collection`
fn member_with_key(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let key = operand::any(arguments, 0)?;
    let value = operand::any(arguments, 1)?;
    let collection = operand::any(arguments, 2)?;
    let count = match collection {
        Value::Set(set) => set.len(),
        Value::Object(object) => object.len(),
        _ => 0,
    };
    pay_search(context, key, count)?;
    let Some(found) = collection.get(key) else {
        return Ok(Some(Value::Bool(false)));
    };
    context.budget.pay_comparison(found, value)?;
    Ok(Some(Value::Bool(found == value)))
}
