//! Policy bundles and the engine that evaluates them, the same natively and in wasm.
//!
//! - [`bundle`] reads, verifies and builds bundles in OPA's format, without I/O of its own.
//! - [`folder`] makes one from the files of a folder, as OPA reads them.
//! - [`engine`] evaluates one prepared bundle for many requests, within a step budget.
//! - [`cases`] runs a bundle's own tests (rules named `test_*`).
//! - [`trail`] is what evaluations leave besides their answers.
//! - [`diagnostics`] says what is wrong with a policy, with file, line, column and a caret.
//! - [`pattern`] reads the paths that routes name, [`path`] those of requests, and [`routing`] finds
//!   the route of a request.
//! - [`explore`] asks a policy for whoever writes it: any rule, aloud.
//! - [`limits`] holds every bound.
//!
//! Nothing here reads a clock, a file or the network: time, bytes and keys are passed in.

#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, missing_docs)]

mod annotations;
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
mod decision;
pub mod diagnostics;
#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::string_slice,
    clippy::struct_field_names,
    reason = "makes policies by chance, in tests"
)]
mod differential;
pub mod engine;
mod entrypoint;
mod evaluate;
pub mod explore;
pub mod folder;
mod front;
mod input;
#[cfg(feature = "js")]
pub mod js;
pub mod limits;
mod load;
mod manifest;
pub mod path;
pub mod pattern;
mod plan;
mod routes;
pub mod routing;
mod signed;
mod test_rules;
pub mod trail;
pub mod value;
