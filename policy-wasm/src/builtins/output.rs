//! A text in the making, paid for as it grows.

use std::fmt::{self, Write};

use super::CallError;
use crate::{
    budget::{Budget, Exhausted},
    value::Value,
};

/// 1,024: bytes that are written before they are paid for.
const UNPAID_BYTES: usize = 1024;

/// Bytes that become a text.
pub(super) struct Output<'a> {
    bytes: Vec<u8>,
    unpaid: usize,
    budget: &'a Budget,
}

impl<'a> Output<'a> {
    pub(super) const fn new(budget: &'a Budget) -> Self {
        Self {
            bytes: Vec::new(),
            unpaid: 0,
            budget,
        }
    }

    /// Errors: the budget is spent; nothing is written then.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), Exhausted> {
        self.unpaid = self.unpaid.saturating_add(bytes.len());
        if self.unpaid >= UNPAID_BYTES {
            self.budget.pay_bytes(self.unpaid)?;
            self.unpaid = 0;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    pub(super) fn push_str(&mut self, text: &str) -> Result<(), Exhausted> {
        self.push(text.as_bytes())
    }

    /// The text; each byte that is no part of one is replaced.
    pub(super) fn finish(self) -> Result<Value, CallError> {
        self.budget.pay_bytes(self.unpaid)?;
        Ok(text_of(self.bytes))
    }
}

/// For `write!`; its error says that the budget is spent.
impl Write for Output<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text).map_err(|_| fmt::Error)
    }
}

/// Bytes as a text; each that is no part of one is replaced. Source: Go, conversion of strings.
pub(super) fn text_of(bytes: Vec<u8>) -> Value {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return Value::from(text),
        Err(error) => error.into_bytes(),
    };
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Value::from(text)
}
