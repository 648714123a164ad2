//! The input of a policy as values, built without a detour over JSON text.

use plinto_contract::policy::{EvaluationRequest, Subject};

use crate::value::Value;

/// The subject of a request. A caller may keep it with the verified token and build many inputs
/// from it; cloning is one reference count.
pub fn subject_of(subject: &Subject) -> Value {
    object([
        ("type", Value::from(subject.kind.as_str())),
        ("id", Value::from(subject.id.as_str())),
        ("properties", Value::from_map(&subject.properties)),
    ])
}

/// The whole input of a request: `subject`, `action`, `resource`, `context`.
pub fn input_of(request: &EvaluationRequest) -> Value {
    input_with(subject_of(&request.subject), request)
}

/// The same with a subject built before; the one in `request` is not read.
pub fn input_with(subject: Value, request: &EvaluationRequest) -> Value {
    let resource = &request.resource;
    let properties = resource.properties.iter();
    let properties =
        properties.map(|(name, value)| (Value::from(name.as_str()), Value::from(value.as_str())));
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
                ("properties", Value::object(properties.collect())),
            ]),
        ),
        ("context", Value::from_map(&request.context)),
    ])
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let members = members.into_iter();
    Value::object(
        members
            .map(|(name, value)| (Value::from(name), value))
            .collect(),
    )
}

/// Whether a value weighs more than `bytes`, or nests deeper than one may that comes from outside.
pub(crate) fn is_heavier_than(value: &Value, bytes: usize) -> bool {
    let size = value.size();
    size.weight > u64::try_from(bytes).unwrap_or(u64::MAX)
        || usize::try_from(size.depth).unwrap_or(usize::MAX)
            > plinto_contract::limits::POLICY_VALUE_DEPTH
}
