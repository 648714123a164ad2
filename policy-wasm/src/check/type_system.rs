//! The types that a value may have, as far as they are known before it is evaluated.
//!
//! Source: OPA, `v1/types`. A type that grows large becomes "anything", which is never refused.

use std::rc::Rc;

use crate::value::Value;

/// 1,000: parts of a type.
const WEIGHT_MAX: u32 = 1_000;
/// 40: levels of a type.
const DEPTH_MAX: u32 = 40;

/// A type, if it is known.
pub(super) type Known = Option<Type>;

/// What a value may be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Type {
    Null,
    Boolean,
    Number,
    Text,
    Array(Rc<Array>),
    Object(Rc<Object>),
    Set(Rc<Set>),
    /// One of several, in their order; of none: anything.
    Any(Rc<Any>),
    Function(Rc<Function>),
}

/// How large a type is. It comes last in what it belongs to, so that it never decides an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Extent {
    weight: u32,
    depth: u32,
}

/// Items that are known one by one, and the type of any others.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Array {
    pub(super) items: Vec<Known>,
    pub(super) rest: Known,
    extent: Extent,
}

/// Fields that are known one by one, by key, and the types of any others' keys and values.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Object {
    pub(super) fields: Vec<(Value, Known)>,
    pub(super) rest: Option<(Known, Known)>,
    extent: Extent,
}

/// The type of a set's members; without one the set is empty.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Set {
    pub(super) of: Known,
    extent: Extent,
}

/// Alternatives.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Any {
    pub(super) of: Vec<Type>,
    extent: Extent,
}

/// A function's arguments and result.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Function {
    pub(super) arguments: Vec<Known>,
    pub(super) result: Known,
    pub(super) is_variadic: bool,
}

impl Extent {
    fn around<'t>(parts: impl Iterator<Item = &'t Known>) -> Self {
        let mut sum = Self {
            weight: 1,
            depth: 0,
        };
        for part in parts.flatten() {
            let Self { weight, depth } = part.extent();
            sum.weight = sum.weight.saturating_add(weight);
            sum.depth = sum.depth.max(depth);
        }
        sum.depth = sum.depth.saturating_add(1);
        sum
    }

    const fn is_large(self) -> bool {
        self.weight > WEIGHT_MAX || self.depth > DEPTH_MAX
    }
}

impl Type {
    /// Any value at all.
    pub(super) fn anything() -> Self {
        let (of, extent) = (Vec::new(), Extent::default());
        Self::Any(Rc::new(Any { of, extent }))
    }

    pub(super) fn array(items: Vec<Known>, rest: Known) -> Self {
        let extent = Extent::around(items.iter().chain([&rest]));
        if extent.is_large() {
            return Self::anything();
        }
        Self::Array(Rc::new(Array {
            items,
            rest,
            extent,
        }))
    }

    pub(super) fn object(mut fields: Vec<(Value, Known)>, rest: Option<(Known, Known)>) -> Self {
        let others = rest.iter().flat_map(|(key, value)| [key, value]);
        let extent = Extent::around(fields.iter().map(|(_, value)| value).chain(others));
        if extent.is_large() {
            return Self::anything();
        }
        fields.sort_by(|(left, _), (right, _)| left.cmp(right));
        fields.dedup_by(|later, earlier| {
            let is_same = later.0 == earlier.0;
            if is_same {
                std::mem::swap(later, earlier);
            }
            is_same
        });
        Self::Object(Rc::new(Object {
            fields,
            rest,
            extent,
        }))
    }

    pub(super) fn set(of: Known) -> Self {
        let extent = Extent::around([&of].into_iter());
        if extent.is_large() {
            return Self::anything();
        }
        Self::Set(Rc::new(Set { of, extent }))
    }

    pub(super) fn one_of(mut of: Vec<Self>) -> Self {
        of.sort();
        of.dedup();
        let parts: Vec<Known> = of.iter().cloned().map(Some).collect();
        let extent = Extent::around(parts.iter());
        if extent.is_large() {
            return Self::anything();
        }
        Self::Any(Rc::new(Any { of, extent }))
    }

    fn extent(&self) -> Extent {
        match self {
            Self::Array(array) => array.extent,
            Self::Object(object) => object.extent,
            Self::Set(set) => set.extent,
            Self::Any(any) => any.extent,
            Self::Null | Self::Boolean | Self::Number | Self::Text | Self::Function(_) => Extent {
                weight: 1,
                depth: 1,
            },
        }
    }

    pub(super) fn is_anything(&self) -> bool {
        matches!(self, Self::Any(any) if any.of.is_empty())
    }

    /// Whether it is the type of a collection that has nothing in it.
    pub(super) fn is_empty_collection(&self) -> bool {
        match self {
            Self::Array(array) => array.items.is_empty() && array.rest.is_none(),
            Self::Object(object) => object.fields.is_empty() && object.rest.is_none(),
            Self::Set(set) => set.of.is_none(),
            _ => false,
        }
    }

    /// Whether it is no narrower than another.
    fn contains(&self, other: &Self) -> bool {
        match self {
            Self::Any(any) => {
                !matches!(other, Self::Function(_))
                    && (any.of.is_empty() || any.of.binary_search(other).is_ok())
            }
            _ => self == other,
        }
    }

    /// What stands in it at a key.
    pub(super) fn select(&self, key: &Value) -> Known {
        match self {
            Self::Array(array) => {
                let Value::Number(number) = key else {
                    return None;
                };
                let item = array.items.get(number.as_index()?);
                item.map_or_else(|| array.rest.clone(), Clone::clone)
            }
            Self::Object(object) => object.select(key),
            Self::Set(set) => {
                let kind = type_of(key);
                let of = set.of.as_ref()?;
                of.contains(&kind).then_some(kind)
            }
            Self::Any(any) if any.of.is_empty() => Some(self.clone()),
            Self::Any(any) => any
                .of
                .iter()
                .fold(None, |sum, one| or(one.select(key), sum)),
            _ => None,
        }
    }

