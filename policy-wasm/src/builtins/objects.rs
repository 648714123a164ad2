//! `object.*`, without `object.subset`. Source: OPA, "Policy Reference", objects.

use std::cmp::Ordering;

use super::{
    Builtin, CallError, Context, operand, subset,
    tally::{Tally, set_of},
};
use crate::value::{Array, Object, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("object.filter", filter),
    Builtin::new("object.get", get),
    Builtin::new("object.keys", keys),
    Builtin::new("object.remove", remove),
    Builtin::new("object.subset", subset::subset),
    Builtin::new("object.union", union),
    Builtin::new("object.union_n", union_n),
];

/// The value at a key, or at the end of an array of keys; else the default.
fn get(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    operand::object(arguments, 0)?;
    let object = operand::any(arguments, 0)?;
    let key = operand::any(arguments, 1)?;
    let default = operand::any(arguments, 2)?;
    let mut tally = Tally::new(context.budget);
    let path = match key {
        Value::Array(path) => path,
        key => {
            let found = tally.get(object, key)?;
            return Ok(Some(found.unwrap_or(default).clone()));
        }
    };
    let mut current = object;
    for key in path.iter() {
        match tally.get(current, key)? {
            Some(value) => current = value,
            None => return Ok(Some(default.clone())),
        }
    }
    Ok(Some(current.clone()))
}

fn keys(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let object = operand::object(arguments, 0)?;
    context.budget.pay_bytes(object.len().saturating_mul(24))?;
    let keys = object.iter().map(|(key, _)| key.clone()).collect();
    Ok(Some(set_of(context.budget, keys)?))
}

fn filter(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    with_keys(context, arguments, true)
}

fn remove(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    with_keys(context, arguments, false)
}

/// The entries whose keys are named, or those whose keys are not.
fn with_keys(
    context: &Context<'_>,
    arguments: &[Value],
    keep_named: bool,
) -> Result<Option<Value>, CallError> {
    let object = operand::object(arguments, 0)?;
    let named = named_keys(context, arguments)?;
    let mut tally = Tally::new(context.budget);
    let mut named = named.iter().peekable();
    let mut kept = Vec::new();
    for entry in object.iter() {
        let mut is_named = false;
        while let Some(name) = named.peek() {
            tally.compare(name, &entry.0)?;
            match name.cmp(&&entry.0) {
                Ordering::Less => _ = named.next(),
                order => {
                    is_named = order == Ordering::Equal;
                    break;
                }
            }
        }
        tally.add(8)?;
        if is_named == keep_named {
            tally.add(48)?;
            kept.push(entry.clone());
        }
    }
    Ok(Some(Value::object(kept)))
}

/// The second argument's keys, in order, each once.
fn named_keys(context: &Context<'_>, arguments: &[Value]) -> Result<Vec<Value>, CallError> {
    let value = operand::any(arguments, 1)?;
    let (Value::Array(_) | Value::Set(_) | Value::Object(_)) = value else {
        return Err(operand::wrong(1, "one of {object, set, array}", value));
    };
    if let Value::Object(object) = value {
        context.budget.pay_bytes(object.len().saturating_mul(24))?;
        return Ok(object.iter().map(|(key, _)| key.clone()).collect());
    }
    let items = value.as_array().map(|array| &array[..]);
    let items = items
        .or_else(|| value.as_set().map(|set| &set[..]))
        .unwrap_or_default();
    context.budget.pay_bytes(items.len().saturating_mul(24))?;
    let mut keys = items.to_vec();
    if value.as_array().is_some() {
        context.budget.pay_sorting(&keys)?;
        keys.sort();
        keys.dedup();
    }
    Ok(keys)
}

fn union(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let objects = [
        operand::object(arguments, 0)?.as_ref(),
        operand::object(arguments, 1)?.as_ref(),
    ];
    Ok(Some(merged(context, &objects)?))
}

fn union_n(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let array = operand::array(arguments, 0)?;
    context.budget.pay_bytes(array.len().saturating_mul(8))?;
    let objects = objects_of(array)?;
    Ok(Some(merged(context, &objects)?))
}

fn objects_of(array: &Array) -> Result<Vec<&Object>, CallError> {
    let wrong = |got: &Value| {
        let got = got.type_name();
        CallError::Type(format!(
            "operand 1 must be array of objects but got array containing {got}"
        ))
    };
    let objects = array.iter().map(|item| {
        let object = item.as_object().ok_or_else(|| wrong(item))?;
        Ok(object.as_ref())
    });
    objects.collect()
}

/// Objects laid over one another: a later value wins, and objects that follow each other under the
/// same key are merged in their turn. As deep as the objects are, and those are bounded.
fn merged(context: &Context<'_>, objects: &[&Object]) -> Result<Value, CallError> {
    let mut entries: Vec<&(Value, Value)> = Vec::new();
    let mut weight = 0_u64;
    for object in objects {
        context.budget.pay_bytes(object.len().saturating_mul(64))?;
        context.budget.pay(1)?;
        entries.extend(object.iter());
        let weights = object.iter().map(|(key, _)| key.size().weight);
        weight = weights.fold(weight, u64::saturating_add);
    }
    let rounds = u64::from(entries.len().checked_ilog2().unwrap_or(0)).saturating_add(1);
    context.budget.pay((weight / 32).saturating_mul(rounds))?;
    entries.sort_by(|left, right| left.0.cmp(&right.0));
    let groups = entries.chunk_by(|left, right| left.0 == right.0);
    let merged = groups.filter_map(|group| {
        let (key, last) = group.last()?;
        Some(last_objects(context, group, last).map(|value| (key.clone(), value)))
    });
    Ok(Value::object(merged.collect::<Result<_, _>>()?))
}

/// The last value under a key, merged with the objects before it that nothing else overwrote.
fn last_objects(
    context: &Context<'_>,
    group: &[&(Value, Value)],
    last: &Value,
) -> Result<Value, CallError> {
    let objects = group.iter().rev().map_while(|(_, value)| value.as_object());
    let mut objects: Vec<&Object> = objects.map(AsRef::as_ref).collect();
    if objects.len() < 2 {
        return Ok(last.clone());
    }
    objects.reverse();
    merged(context, &objects)
}
