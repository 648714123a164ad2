//! Pays for many small amounts of work, which are less than a step each.

use super::CallError;
use crate::{
    budget::{Budget, Exhausted},
    value::Value,
};

/// Bytes that a step pays for.
const BYTES_PER_STEP: u64 = 32;

/// Counts bytes, and pays once there are enough of them for a step.
pub(super) struct Tally<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl<'a> Tally<'a> {
    pub(super) const fn new(budget: &'a Budget) -> Self {
        Self { budget, bytes: 0 }
    }

    /// Pays for work that is worth reading so many bytes.
    pub(super) fn add(&mut self, bytes: u64) -> Result<(), Exhausted> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes < BYTES_PER_STEP {
            return Ok(());
        }
        let steps = self.bytes / BYTES_PER_STEP;
        self.bytes %= BYTES_PER_STEP;
        self.budget.pay(steps)
    }

    /// Pays for comparing two values.
    pub(super) fn compare(&mut self, left: &Value, right: &Value) -> Result<(), Exhausted> {
        if left.is_same(right) {
            return self.add(8);
        }
        self.add(left.size().weight.min(right.size().weight))
    }

    /// Whether two values are equal.
    pub(super) fn equal(&mut self, left: &Value, right: &Value) -> Result<bool, Exhausted> {
        self.compare(left, right)?;
        Ok(left == right)
    }

    /// Pays for finding a key among so many that are in order.
    pub(super) fn find(&mut self, key: &Value, among: usize) -> Result<(), Exhausted> {
        let rounds = u64::from(among.checked_ilog2().unwrap_or(0)).saturating_add(1);
        self.add(key.size().weight.saturating_mul(rounds))
    }

    /// What stands in a value at a key.
    pub(super) fn get<'v>(
        &mut self,
        value: &'v Value,
        key: &Value,
    ) -> Result<Option<&'v Value>, Exhausted> {
        match value {
            Value::Object(object) => self.find(key, object.len())?,
            Value::Set(set) => self.find(key, set.len())?,
            _ => self.add(8)?,
        }
        Ok(value.get(key))
    }
}

/// A set of the values, paid for.
pub(super) fn set_of(budget: &Budget, members: Vec<Value>) -> Result<Value, CallError> {
    budget.pay_sorting(&members)?;
    Ok(Value::set(members))
}
