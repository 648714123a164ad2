//! The input of a policy as the engine's own values, built without a detour over JSON text.

use plinto_contract::{
    limits::POLICY_VALUE_DEPTH,
    policy::{EvaluationRequest, Subject},
};
use regorus::{Rc, Value, value::Object};
use serde_json::{Map, Value as Json};

/// The subject of a request. A caller may keep it with the verified token and build many inputs
/// from it; cloning is one reference count.
pub fn subject_of(subject: &Subject) -> Value {
    object([
        ("type", Value::from(subject.kind.as_str())),
        ("id", Value::from(subject.id.as_str())),
        ("properties", map_of(&subject.properties)),
    ])
}

/// The whole input of a request: `subject`, `action`, `resource`, `context`.
pub fn input_of(request: &EvaluationRequest) -> Value {
    input_with(subject_of(&request.subject), request)
}

/// The same with a subject built before; the one in `request` is not read.
pub fn input_with(subject: Value, request: &EvaluationRequest) -> Value {
    let resource = &request.resource;
    let properties: Object = resource
        .properties
        .iter()
        .map(|(name, value)| (Value::from(name.as_str()), Value::from(value.as_str())))
        .collect();
    object([
        ("subject", subject),
        (
            "action",
            object([("name", Value::from(request.action.name.as_str()))]),
        ),
        (
            "resource",
            object([
                ("type", Value::from(resource.kind.as_str())),
                ("id", Value::from(resource.id.as_str())),
                ("properties", Value::Object(Rc::new(properties))),
            ]),
        ),
        ("context", map_of(&request.context)),
    ])
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let members: Object = members
        .into_iter()
        .map(|(name, value)| (Value::from(name), value))
        .collect();
    Value::Object(Rc::new(members))
}

fn map_of(map: &Map<String, Json>) -> Value {
    let members: Object = map
        .iter()
        .map(|(name, value)| (Value::from(name.as_str()), value_of(value)))
        .collect();
    Value::Object(Rc::new(members))
}

/// One JSON value as the engine's. The recursion is as deep as the value, which `serde_json`
/// bounds at 128.
pub fn value_of(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => {
            if let Some(value) = number.as_i64() {
                Value::from(value)
            } else if let Some(value) = number.as_u64() {
                Value::from(value)
            } else {
                number.as_f64().map_or(Value::Undefined, Value::from)
            }
        }
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::from(items.iter().map(value_of).collect::<Vec<_>>()),
        Json::Object(map) => map_of(map),
    }
}

/// One of the engine's values as JSON; `None` for what JSON cannot say (an object whose names
/// are not strings, `undefined`). Sets become arrays in their sorted order. The recursion is as deep
/// as the value: ask [`is_heavier_than`] first.
pub(crate) fn json_of(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Number(_) => serde_json::to_value(value).ok()?,
        Value::String(text) => Json::String(text.to_string()),
        Value::Array(items) => Json::Array(items.iter().map(json_of).collect::<Option<_>>()?),
        Value::Set(items) => Json::Array(items.iter().map(json_of).collect::<Option<_>>()?),
        Value::Object(members) => Json::Object(
            members
                .iter_sorted()
                .map(|(name, value)| Some((name.as_string().ok()?.to_string(), json_of(value)?)))
                .collect::<Option<_>>()?,
        ),
        Value::Undefined => return None,
    })
}

/// Drops a value without calling itself once per level: a policy can nest one deeper than a stack is.
pub(crate) fn dismantle(value: Value) {
    let mut pending = vec![value];
    while let Some(value) = pending.pop() {
        // what others hold too is theirs to drop
        match value {
            Value::Array(items) => pending.extend(Rc::into_inner(items).into_iter().flatten()),
            Value::Set(items) => pending.extend(Rc::into_inner(items).into_iter().flatten()),
            Value::Object(members) => {
                let members = Rc::into_inner(members).into_iter().flatten();
                pending.extend(members.flat_map(|(name, value)| [name, value]));
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Undefined => {}
        }
    }
}

/// Whether a value weighs more than `budget` bytes, or nests deeper than a value may.
pub(crate) fn is_heavier_than(value: &Value, budget: usize) -> bool {
    weight_of(value, budget).is_none()
}

/// What a value weighs, if that is at most `bound` and it nests no deeper than a value may: its
/// text, the digits of its numbers, and 8 bytes for each value in it. Shared parts count as often as
/// they occur, and no more of them is looked at than `bound` allows.
pub(crate) fn weight_of(value: &Value, bound: usize) -> Option<usize> {
    Some(bound.saturating_sub(weigh(value, bound, POLICY_VALUE_DEPTH)?))
}

/// What is left of `budget`, or `None` if it did not suffice.
/// `levels`: how many arrays, sets and objects may still be opened, one in the other.
fn weigh(value: &Value, budget: usize, levels: usize) -> Option<usize> {
    let budget = budget.checked_sub(8)?;
    match value {
        Value::String(text) => budget.checked_sub(text.len()),
        Value::Array(items) => {
            let levels = levels.checked_sub(1)?;
            items
                .iter()
                .try_fold(budget, |left, item| weigh(item, left, levels))
        }
        Value::Set(items) => {
            let levels = levels.checked_sub(1)?;
            items
                .iter()
                .try_fold(budget, |left, item| weigh(item, left, levels))
        }
        Value::Object(members) => {
            let levels = levels.checked_sub(1)?;
            members.iter().try_fold(budget, |left, (name, value)| {
                weigh(value, weigh(name, left, levels)?, levels)
            })
        }
        // What fits 64 bits is in the 8 bytes; an integer may have millions of digits.
        Value::Number(number) if number.as_i64().is_none() => {
            let bytes = number.as_big().map_or(0, |integer| integer.bits() / 8);
            budget.checked_sub(usize::try_from(bytes).ok()?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Undefined => Some(budget),
    }
}
