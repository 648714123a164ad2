//! Sets and objects while definitions add to them.

use std::collections::BTreeMap;

use super::{Evaluation, Stop};
use crate::{front::Place, plan::code::Empty, value::Value};

/// What has been added so far.
pub(super) enum Built {
    Value(Value),
    Set(Vec<Value>),
    /// Something is at each key as soon as it has been added.
    Object(BTreeMap<Value, Option<Built>>),
}

impl Built {
    const fn empty_object() -> Self {
        Self::Object(BTreeMap::new())
    }
}

impl Evaluation<'_> {
    /// Adds a value at a path.
    /// Errors: something else is there.
    pub(super) fn add(
        &self,
        place: Place,
        built: &mut Option<Built>,
        path: Vec<Value>,
        value: Value,
        is_set: bool,
    ) -> Result<(), Stop> {
        self.pay(1)?;
        let conflict = || {
            let message = "object keys must be unique";
            Err(self.error("eval_conflict_error", place, message))
        };
        let mut path = path.into_iter();
        match built {
            None => *built = Some(self.grown(path, value, is_set)?),
            Some(Built::Object(entries)) => match path.next() {
                Some(key) => {
                    self.pay_key(entries.len(), &key)?;
                    // A key stays as it was written first: 1.0 and 1 are one key.
                    let below = entries.entry(key).or_default();
                    self.add(place, below, path.collect(), value, is_set)?;
                }
                None => return conflict(),
            },
            Some(Built::Set(members)) if is_set && path.len() == 0 => members.push(value),
            Some(Built::Value(kept)) if !is_set && path.len() == 0 => {
                if !self.equals(kept, &value)? {
                    return conflict();
                }
            }
            Some(Built::Set(_) | Built::Value(_)) => return conflict(),
        }
        Ok(())
    }

    /// Makes room for what exists without members.
    pub(super) fn add_empty(&self, built: &mut Option<Built>, empty: &Empty) -> Result<(), Stop> {
        let mut at = built;
        for key in &empty.path {
            self.pay(1)?;
            let Built::Object(entries) = at.get_or_insert_with(Built::empty_object) else {
                return Ok(());
            };
            at = entries.entry(key.clone()).or_default();
        }
        at.get_or_insert_with(|| {
            if empty.is_set {
                Built::Set(Vec::new())
            } else {
                Built::empty_object()
            }
        });
        Ok(())
    }

    fn grown(
        &self,
        path: impl DoubleEndedIterator<Item = Value>,
        value: Value,
        is_set: bool,
    ) -> Result<Built, Stop> {
        let end = if is_set {
            Built::Set(vec![value])
        } else {
            Built::Value(value)
        };
        path.rev().try_fold(end, |below, key| {
            self.pay_key(0, &key)?;
            Ok(Built::Object(BTreeMap::from([(key, Some(below))])))
        })
    }

    fn pay_key(&self, entries: usize, key: &Value) -> Result<(), Stop> {
        let rounds = u64::from(entries.checked_ilog2().unwrap_or(0)).saturating_add(1);
        let reads = key.size().weight / 256;
        self.pay(reads.saturating_mul(rounds))
    }

    /// The value of what was added.
    pub(super) fn built(&self, built: Built) -> Result<Option<Value>, Stop> {
        match built {
            Built::Value(value) => Ok(Some(value)),
            Built::Set(members) => self.made_set(members),
            Built::Object(entries) => {
                let mut made = Vec::with_capacity(entries.len());
                for (key, below) in entries {
                    self.pay(1)?;
                    let below = below.map(|below| self.built(below)).transpose()?;
                    if let Some(value) = below.flatten() {
                        made.push((key, value));
                    }
                }
                self.made(Value::object(made))
            }
        }
    }
}
