//! Policy bundles and the engine that evaluates them, the same natively and in wasm.
//!
//! - [`bundle`] reads, verifies and builds bundles in OPA's format, without I/O of its own.
//! - [`engine`] evaluates one prepared bundle for many requests, within a step budget.
//! - [`cases`] runs a bundle's own tests (`test_*` rules in `*_test.rego`).
//! - [`diagnostics`] says what is wrong with a policy, with file, line, column and a caret.
//! - [`pattern`] reads the paths that routes name.
//! - [`limits`] holds every bound.
//!
//! Nothing here reads a clock, a file or the network: time, bytes and keys are passed in.

#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, missing_docs)]

mod archive;
mod budget;
mod builtins;
pub mod bundle;
mod canonical;
pub mod cases;
mod check;
#[cfg(test)]
mod conformance;
mod data;
pub mod diagnostics;
#[cfg(test)]
mod differential;
pub mod engine;
mod evaluate;
mod front;
mod input;
#[cfg(feature = "js")]
pub mod js;
pub mod limits;
mod load;
pub mod pattern;
mod plan;
mod routes;
mod signed;
pub mod value;
