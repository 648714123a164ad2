//! The values of Rego, in OPA's order, with their sizes kept beside them.
//!
//! Arrays, sets and objects are shared, never changed. Each knows how much it weighs and how deep
//! it nests, so asking costs nothing, however much a value doubles by sharing its parts.

mod json;
mod number;
mod order;
mod text;

use std::{fmt, sync::Arc};

pub use json::JsonError;
pub(crate) use json::{Indent, is_json, write_json};
pub use number::{Number, NumberError};
pub(crate) use text::{is_printable, write_escaped};

/// Any value of Rego. `undefined` is none: it is `Option::None` wherever it can be.
#[derive(Clone)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// As exact as it was written.
    Number(Number),
    /// Text.
    String(Arc<str>),
    /// `[1, 2]`
    Array(Arc<Array>),
    /// `{"a": 1}`; any value can be a key.
    Object(Arc<Object>),
    /// `{1, 2}`
    Set(Arc<Set>),
}

/// How large a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// 8 for each value in it and the bytes of texts and of long numbers. What is shared counts as
    /// often as it occurs.
    pub(crate) weight: u64,
    /// Arrays, sets and objects, one in the other; 0 for a scalar.
    pub(crate) depth: u32,
}

/// Weight of a scalar without a text.
const SCALAR: u64 = 8;

impl Size {
    const EMPTY: Self = Self {
        weight: SCALAR,
        depth: 1,
    };

    const fn with(self, member: Self) -> Self {
        let below = member.depth.saturating_add(1);
        Self {
            weight: self.weight.saturating_add(member.weight),
            depth: if below > self.depth {
                below
            } else {
                self.depth
            },
        }
    }
}

/// Items in their order.
pub struct Array {
    items: Vec<Value>,
    size: Size,
}

/// Members in OPA's order, each once.
pub struct Set {
    members: Vec<Value>,
    size: Size,
}

/// Entries in OPA's order of their keys, each key once.
pub struct Object {
    entries: Vec<(Value, Value)>,
    size: Size,
}

impl Array {
    /// The item at a place from 0.
    pub fn get(&self, index: usize) -> Option<&Value> {
        self.items.get(index)
    }
}

impl std::ops::Deref for Array {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.items
    }
}

impl Set {
    /// The member that equals `value`.
    pub fn get(&self, value: &Value) -> Option<&Value> {
        let index = self.members.binary_search(value).ok()?;
        self.members.get(index)
    }

    /// Whether it is a member.
    pub fn contains(&self, value: &Value) -> bool {
        self.get(value).is_some()
    }
}

impl std::ops::Deref for Set {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.members
    }
}

impl Object {
    /// The value of a key.
    pub fn get(&self, key: &Value) -> Option<&Value> {
        if let Value::String(key) = key {
            return self.get_str(key);
        }
        let index = self.entries.binary_search_by(|(name, _)| name.cmp(key));
        let (_, value) = self.entries.get(index.ok()?)?;
        Some(value)
    }

    /// The value of a key that is a text.
    pub fn get_str(&self, key: &str) -> Option<&Value> {
        let index = self.entries.binary_search_by(|(name, _)| name.cmp_str(key));
        let (_, value) = self.entries.get(index.ok()?)?;
        Some(value)
    }

    /// The key as it stands here, and its value.
    pub fn entry(&self, key: &Value) -> Option<(&Value, &Value)> {
        let index = self.entries.binary_search_by(|(name, _)| name.cmp(key));
        let (name, value) = self.entries.get(index.ok()?)?;
        Some((name, value))
    }
}

impl std::ops::Deref for Object {
    type Target = [(Value, Value)];

    fn deref(&self) -> &[(Value, Value)] {
        &self.entries
    }
}

impl Value {
    /// An array.
    pub fn array(items: Vec<Self>) -> Self {
        let size = items
            .iter()
            .fold(Size::EMPTY, |size, item| size.with(item.size()));
        Self::Array(Arc::new(Array { items, size }))
    }

    /// A set; what occurs twice is in it once.
    pub fn set(mut members: Vec<Self>) -> Self {
        if !members.is_sorted_by(|left, right| left < right) {
            members.sort();
            members.dedup();
        }
        let size = members
            .iter()
            .fold(Size::EMPTY, |size, member| size.with(member.size()));
        Self::Set(Arc::new(Set { members, size }))
    }

