//! A schema that is ready to be used.

use std::sync::Arc;

use super::decimal::Decimal;
use crate::{builtins::regex::Program, value::Value};

/// The place of a schema among all of them.
pub(super) type Id = usize;

/// The schemas of a document, and those in them. The first is the whole.
#[derive(Default)]
pub(super) struct Schemas {
    pub(super) all: Vec<Schema>,
}

/// What one schema wants.
#[derive(Default)]
pub(super) struct Schema {
    /// `true` or `false` in place of keywords.
    pub(super) pass: Option<bool>,
    pub(super) reference: Option<Id>,
    pub(super) types: Vec<&'static str>,
    pub(super) constant: Option<String>,
    pub(super) choices: Option<Vec<String>>,
    pub(super) format: Option<String>,
    pub(super) any_of: Vec<Id>,
    pub(super) one_of: Vec<Id>,
    pub(super) all_of: Vec<Id>,
    pub(super) not: Option<Id>,
    pub(super) condition: Option<Id>,
    pub(super) then: Option<Id>,
    pub(super) otherwise: Option<Id>,
    pub(super) number: ForNumbers,
    pub(super) text: ForTexts,
    pub(super) array: ForArrays,
    pub(super) object: ForObjects,
}

#[derive(Default)]
pub(super) struct ForNumbers {
    pub(super) multiple_of: Option<Decimal>,
    pub(super) least: Option<Decimal>,
    pub(super) most: Option<Decimal>,
    pub(super) above: Option<Decimal>,
    pub(super) below: Option<Decimal>,
}

#[derive(Default)]
pub(super) struct ForTexts {
    pub(super) least: Option<usize>,
    pub(super) most: Option<usize>,
    pub(super) pattern: Option<(String, Arc<Program>)>,
}

/// What else may be in a collection.
pub(super) enum Others {
    Allowed(bool),
    Like(Id),
}

#[derive(Default)]
pub(super) struct ForArrays {
    pub(super) least: Option<usize>,
    pub(super) most: Option<usize>,
    /// One schema for all items.
    pub(super) every: Option<Id>,
    /// Schemas of the first items.
    pub(super) items: Vec<Id>,
    pub(super) others: Option<Others>,
    pub(super) are_unique: bool,
    pub(super) contains: Option<Id>,
}

pub(super) enum Dependency {
    Names(Vec<String>),
    Schema(Id),
}

#[derive(Default)]
pub(super) struct ForObjects {
    pub(super) least: Option<usize>,
    pub(super) most: Option<usize>,
    pub(super) required: Vec<String>,
    pub(super) properties: Vec<(Value, Id)>,
    pub(super) patterns: Vec<(Arc<Program>, Id)>,
    pub(super) others: Option<Others>,
    pub(super) names: Option<Id>,
    pub(super) dependencies: Vec<(Value, Dependency)>,
}
