//! What names mean across modules: rules, functions, imports.

use std::collections::{BTreeMap, BTreeSet};

use super::code::{Callee, RuleId};
use crate::front::{Module, Place, names_of};

/// The names that the modules of a bundle define together.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    /// The first names of rules, by package.
    pub(super) by_package: BTreeMap<Vec<String>, BTreeSet<String>>,
    /// Paths of functions below `data`, with the number of their parameters.
    pub(super) functions: BTreeMap<Vec<String>, (RuleId, usize)>,
}

/// What some `with` replaces.
#[derive(Debug, Default)]
pub(super) struct Replaced {
    /// Paths below `data`, each with its place.
    pub(super) paths: Vec<(Place, Vec<String>)>,
    pub(super) callees: Vec<Callee>,
}

/// What an imported name stands for, in one module.
pub(super) type Imports = BTreeMap<String, Vec<String>>;

/// The imports of a module that name something.
pub(super) fn imports_of(module: &Module) -> Imports {
    let named = module.imports.iter().filter_map(|import| {
        let path = names_of(&import.path);
        let is_value = matches!(path.first().map(String::as_str), Some("data" | "input"));
        is_value.then(|| Some((import.name()?, path)))?
    });
    named.collect()
}

/// One path after another.
pub(super) fn joined(path: &[String], rest: &[String]) -> Vec<String> {
    path.iter().chain(rest).cloned().collect()
}
