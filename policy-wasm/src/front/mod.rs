//! The front end: reads Rego v1, and v0 where a manifest says so.
//!
//! [`lexer`] reads tokens, [`parser`] modules, rules and bodies, [`terms`] what stands in them;
//! [`dialect`] tells the two versions apart. The tree is in [`ast`]. Source: OPA, "Policy Language"; `docs/decisions/0040`.

pub(crate) mod ast;
mod constants;
mod dialect;
mod lexer;
mod parser;
mod terms;
#[cfg(test)]
mod tests;

use std::fmt;

pub(crate) use ast::{
    Body, Expr, ExprKind, Head, HeadValue, Membership, Module, Name, Op, Part, Place, Rule, Term,
    TermKind, With, is_path, names_of,
};
pub(crate) use constants::{constant, term_of};
pub(crate) use dialect::Dialect;
use dialect::Keywords;
#[cfg(test)]
#[cfg(test)]
pub(crate) use parser::parse;
pub(crate) use parser::parse_as;
pub(crate) use parser::parse_term;

/// Why a text is not Rego.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub(crate) struct SyntaxError {
    /// From 1.
    pub(crate) line: u32,
    /// In characters, from 1.
    pub(crate) column: u32,
    /// What was found, and what was expected.
    pub(crate) message: String,
}

impl SyntaxError {
    fn new(place: Place, message: impl fmt::Display) -> Self {
        Self {
            line: place.line,
            column: place.column,
            message: message.to_string(),
        }
    }
}
