//! All rules by their paths below `data`. Source: OPA, `v1/ast/compile.go`, its rule tree.

use std::collections::BTreeMap;

use super::tree::{Kind, Rule, Term, constant_prefix};
use crate::value::{Number, Value};

/// A node of the tree.
pub(super) type Index = usize;

/// `data`
pub(super) const ROOT: Index = 0;

/// What stands at a path.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) children: BTreeMap<Value, Index>,
    /// Rules with this path, or with this one up to their first step that is not known.
    pub(super) rules: Vec<usize>,
    /// Modules whose package this is.
    pub(super) modules: Vec<usize>,
}

/// All rules by their paths.
#[derive(Debug)]
pub(super) struct Paths {
    nodes: Vec<Node>,
}

impl Paths {
    /// Enters all rules that are no branches, and all packages.
    pub(super) fn of(rules: &[Rule<'_>], packages: &[Vec<Term<'_>>]) -> Self {
        let mut paths = Self {
            nodes: vec![Node::default()],
        };
        for (module, package) in packages.iter().enumerate() {
            let node = paths.made(package);
            if let Some(node) = paths.nodes.get_mut(node) {
                node.modules.push(module);
            }
        }
        for (index, rule) in rules.iter().enumerate() {
            if rule.follows.is_none() {
                let node = paths.made(constant_prefix(&rule.path));
                if let Some(node) = paths.nodes.get_mut(node) {
                    node.rules.push(index);
                }
            }
        }
        paths
    }

    fn made(&mut self, steps: &[Term<'_>]) -> Index {
        let mut at = ROOT;
        for step in steps {
            let Some(key) = value_of(step) else { break };
            let next = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else {
                break;
            };
            at = *node.children.entry(key).or_insert(next);
            if at == next {
                self.nodes.push(Node::default());
            }
        }
        at
    }

    /// The node of an index.
    pub(super) fn node(&self, index: Index) -> Option<&Node> {
        self.nodes.get(index)
    }

    /// How many nodes there are.
    pub(super) const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The step from a node.
    pub(super) fn child(&self, index: Index, key: &Value) -> Option<Index> {
        self.node(index)?.children.get(key).copied()
    }

    /// The node at the end of steps that are all known.
    pub(super) fn find(&self, steps: &[Term<'_>]) -> Option<Index> {
        steps.iter().try_fold(ROOT, |at, step| {
            let key = value_of(step)?;
            self.child(at, &key)
        })
    }

    /// The rules at exactly this path.
    pub(super) fn rules_at(&self, steps: &[Term<'_>]) -> &[usize] {
        let node = self.find(steps).and_then(|index| self.node(index));
        node.map_or(&[], |node| node.rules.as_slice())
    }

    /// All rules strictly below a node.
    pub(super) fn rules_below(&self, index: Index) -> Vec<usize> {
        let mut rules = Vec::new();
        let mut pending: Vec<Index> = self
            .node(index)
            .map(|node| node.children.values().rev().copied().collect())
            .unwrap_or_default();
        while let Some(index) = pending.pop() {
            if let Some(node) = self.node(index) {
                rules.extend(&node.rules);
                pending.extend(node.children.values().rev());
            }
        }
        rules
    }
}

/// The value of a term that says it outright.
pub(super) fn value_of(term: &Term<'_>) -> Option<Value> {
    let all = |terms: &[Term<'_>]| terms.iter().map(value_of).collect::<Option<Vec<_>>>();
    Some(match &term.kind {
        Kind::Null => Value::Null,
        Kind::Bool(flag) => Value::Bool(*flag),
        Kind::Number(text) => Value::Number(Number::parse(text)?),
        Kind::Text(text) => Value::from(*text),
        Kind::Array(items) => Value::array(all(items)?),
        Kind::Set(items) => Value::set(all(items)?),
        Kind::Object(fields) => {
            let field =
                |(key, value): &(Term<'_>, Term<'_>)| Some((value_of(key)?, value_of(value)?));
            Value::object(fields.iter().map(field).collect::<Option<_>>()?)
        }
        Kind::Variable(_) | Kind::Reference(..) | Kind::Comprehension(_) => return None,
    })
}

/// A path as it is written: `data.app["a b"].x`.
pub(super) fn shown(steps: &[Term<'_>]) -> String {
    let mut text = "data".to_owned();
    for step in steps {
        match &step.kind {
            Kind::Text(name) if is_name(name) => {
                text.push('.');
                text.push_str(name);
            }
            Kind::Variable(_) => text.push_str("[…]"),
            _ => {
                let value = value_of(step).map_or_else(|| "…".to_owned(), |one| one.to_string());
                text.extend(["[", value.as_str(), "]"]);
            }
        }
    }
    text
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
