//! A value that is being changed: only what a change goes through is taken apart.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    CallError, Context,
    tally::{Tally, set_of},
};
use crate::value::{Array, Value};

/// A value, or its parts.
pub(super) enum Edit {
    /// As it was.
    Kept(Value),
    /// An array's items.
    Array(Items),
    /// An object's entries.
    Object(BTreeMap<Value, Self>),
    /// A set's members, by what they were when the set was opened.
    Set(BTreeMap<Value, Self>),
}

/// The items of an array that is being changed.
pub(super) struct Items {
    /// As the array was when it was opened.
    original: Arc<Array>,
    slots: Vec<Slot>,
}

/// An item.
enum Slot {
    /// The original's item of this index.
    Original(usize),
    Changed(Edit),
}

/// What an opened part weighs.
const PART_BYTES: usize = 64;

fn absent(step: &Value) -> CallError {
    let kind = step.type_name();
    CallError::Builtin(format!("the path's step, a {kind}, is not in the document"))
}

const fn is_collection(value: &Value) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_) | Value::Set(_))
}

impl Edit {
    /// Takes the value apart, if it is a collection.
    fn take_apart(&mut self, context: &Context<'_>) -> Result<(), CallError> {
        let pay = |parts: usize| context.budget.pay_bytes(parts.saturating_mul(PART_BYTES));
        let Self::Kept(value) = self else {
            return Ok(());
        };
        *self = match value {
            Value::Array(array) => {
                pay(array.len())?;
                Self::Array(Items {
                    original: Arc::clone(array),
                    slots: (0..array.len()).map(Slot::Original).collect(),
                })
            }
            Value::Object(object) => {
                pay(object.len())?;
                let entry =
                    |(key, value): &(Value, Value)| (key.clone(), Self::Kept(value.clone()));
                Self::Object(object.iter().map(entry).collect())
            }
            Value::Set(set) => {
                pay(set.len())?;
                let member = |value: &Value| (value.clone(), Self::Kept(value.clone()));
                Self::Set(set.iter().map(member).collect())
            }
            _ => return Ok(()),
        };
        Ok(())
    }

    /// Members of a set are found by what they have become.
    fn settle(&mut self, context: &Context<'_>, step: &Value) -> Result<(), CallError> {
        if matches!(self, Self::Set(_)) && is_collection(step) {
            *self = Self::Kept(self.render(context)?);
        }
        self.take_apart(context)
    }

    /// The part at a step, ready to be changed.
    /// Errors: there is none.
    pub(super) fn open(
        &mut self,
        context: &Context<'_>,
        step: &Value,
    ) -> Result<&mut Self, CallError> {
        self.settle(context, step)?;
        match self {
            Self::Object(parts) | Self::Set(parts) => {
                Tally::new(context.budget).find(step, parts.len())?;
                parts.get_mut(step).ok_or_else(|| absent(step))
            }
            Self::Array(items) => items.open(step),
            Self::Kept(_) => Err(absent(step)),
        }
    }

    /// Puts a value at a step: over an entry, before an item, or among the members.
    pub(super) fn insert(
        &mut self,
        context: &Context<'_>,
        step: &Value,
        value: Value,
    ) -> Result<(), CallError> {
        self.settle(context, step)?;
        match self {
            Self::Set(parts) => {
                context.budget.pay_comparison(step, &value)?;
                if *step != value {
                    return Err(CallError::new("a set's member must be its own key"));
                }
                Tally::new(context.budget).find(step, parts.len())?;
                parts.insert(step.clone(), Self::Kept(value));
                Ok(())
            }
            Self::Object(parts) => {
                Tally::new(context.budget).find(step, parts.len())?;
                parts.insert(step.clone(), Self::Kept(value));
                Ok(())
            }
            Self::Array(items) => items.insert(context, step, value),
            Self::Kept(_) => Err(absent(step)),
        }
    }

