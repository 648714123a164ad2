//! The builtin functions of Rego, each with OPA's meaning, and what their calls share.
//!
//! One file for each of OPA's categories, each with a `BUILTINS` table. A call pays for what it reads
//! and makes from the evaluation's budget: reading an argument whole is `context.budget.pay_value`.

mod arrays;
pub(crate) mod declarations;
mod operand;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::{
    budget::{Budget, Exhausted},
    value::Value,
};

/// One builtin function.
pub(crate) struct Builtin {
    /// As it is called: `array.concat`.
    pub(crate) name: &'static str,
    pub(crate) call: Call,
}

/// Calls a builtin with as many arguments as OPA declares. `None`: undefined, without an error.
pub(crate) type Call = fn(&Context<'_>, &[Value]) -> Result<Option<Value>, CallError>;

/// What a builtin may know besides its arguments.
pub(crate) struct Context<'a> {
    pub(crate) budget: &'a Budget,
    /// The moment of the request, in nanoseconds since 1970.
    pub(crate) now_ns: i64,
}

/// Why a call gave no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// An argument is of the wrong kind: `eval_type_error`.
    #[error("{0}")]
    Type(String),
    /// Anything else that OPA refuses: `eval_builtin_error`.
    #[error("{0}")]
    Builtin(String),
    /// Ends the evaluation.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
}

impl CallError {
    /// An error of the builtin itself.
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self::Builtin(message.to_string())
    }
}

/// All of them, a table for each file.
const TABLES: &[&[Builtin]] = &[arrays::BUILTINS];

/// The builtin of a name.
pub(crate) fn find(name: &str) -> Option<&'static Builtin> {
    let mut all = TABLES.iter().copied().flatten();
    all.find(|builtin| builtin.name == name)
}
