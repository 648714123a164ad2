//! The builtin functions of Rego, each with OPA's meaning, and what their calls share.
//!
//! One file for each of OPA's categories, each with a `BUILTINS` table. A call pays for what it reads
//! and makes from the evaluation's budget: reading an argument whole is `context.budget.pay_value`.

mod aggregates;
mod arrays;
mod bits;
#[cfg(test)]
mod bounds;
mod casts;
mod cidr_merge;
mod comparison;
mod crypto;
pub(crate) mod declarations;
mod deprecated;
mod edit;
mod encoding;
#[cfg(test)]
mod fuzz;
mod graph;
#[cfg(test)]
mod hostile;
mod json_patch;
mod json_paths;
mod json_schema;
mod letters;
mod net;
mod numbers;
mod objects;
mod operand;
mod output;
mod regex;
mod semver;
mod set_operators;
mod sets;
mod sprintf;
mod string_replace;
mod string_search;
mod strings;
mod subset;
mod tally;
mod templates;
#[cfg(test)]
mod tests;
mod time;
mod tokens;
mod type_predicates;
mod units;
mod uri;
mod urls;
mod uuid;
mod x509;
mod yaml;

use std::fmt;

pub(crate) use regex::Patterns;

use crate::{
    budget::{Budget, Exhausted},
    value::Value,
};

/// One builtin function.
#[derive(Debug)]
pub(crate) struct Builtin {
    /// As it is called: `array.concat`.
    pub(crate) name: &'static str,
    pub(crate) call: Call,
}

impl Builtin {
    /// A line of a table.
    const fn new(name: &'static str, call: Call) -> Self {
        Self { name, call }
    }
}

/// Calls a builtin with as many arguments as OPA declares. `None`: undefined, without an error.
pub(crate) type Call = fn(&Context<'_>, &[Value]) -> Result<Option<Value>, CallError>;

/// What a builtin may know besides its arguments.
pub(crate) struct Context<'a> {
    pub(crate) budget: &'a Budget,
    /// The moment of the request, in nanoseconds since 1970.
    pub(crate) now_ns: i64,
    /// Patterns that are compiled already.
    pub(crate) patterns: &'a Patterns,
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
    /// More values than there may be, which ends the evaluation: `eval_conflict_error`.
    #[error("{0}")]
    Conflict(String),
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
const TABLES: &[&[Builtin]] = &[
    aggregates::BUILTINS,
    arrays::BUILTINS,
    bits::BUILTINS,
    casts::BUILTINS,
    comparison::BUILTINS,
    crypto::BUILTINS,
    deprecated::BUILTINS,
    encoding::BUILTINS,
    graph::BUILTINS,
    json_paths::BUILTINS,
    json_schema::BUILTINS,
    net::BUILTINS,
    numbers::BUILTINS,
    objects::BUILTINS,
    regex::BUILTINS,
    regex::glob::BUILTINS,
    semver::BUILTINS,
    set_operators::BUILTINS,
    sets::BUILTINS,
    sprintf::BUILTINS,
    string_replace::BUILTINS,
    string_search::BUILTINS,
    strings::BUILTINS,
    templates::BUILTINS,
    time::BUILTINS,
    tokens::BUILTINS,
    type_predicates::BUILTINS,
    units::BUILTINS,
    uri::BUILTINS,
    urls::BUILTINS,
    uuid::BUILTINS,
    x509::BUILTINS,
    yaml::BUILTINS,
];

/// The builtin of a name.
pub(crate) fn find(name: &str) -> Option<&'static Builtin> {
    let mut all = TABLES.iter().copied().flatten();
    all.find(|builtin| builtin.name == name)
}

/// 10,000,000, some seconds: steps of a call that is part of no evaluation.
const STEPS_ALONE: u64 = 10_000_000;

/// Calls a builtin while a bundle is loaded.
/// Errors: why it gives no value.
pub(crate) fn call_alone(name: &str, arguments: &[Value]) -> Result<Option<Value>, String> {
    let builtin = find(name).ok_or_else(|| format!("there is no `{name}`"))?;
    let context = Context {
        budget: &Budget::new(STEPS_ALONE),
        now_ns: 0,
        patterns: &Patterns::default(),
    };
    (builtin.call)(&context, arguments).map_err(|error| error.to_string())
}

/// How many arguments a builtin takes.
pub(crate) fn parameters(name: &str) -> Option<usize> {
    Some(declarations::declaration(name)?.parameters())
}
