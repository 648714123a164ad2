//! OPA's order of values: by kind, then by content. Source: OPA, "Policy Reference", comparison.

use std::cmp::Ordering;

use super::Value;

/// The rank of a text.
const STRING_RANK: u8 = 3;

/// The order of kinds.
pub(super) const fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => STRING_RANK,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
        Value::Set(_) => 6,
    }
}

impl Value {
    /// The order of a value and a text.
    pub(super) fn cmp_str(&self, text: &str) -> Ordering {
        match self {
            Self::String(own) => own.as_ref().cmp(text),
            other => rank(other).cmp(&STRING_RANK),
        }
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.is_same(other) {
            return Ordering::Equal;
        }
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            (Self::Number(left), Self::Number(right)) => left.cmp(right),
            (Self::String(left), Self::String(right)) => left.cmp(right),
            (Self::Array(left), Self::Array(right)) => left.iter().cmp(right.iter()),
            (Self::Object(left), Self::Object(right)) => left.iter().cmp(right.iter()),
            (Self::Set(left), Self::Set(right)) => left.iter().cmp(right.iter()),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        if self.is_same(other) {
            return true;
        }
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            (Self::Number(left), Self::Number(right)) => left == right,
            (Self::String(left), Self::String(right)) => left == right,
            (Self::Array(left), Self::Array(right)) => left[..] == right[..],
            (Self::Object(left), Self::Object(right)) => left[..] == right[..],
            (Self::Set(left), Self::Set(right)) => left[..] == right[..],
            _ => false,
        }
    }
}

impl Eq for Value {}
