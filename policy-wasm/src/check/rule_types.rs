//! The types of rules, by their paths below `data`. Source: OPA, `v1/ast/env.go`.

use std::{cell::OnceCell, collections::BTreeMap};

use super::{
    paths::value_of,
    tree::Term,
    type_system::{Known, Type, or, type_of},
};
use crate::value::Value;

/// What is known of the rules at a path and below it.
#[derive(Debug, Default)]
pub(super) struct RuleTypes {
    known: Known,
    children: BTreeMap<Value, RuleTypes>,
    /// The type of all that is here, once it was asked for.
    whole: OnceCell<Type>,
}

impl RuleTypes {
    /// The type of the rules at exactly this path.
    pub(super) const fn known(&self) -> &Known {
        &self.known
    }

    /// Whether nothing is said at all.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_none() && self.children.is_empty()
    }

    /// What is one step further.
    pub(super) fn child(&self, key: &Value) -> Option<&Self> {
        self.children.get(key)
    }

    fn made(&mut self, path: &[Value]) -> &mut Self {
        let mut at = self;
        for key in path {
            at.whole.take();
            at = at.children.entry(key.clone()).or_default();
        }
        at.whole.take();
        at
    }

    /// Sets the type of a rule, whatever others say.
    pub(super) fn put(&mut self, path: &[Value], known: Type) {
        self.made(path).known = Some(known);
    }

    /// Adds what one more definition of a rule may be; objects around and inside it have it, too.
    pub(super) fn insert(&mut self, path: &[Value], known: &Type) {
        let mut at = &mut *self;
        for (index, key) in path.iter().enumerate() {
            at.whole.take();
            at = at.children.entry(key.clone()).or_default();
            let rest = path.get(index.saturating_add(1)..).unwrap_or_default();
            if let (Some(object @ Type::Object(_)), false) = (&at.known, rest.is_empty()) {
                at.known = Some(with_field(object, rest, known));
            }
        }
        at.whole.take();
        at.known = merged(at.known.take(), Some(known.clone()));
        if matches!(known, Type::Object(_)) {
            for (path, one) in at.leaves() {
                if let Some(object @ Type::Object(_)) = &at.known {
                    at.known = Some(with_field(object, &path, &one));
                }
            }
        }
    }

    fn leaves(&self) -> Vec<(Vec<Value>, Type)> {
        let mut leaves = Vec::new();
        let mut pending: Vec<(Vec<Value>, &Self)> = Vec::new();
        let step = |path: &[Value], node: &'_ Self| -> Vec<(Vec<Value>, Value)> {
            let keys = node.children.keys();
            keys.map(|key| ([path, std::slice::from_ref(key)].concat(), key.clone()))
                .collect()
        };
        for (path, key) in step(&[], self) {
            pending.extend(self.child(&key).map(|child| (path, child)));
        }
        while let Some((path, node)) = pending.pop() {
            if let Some(known) = &node.known {
                leaves.push((path, known.clone()));
                continue;
            }
            for (path, key) in step(&path, node) {
                pending.extend(node.child(&key).map(|child| (path, child)));
            }
        }
        leaves
    }

    /// The type of all that is here: of a rule, or of the rules below and any data beside them.
    pub(super) fn extent(&self) -> Type {
        if let Some(known) = &self.known {
            return known.clone();
        }
        let whole = self.whole.get_or_init(|| {
            let children = self.children.iter();
            let children = children.filter(|(key, _)| is_plain(key));
            let fields = children.map(|(key, child)| (key.clone(), Some(child.extent())));
            let rest = (Some(Type::Text), Some(Type::anything()));
            Type::object(fields.collect(), Some(rest))
        });
        whole.clone()
    }

    /// The type of the keys of all that is here.
    pub(super) fn keys(&self) -> Known {
        if let Some(known) = &self.known {
            return known.keys();
        }
        // Texts come behind other plain keys.
        let others = self.children.keys();
        let others = others.take_while(|key| !matches!(key, Value::String(_)));
        let others = others.filter(|key| is_plain(key)).map(type_of);
        let mut keys = Some(Type::Text);
        for other in others {
            keys = or(keys, Some(other));
        }
        keys
    }

    /// The type of a reference below it.
    pub(super) fn select(&self, steps: &[Term<'_>]) -> Known {
        // What is not known by name may be data, which may be anything.
        let whole = || {
            if steps.is_empty() {
                self.extent()
            } else {
                Type::anything()
            }
        };
        self.find(steps).unwrap_or_else(|| Some(whole()))
    }

    /// The type of a reference below it; `None`: nothing is said of it here.
    pub(super) fn find(&self, steps: &[Term<'_>]) -> Option<Known> {
        if self.is_empty() {
            return None;
        }
        let Some((step, rest)) = steps.split_first() else {
            return Some(Some(self.extent()));
        };
        let key = value_of(step);
        let child = key.as_ref().and_then(|key| self.child(key));
        match (child, &self.known) {
            (Some(child), _) => child.find(rest),
            (None, Some(known)) => Some(selected(Some(known.clone()), steps)),
            (None, None) if key.is_none() => Some(Some(Type::anything())),
            (None, None) => None,
        }
    }
}

const fn is_plain(key: &Value) -> bool {
    matches!(key, Value::String(_) | Value::Number(_) | Value::Bool(_))
}

/// The type of what steps lead to. Source: OPA, `selectRef`.
pub(super) fn selected(known: Known, steps: &[Term<'_>]) -> Known {
    steps.iter().try_fold(known?, |known, step| {
        if step.is_scalar() {
            return known.select(&value_of(step)?);
        }
        if known.is_empty_collection() {
            return Some(Type::anything());
        }
        known.values()
    })
}

/// An object's type with one more field, at a path inside it.
fn with_field(object: &Type, path: &[Value], known: &Type) -> Type {
    let (Type::Object(object), Some((key, rest))) = (object, path.split_first()) else {
        return object.clone();
    };
    let value = if rest.is_empty() {
        known.clone()
    } else {
        with_field(&Type::object(Vec::new(), None), rest, known)
    };
    let key = Some(type_of(key));
    let rest = match &object.rest {
        Some((keys, values)) => (or(keys.clone(), key), or(values.clone(), Some(value))),
        None => (key, Some(value)),
    };
    Type::object(object.fields.clone(), Some(rest))
}

/// The type of a rule with several definitions. Source: OPA, `mergeTypes`.
fn merged(left: Known, right: Known) -> Known {
    let (Some(one), Some(other)) = (&left, &right) else {
        return left.or(right);
    };
    match (one, other) {
        (Type::Object(one), Type::Object(other))
            if one.fields.is_empty() && other.fields.is_empty() =>
        {
            let (Some((key, value)), Some((other_key, other_value))) = (&one.rest, &other.rest)
            else {
                return if one.rest.is_none() { right } else { left };
            };
            let keys = or(key.clone(), other_key.clone());
            let values = merged(value.clone(), other_value.clone());
            Some(Type::object(Vec::new(), Some((keys, values))))
        }
        (Type::Set(one), Type::Set(other)) => Some(Type::set(or(one.of.clone(), other.of.clone()))),
        _ => or(left, right),
    }
}
