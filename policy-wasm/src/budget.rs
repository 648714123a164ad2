//! What one evaluation may cost. Everything that reads or makes something pays here.

use std::cell::Cell;

use crate::value::Value;

/// 32: bytes of a value that a step pays for.
const BYTES_PER_STEP: u64 = 32;
/// 256: how deep a value may nest. Reading, comparing and dropping one call themselves once a level.
const DEPTH: u32 = 256;

/// The evaluation may go no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Exhausted {
    /// The steps are spent.
    #[error("the steps are spent")]
    Steps,
    /// A value nests deeper than one may.
    #[error("a value nests deeper than 256")]
    Depth,
    /// A number has more digits than are calculated with.
    #[error("a number has more than 4,096 digits")]
    Digits,
    /// Rules, functions and comprehensions need each other more deeply than they may.
    #[error("rules, functions and comprehensions that need each other go deeper than 200")]
    Levels,
}

/// Steps that are left: the same on every machine for the same evaluation.
#[derive(Debug)]
pub(crate) struct Budget {
    left: Cell<u64>,
    limit: u64,
}

impl Budget {
    pub(crate) const fn new(limit: u64) -> Self {
        Self {
            left: Cell::new(limit),
            limit,
        }
    }

    /// Steps spent so far.
    pub(crate) const fn spent(&self) -> u64 {
        self.limit.saturating_sub(self.left.get())
    }

    /// Takes steps.
    pub(crate) fn pay(&self, steps: u64) -> Result<(), Exhausted> {
        if let Some(left) = self.left.get().checked_sub(steps) {
            self.left.set(left);
            Ok(())
        } else {
            self.left.set(0);
            Err(Exhausted::Steps)
        }
    }

    /// Pays for bytes that are read or made.
    pub(crate) fn pay_bytes(&self, bytes: usize) -> Result<(), Exhausted> {
        self.pay(u64::try_from(bytes).unwrap_or(u64::MAX) / BYTES_PER_STEP)
    }

    /// Pays for reading or copying the whole of a value.
    pub(crate) fn pay_value(&self, value: &Value) -> Result<(), Exhausted> {
        self.pay(value.size().weight / BYTES_PER_STEP)
    }

    /// Pays for comparing two values, which reads no more than the smaller one.
    pub(crate) fn pay_comparison(&self, left: &Value, right: &Value) -> Result<(), Exhausted> {
        if left.is_same(right) {
            return Ok(());
        }
        let weight = left.size().weight.min(right.size().weight);
        self.pay(weight / BYTES_PER_STEP)
    }

    /// Pays for putting items in order.
    pub(crate) fn pay_sorting(&self, items: &[Value]) -> Result<(), Exhausted> {
        let rounds = u64::from(items.len().checked_ilog2().unwrap_or(0)).saturating_add(1);
        let weight = items.iter().fold(0_u64, |weight, item| {
            weight.saturating_add(item.size().weight)
        });
        self.pay((weight / BYTES_PER_STEP).saturating_mul(rounds))
    }

    /// Lets a value through that was made: one that nests too deep would overflow the stack later.
    #[expect(clippy::unused_self, reason = "the bound is the budget's")]
    pub(crate) fn made(&self, value: Value) -> Result<Value, Exhausted> {
        let size = value.size();
        if size.depth > DEPTH {
            return Err(Exhausted::Depth);
        }
        Ok(value)
    }
}