    /// An object. Of entries with the same key the last one counts.
    pub fn object(mut entries: Vec<(Self, Self)>) -> Self {
        if !entries.is_sorted_by(|left, right| left.0 < right.0) {
            entries.reverse();
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            entries.dedup_by(|next, kept| next.0 == kept.0);
        }
        Self::of_sorted(entries)
    }

    /// An object with one more member, or with another value of it. Keys are not compared with each
    /// other, however large they are.
    pub(crate) fn with_member(object: Option<&Object>, name: &Arc<str>, value: Self) -> Self {
        let mut entries = object.map_or_else(Vec::new, |object| object.entries.clone());
        match entries.binary_search_by(|(key, _)| key.cmp_str(name)) {
            Ok(at) => {
                if let Some(entry) = entries.get_mut(at) {
                    entry.1 = value;
                }
            }
            Err(at) => entries.insert(at, (Self::String(Arc::clone(name)), value)),
        }
        Self::of_sorted(entries)
    }

    fn of_sorted(entries: Vec<(Self, Self)>) -> Self {
        let size = entries.iter().fold(Size::EMPTY, |size, (key, value)| {
            size.with(key.size()).with(value.size())
        });
        Self::Object(Arc::new(Object { entries, size }))
    }

    /// The empty object.
    pub fn empty_object() -> Self {
        Self::object(Vec::new())
    }

    pub(crate) fn size(&self) -> Size {
        let scalar = |weight| Size { weight, depth: 0 };
        match self {
            Self::Null | Self::Bool(_) => scalar(SCALAR),
            Self::Number(number) => scalar(SCALAR.saturating_add(number.extra_bytes())),
            Self::String(text) => {
                scalar(SCALAR.saturating_add(u64::try_from(text.len()).unwrap_or(u64::MAX)))
            }
            Self::Array(array) => array.size,
            Self::Object(object) => object.size,
            Self::Set(set) => set.size,
        }
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// `true` or `false`, if it is one of them.
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub const fn as_number(&self) -> Option<&Number> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The array, if it is one.
    pub const fn as_array(&self) -> Option<&Arc<Array>> {
        match self {
            Self::Array(array) => Some(array),
            _ => None,
        }
    }

    /// The object, if it is one.
    pub const fn as_object(&self) -> Option<&Arc<Object>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The set, if it is one.
    pub const fn as_set(&self) -> Option<&Arc<Set>> {
        match self {
            Self::Set(set) => Some(set),
            _ => None,
        }
    }

    /// What stands in it at `key`: an object's value, an array's item, a set's own member.
    pub fn get(&self, key: &Self) -> Option<&Self> {
        match self {
            Self::Object(object) => object.get(key),
            Self::Set(set) => set.get(key),
            Self::Array(array) => array.get(key.as_number()?.as_index()?),
            _ => None,
        }
    }

    /// The value at a path of names.
    pub fn at(&self, path: &[impl AsRef<str>]) -> Option<&Self> {
        path.iter().try_fold(self, |value, name| {
            value.as_object()?.get_str(name.as_ref())
        })
    }

    /// The name of its type. Source: OPA, `type_name`.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
            Self::Set(_) => "set",
        }
    }

    /// Whether both are the same in memory, and so equal without looking.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::String(left), Self::String(right)) => Arc::ptr_eq(left, right),
            (Self::Array(left), Self::Array(right)) => Arc::ptr_eq(left, right),
            (Self::Object(left), Self::Object(right)) => Arc::ptr_eq(left, right),
            (Self::Set(left), Self::Set(right)) => Arc::ptr_eq(left, right),
            _ => false,
        }
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Self {
        Self::String(text)
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Number::from(number))
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(Number::from(number))
    }
}

impl From<Vec<Self>> for Value {
    fn from(items: Vec<Self>) -> Self {
        Self::array(items)
    }
}

/// As Rego writes it.
impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.iter().map(|(key, value)| (key, value));
        formatter.debug_map().entries(entries).finish()
    }
}
