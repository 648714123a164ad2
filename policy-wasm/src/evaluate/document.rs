//! The tree of `data`: rules, data files and what is replaced, as one document.

use std::{collections::BTreeMap, sync::Arc};

use super::{Evaluation, Stop, body::length, with::Overlay};
use crate::{
    plan::{
        ROOT,
        code::{Node, NodeId, RuleKind},
        document_at,
    },
    value::Value,
};

/// A place in a document: a value, or a part of `data` that is not evaluated yet.
#[derive(Debug, Clone)]
pub(super) enum Cursor {
    Value(Value),
    /// A part of the data files.
    Document(Value),
    Part {
        node: Option<NodeId>,
        base: Option<Value>,
        overlay: Option<Arc<Overlay>>,
    },
}

/// What stands at a key. Of a set it is the key as it was asked for: 1.0 may be found where 1 is.
pub(super) fn found(value: &Value, key: &Value) -> Option<Value> {
    match value {
        Value::Set(set) => set.contains(key).then(|| key.clone()),
        value => value.get(key).cloned(),
    }
}

impl<'a> Evaluation<'a> {
    /// A node of the tree. Below one that may be replaced, references begin at the root.
    pub(super) fn node(&self, id: NodeId) -> Cursor {
        Cursor::Part {
            node: Some(id),
            base: self.tree_node(id).and_then(|node| node.base.clone()),
            overlay: self.around.overlay.clone().filter(|_| id == ROOT),
        }
    }

    fn tree_node(&self, id: NodeId) -> Option<&'a Node> {
        self.plan().nodes.get(id)
    }

    pub(super) fn at_path(&mut self, path: &[&str]) -> Result<Option<Value>, Stop> {
        let mut at = self.node(ROOT);
        for name in path {
            match self.step(at, &Value::from(*name))? {
                Some(next) => at = next,
                None => return Ok(None),
            }
        }
        self.document(at)
    }

    /// What stands at a key.
    pub(super) fn step(&mut self, at: Cursor, key: &Value) -> Result<Option<Cursor>, Stop> {
        self.pay(1)?;
        let (node, base, overlay) = match at {
            Cursor::Value(value) => {
                self.budget().pay_value(key)?;
                return Ok(found(&value, key).map(Cursor::Value));
            }
            Cursor::Document(value) => {
                self.budget().pay_value(key)?;
                return Ok(document_at(&value, key).cloned().map(Cursor::Document));
            }
            Cursor::Part {
                node,
                base,
                overlay,
            } => (node, base, overlay),
        };
        let base = base.and_then(|base| document_at(&base, key).cloned());
        let name = key.as_str();
        let overlay = name.and_then(|name| overlay.as_ref()?.children.get(name).cloned());
        if let Some(value) = overlay.as_ref().and_then(|overlay| overlay.value.clone()) {
            return Ok(Some(Cursor::Value(value)));
        }
        let node = node.and_then(|node| self.tree_node(node)?.child(name?));
        if let Some(rule) = node.and_then(|node| self.tree_node(node)?.rule) {
            let value = self.rule(rule)?;
            let value = self.with_overlay(value, overlay.as_deref())?;
            return Ok(value.map(Cursor::Value));
        }
        Ok(match (node, base, overlay) {
            (None, None, None) => None,
            (None, Some(base), None) => Some(Cursor::Document(base)),
            (node, base, overlay) => Some(Cursor::Part {
                node,
                base,
                overlay,
            }),
        })
    }

    /// The names at a place of the tree: those of data, then those of rules, each in their order.
    /// Source: OPA, `topdown/eval.go`, `evalTree.enumerate`.
    pub(super) fn names_in(&self, at: &Cursor) -> Result<Vec<Arc<str>>, Stop> {
        let Cursor::Part {
            node,
            base,
            overlay,
        } = at
        else {
            return Ok(Vec::new());
        };
        let in_base = base.as_ref().map_or(0, length);
        self.pay(u64::try_from(in_base).unwrap_or(u64::MAX))?;
        let mut names = std::collections::BTreeSet::new();
        for (key, _) in base
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|base| base.iter())
        {
            if let Value::String(name) = key {
                names.insert(Arc::clone(name));
            }
        }
        if let Some(overlay) = overlay {
            names.extend(overlay.children.keys().cloned());
        }
        let mut all: Vec<Arc<str>> = names.iter().cloned().collect();
        if let Some(node) = node.and_then(|node| self.tree_node(node)) {
            let children = node.children.iter().map(|(name, _)| name);
            all.extend(children.filter(|name| !names.contains(*name)).cloned());
        }
        Ok(all)
    }

    /// Evaluates everything at a place.
    pub(super) fn document(&mut self, at: Cursor) -> Result<Option<Value>, Stop> {
        let (node, base, overlay) = match at {
            Cursor::Value(value) | Cursor::Document(value) => return Ok(Some(value)),
            Cursor::Part {
                node,
                base,
                overlay,
            } => (node, base, overlay),
        };
        if let Some(value) = overlay.as_ref().and_then(|overlay| overlay.value.clone()) {
            return Ok(Some(value));
        }
        if node.is_none() && overlay.is_none() {
            return Ok(base);
        }
        let at = Cursor::Part {
            node,
            base,
            overlay,
        };
        self.deeper(|this| {
            let mut entries = BTreeMap::new();
            for name in this.names_in(&at)? {
                let key = Value::String(Arc::clone(&name));
                if this.is_function(&at, &name) {
                    continue;
                }
                let Some(below) = this.step(at.clone(), &key)? else {
                    continue;
                };
                if let Some(value) = this.document(below)? {
                    entries.insert(key, value);
                }
            }
            this.made(Value::object(entries.into_iter().collect()))
        })
    }

    fn is_function(&self, at: &Cursor, name: &str) -> bool {
        let Cursor::Part {
            node: Some(node), ..
        } = at
        else {
            return false;
        };
        let rule = self
            .tree_node(*node)
            .and_then(|node| node.child(name))
            .and_then(|child| self.tree_node(child)?.rule);
        rule.and_then(|rule| self.plan().rules.get(rule))
            .is_some_and(|rule| matches!(rule.kind, RuleKind::Function(_)))
    }

    /// A rule's value with what is replaced below it.
    fn with_overlay(
        &self,
        value: Option<Value>,
        overlay: Option<&Overlay>,
    ) -> Result<Option<Value>, Stop> {
        let Some(overlay) = overlay else {
            return Ok(value);
        };
        if overlay.value.is_some() {
            return Ok(overlay.value.clone());
        }
        let mut value = value;
        for (name, below) in &overlay.children {
            let inner = value
                .as_ref()
                .and_then(|value| value.as_object()?.get_str(name));
            if let Some(inner) = self.with_overlay(inner.cloned(), Some(below))? {
                value = Some(self.replaced(value.as_ref(), &[Arc::clone(name)], inner)?);
            }
        }
        Ok(value)
    }
}
