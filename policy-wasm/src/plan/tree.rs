//! The tree of `data`: rules where their paths are, beside what the data files hold.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    code::{Callee, Expr, Node, NodeId, RuleId},
    names::Replaced,
    resolved,
};
use crate::value::Value;

/// The tree, and what is known of its rules before they are compiled.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    partial: Vec<bool>,
    replaced: Replaced,
}

/// The node of `data` itself.
pub(crate) const ROOT: NodeId = 0;

impl Tree {
    /// `rules`: path, id and whether it is partial, of every rule that has a place in the tree. A
    /// package is an object, even without rules.
    pub(super) fn new(
        packages: &[Vec<String>],
        rules: &[(Vec<String>, RuleId, bool)],
        data: &Value,
        replaced: Replaced,
    ) -> Self {
        let mut drafts = vec![Draft::default()];
        let mut partial = Vec::new();
        for package in packages {
            package
                .iter()
                .fold(ROOT, |at, name| child(&mut drafts, at, name));
        }
        for (path, rule, is_partial) in rules {
            let mut at = ROOT;
            for name in path {
                at = child(&mut drafts, at, name);
            }
            if let Some(draft) = drafts.get_mut(at) {
                draft.rule = Some(*rule);
            }
            if partial.len() <= *rule {
                partial.resize(rule.saturating_add(1), false);
            }
            if let Some(flag) = partial.get_mut(*rule) {
                *flag = *is_partial;
            }
        }
        let mut nodes: Vec<Node> = drafts.iter().map(Draft::node).collect();
        mount(&mut nodes, ROOT, Some(data));
        Self {
            nodes,
            partial,
            replaced,
        }
    }

    pub(super) fn is_partial(&self, rule: RuleId) -> bool {
        self.partial.get(rule).copied().unwrap_or_default()
    }

    /// Whether some `with` replaces it.
    pub(super) fn is_replaced(&self, callee: Callee) -> bool {
        self.replaced.callees.contains(&callee)
    }

    /// What a reference below `data` begins at, and how many of its steps that takes.
    pub(super) fn resolve(&self, steps: &[resolved::Node]) -> (Expr, usize) {
        let names: Vec<&str> = steps.iter().map_while(name_of).collect();
        if self.may_be_replaced(&names) {
            return (Expr::Data(ROOT), 0);
        }
        let mut at = ROOT;
        let mut taken: usize = 0;
        while let Some(node) = self.nodes.get(at) {
            if let Some(rule) = node.rule {
                return (Expr::Rule(rule), taken);
            }
            let Some(name) = names.get(taken) else {
                // Nothing but data is below it.
                return match &node.base {
                    Some(_) if node.children.is_empty() => in_base(node, steps, taken),
                    _ => (Expr::Data(at), taken),
                };
            };
            taken = taken.saturating_add(1);
            match node.child(name) {
                Some(child) => at = child,
                None => return in_base(node, steps, taken.saturating_sub(1)),
            }
        }
        (Expr::Data(ROOT), 0)
    }

    fn may_be_replaced(&self, names: &[&str]) -> bool {
        let mut paths = self.replaced.paths.iter();
        paths.any(|(_, path)| path.iter().zip(names).all(|(left, right)| left == right))
    }
}

/// Data files hold what is below: it is a constant as far as keys are.
fn in_base(node: &Node, steps: &[resolved::Node], first: usize) -> (Expr, usize) {
    let mut value = node.base.clone();
    let mut taken = first;
    for step in steps.iter().skip(first) {
        let resolved::Node::Const(key) = step else {
            break;
        };
        let Some(below) = value.as_ref().and_then(|value| document_at(value, key)) else {
            break;
        };
        value = Some(below.clone());
        taken = taken.saturating_add(1);
    }
    // Without its first step it would be something with rules in it.
    let value = value.filter(|_| taken > first || node.children.is_empty());
    (
        Expr::Const(value.unwrap_or_else(Value::empty_object)),
        taken,
    )
}

/// What stands at a key of a data file's value. Source: OPA's store, in which a path is of texts.
pub(crate) fn document_at<'a>(value: &'a Value, key: &Value) -> Option<&'a Value> {
    match (value, key) {
        (Value::Object(object), Value::Number(number)) => object.get_str(&number.to_string()),
        (Value::Object(object), Value::String(name)) => object.get_str(name),
        (Value::Array(array), Value::Number(number)) => array.get(index_of(&number.to_string())?),
        (Value::Array(array), Value::String(text)) => array.get(index_of(text)?),
        _ => None,
    }
}

/// The place in an array that a text names. Source: OPA, `util.Atoi`.
fn index_of(text: &str) -> Option<usize> {
    let is_negative = text.starts_with('-');
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_whole = fraction.bytes().all(|digit| digit == b'0');
    let has_digits = !digits.is_empty() && whole.bytes().all(|digit| digit.is_ascii_digit());
    if !is_whole || !has_digits || digits.len() > 19 {
        return None;
    }
    let index: usize = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    (!is_negative || index == 0).then_some(index)
}

fn name_of(step: &resolved::Node) -> Option<&str> {
    match step {
        resolved::Node::Const(Value::String(name)) => Some(name),
        _ => None,
    }
}

#[derive(Debug, Default)]
struct Draft {
    rule: Option<RuleId>,
    children: BTreeMap<Arc<str>, NodeId>,
}

impl Draft {
    fn node(&self) -> Node {
        let children = self.children.iter();
        Node {
            rule: self.rule,
            children: children.map(|(name, id)| (Arc::clone(name), *id)).collect(),
            base: None,
        }
    }
}

fn child(drafts: &mut Vec<Draft>, at: NodeId, name: &str) -> NodeId {
    let next = drafts.len();
    let Some(draft) = drafts.get_mut(at) else {
        return at;
    };
    let id = *draft.children.entry(name.into()).or_insert(next);
    if id == next {
        drafts.push(Draft::default());
    }
    id
}

fn mount(nodes: &mut [Node], at: NodeId, base: Option<&Value>) {
    let Some(node) = nodes.get_mut(at) else {
        return;
    };
    node.base = base.cloned();
    let children = node.children.clone();
    for (name, child) in children {
        let below = base.and_then(|base| base.as_object()?.get_str(&name));
        mount(nodes, child, below);
    }
}