    /// What its keys are; unknown if it has none.
    pub(super) fn keys(&self) -> Known {
        match self {
            Self::Array(_) => Some(Self::Number),
            Self::Object(object) => {
                let fields = object.fields.iter();
                let keys = fields.fold(None, |sum, (key, _)| or(sum, Some(type_of(key))));
                match &object.rest {
                    Some((key, _)) => or(keys, key.clone()),
                    None => keys,
                }
            }
            Self::Set(set) => set.of.clone(),
            Self::Any(any) if any.of.is_empty() => Some(self.clone()),
            Self::Any(any) => any.of.iter().fold(None, |sum, one| or(one.keys(), sum)),
            _ => None,
        }
    }

    /// What its members are; unknown if it has none.
    pub(super) fn values(&self) -> Known {
        match self {
            Self::Array(array) => {
                let items = array.items.iter();
                items
                    .chain([&array.rest])
                    .fold(None, |sum, item| or(sum, item.clone()))
            }
            Self::Object(object) => {
                let fields = object.fields.iter().map(|(_, value)| value);
                let rest = object.rest.iter().map(|(_, value)| value);
                fields
                    .chain(rest)
                    .fold(None, |sum, value| or(sum, value.clone()))
            }
            Self::Set(set) => set.of.clone(),
            Self::Any(any) if any.of.is_empty() => Some(self.clone()),
            Self::Any(any) => any.of.iter().fold(None, |sum, one| or(one.values(), sum)),
            _ => None,
        }
    }

    /// A word for it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::Text => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
            Self::Set(_) => "set",
            Self::Any(any) => match any.of.as_slice() {
                [] => "any",
                [first, others @ ..] if others.iter().all(|one| one.name() == first.name()) => {
                    first.name()
                }
                _ => "one of several",
            },
            Self::Function(_) => "function",
        }
    }
}

impl Object {
    /// What the values of fields that are not known one by one are.
    pub(super) fn rest_value(&self) -> Option<&Type> {
        self.rest.as_ref()?.1.as_ref()
    }

    /// The type of a key's value.
    pub(super) fn select(&self, key: &Value) -> Known {
        let found = self.fields.binary_search_by(|(other, _)| other.cmp(key));
        if let Some((_, value)) = found.ok().and_then(|index| self.fields.get(index)) {
            return value.clone();
        }
        let (keys, values) = self.rest.as_ref()?;
        let fits = keys
            .as_ref()
            .is_some_and(|keys| keys.contains(&type_of(key)));
        if fits { values.clone() } else { None }
    }
}

/// The type of a value that is known. A set counts as an array. Source: OPA, `types.TypeOf`.
pub(super) fn type_of(value: &Value) -> Type {
    let part = |value: &Value| Some(type_of(value));
    match value {
        Value::Null => Type::Null,
        Value::Bool(_) => Type::Boolean,
        Value::Number(_) => Type::Number,
        Value::String(_) => Type::Text,
        Value::Array(items) => Type::array(items.iter().map(part).collect(), None),
        Value::Set(members) => Type::array(members.iter().map(part).collect(), None),
        Value::Object(fields) => {
            let fields = fields.iter();
            Type::object(
                fields
                    .map(|(key, value)| (key.clone(), part(value)))
                    .collect(),
                None,
            )
        }
    }
}

/// Either type.
pub(super) fn or(left: Known, right: Known) -> Known {
    let (left, right) = match (left, right) {
        (Some(left), Some(right)) => (left, right),
        (left, right) => return left.or(right),
    };
    match (&left, &right) {
        (Type::Function(one), Type::Function(other)) => one.or(other),
        (Type::Function(_), _) | (_, Type::Function(_)) => None,
        _ if left == right || left.is_anything() => Some(left),
        _ if right.is_anything() => Some(right),
        _ => {
            let mut of = Vec::new();
            for one in [left, right] {
                match &one {
                    Type::Any(any) => of.extend(any.of.iter().cloned()),
                    _ => of.push(one),
                }
            }
            Some(Type::one_of(of))
        }
    }
}

impl Function {
    fn or(&self, other: &Self) -> Known {
        if self.arguments.len() != other.arguments.len() || self.is_variadic != other.is_variadic {
            return None;
        }
        let pairs = self.arguments.iter().zip(&other.arguments);
        Some(Type::Function(Rc::new(Self {
            arguments: pairs
                .map(|(one, other)| or(one.clone(), other.clone()))
                .collect(),
            result: or(self.result.clone(), other.result.clone()),
            is_variadic: self.is_variadic,
        })))
    }
}

/// Whether a type is unknown, or part of it is.
pub(super) fn is_unknown(known: &Known) -> bool {
    let Some(known) = known else { return true };
    match known {
        Type::Array(array) => {
            array.items.iter().any(is_unknown) || (array.rest.is_some() && is_unknown(&array.rest))
        }
        Type::Object(object) => {
            object.fields.iter().any(|(_, value)| is_unknown(value))
                || object
                    .rest
                    .as_ref()
                    .is_some_and(|(key, value)| is_unknown(key) || is_unknown(value))
        }
        Type::Set(set) => is_unknown(&set.of),
        Type::Function(function) => {
            function.arguments.iter().any(is_unknown) || is_unknown(&function.result)
        }
        Type::Null | Type::Boolean | Type::Number | Type::Text | Type::Any(_) => false,
    }
}