    /// Takes away the part at a step.
    /// Errors: there is none.
    pub(super) fn delete(&mut self, context: &Context<'_>, step: &Value) -> Result<(), CallError> {
        self.settle(context, step)?;
        match self {
            Self::Object(parts) | Self::Set(parts) => {
                Tally::new(context.budget).find(step, parts.len())?;
                parts.remove(step).map(|_| ()).ok_or_else(|| absent(step))
            }
            Self::Array(items) => items.delete(context, step),
            Self::Kept(_) => Err(absent(step)),
        }
    }

    /// The value that it has become. As deep as the paths of the changes, which are bounded.
    pub(super) fn render(&self, context: &Context<'_>) -> Result<Value, CallError> {
        let pay = |parts: usize| context.budget.pay_bytes(parts.saturating_mul(PART_BYTES));
        let value = match self {
            Self::Kept(value) => return Ok(value.clone()),
            Self::Array(items) => {
                pay(items.slots.len())?;
                let items = items.slots.iter().map(|slot| match slot {
                    Slot::Original(index) => {
                        Ok(items.original.get(*index).cloned().unwrap_or(Value::Null))
                    }
                    Slot::Changed(edit) => edit.render(context),
                });
                Value::array(items.collect::<Result<_, _>>()?)
            }
            Self::Object(parts) => {
                pay(parts.len())?;
                let entries = parts.iter().map(|(key, edit)| {
                    context.budget.pay_value(key)?;
                    Ok((key.clone(), edit.render(context)?))
                });
                Value::object(entries.collect::<Result<_, CallError>>()?)
            }
            Self::Set(parts) => {
                pay(parts.len())?;
                let members = parts.values().map(|edit| edit.render(context));
                set_of(context.budget, members.collect::<Result<_, _>>()?)?
            }
        };
        Ok(context.budget.made(value)?)
    }
}

impl Items {
    /// An item that was not changed yet is looked for where it stood at first: OPA does so.
    fn open(&mut self, step: &Value) -> Result<&mut Edit, CallError> {
        let index = index_of(step, self.slots.len())?;
        let slot = self.slots.get_mut(index).ok_or_else(|| absent(step))?;
        if let Slot::Original(_) = slot {
            let item = self.original.get(index).ok_or_else(|| absent(step))?;
            *slot = Slot::Changed(Edit::Kept(item.clone()));
        }
        match slot {
            Slot::Changed(edit) => Ok(edit),
            Slot::Original(_) => Err(absent(step)),
        }
    }

    fn insert(
        &mut self,
        context: &Context<'_>,
        step: &Value,
        value: Value,
    ) -> Result<(), CallError> {
        let index = index_of(step, self.slots.len())?;
        if index > self.slots.len() {
            return Err(CallError::new("index for array insertion out of bounds"));
        }
        context.budget.pay_bytes(self.slots.len())?;
        self.slots.insert(index, Slot::Changed(Edit::Kept(value)));
        Ok(())
    }

    fn delete(&mut self, context: &Context<'_>, step: &Value) -> Result<(), CallError> {
        let index = index_of(step, self.slots.len())?;
        if index >= self.slots.len() {
            return Err(CallError::new("index for array delete out of bounds"));
        }
        context.budget.pay_bytes(self.slots.len())?;
        self.slots.remove(index);
        Ok(())
    }
}

/// The index that a step names: a number, a text of one, or `-` for the end.
fn index_of(step: &Value, length: usize) -> Result<usize, CallError> {
    let wrong = || CallError::new("invalid index of an array");
    match step {
        Value::Number(number) => number.as_index().ok_or_else(wrong),
        Value::String(text) if text.as_ref() == "-" => Ok(length),
        Value::String(text) if text.as_ref() != "0" && text.starts_with('0') => Err(
            CallError::new("leading zeros are not allowed in JSON paths"),
        ),
        Value::String(text) => index_of_text(text).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

/// OPA reads `+1` and `1.0` too.
fn index_of_text(text: &str) -> Option<usize> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_whole = fraction.bytes().all(|byte| byte == b'0') && digits.len() <= 19;
    if digits.is_empty() || !is_whole || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let index: usize = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    (index == 0 || !text.starts_with('-')).then_some(index)
}
