//! The decision plan: a policy compiled, once, to what its evaluation does.
//!
//! [`resolve`] finds out what every name means, [`order`] in which order expressions can be
//! evaluated, [`emit`] writes operations. What they are stands in [`code`].

pub(crate) mod code;
mod compile;
mod emit;
mod expand;
mod names;
mod negations;
mod order;
mod pieces;
mod references;
mod resolve;
mod resolved;
mod scope;
mod tree;
mod used;

pub(crate) use compile::compile;
pub(crate) use resolve::Unresolved;
pub(crate) use tree::{ROOT, document_at};
pub(crate) use used::{mentioned, undeclared};

use crate::{builtins::Patterns, value::Value};

/// A policy, ready to be evaluated.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) rules: Vec<code::Rule>,
    /// The tree of `data`; [`ROOT`] is first.
    pub(crate) nodes: Vec<code::Node>,
    /// What the data files hold.
    pub(crate) data: Value,
    pub(crate) patterns: Patterns,
    /// Paths of the modules, as rules name them by index.
    pub(crate) modules: Vec<String>,
}

impl Plan {
    /// The rule at a path below `data`.
    pub(crate) fn rule_at(&self, path: &[impl AsRef<str>]) -> Option<code::RuleId> {
        let node = path
            .iter()
            .try_fold(ROOT, |at, name| self.nodes.get(at)?.child(name.as_ref()))?;
        self.nodes.get(node)?.rule
    }
}
