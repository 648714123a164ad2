//! The variables of a rule that can only have certain values, so that a reference with them does
//! not mean every rule. Source: OPA, `v1/ast/compile.go`, `orderedVarBindings`.

use std::collections::BTreeMap;

use super::{
    paths::value_of,
    tree::{Expr, Kind, Term, Variable},
};
use crate::value::Value;

/// 64: values of a variable, or references that one stands for.
pub(super) const VALUES_MAX: usize = 64;

/// What variables can be.
pub(super) type Values = BTreeMap<Variable, Vec<Value>>;

/// Notes what an expression of a body makes known, as far as the ones before it say.
pub(super) fn note(expr: &Expr<'_>, known: &mut Values) {
    if expr.is_negated || !expr.with.is_empty() {
        return;
    }
    let Some((left, right)) = expr.sides() else {
        return;
    };
    for (name, value) in [(left, right), (right, left)] {
        if let Kind::Variable(variable) = name.kind
            && let Some(values) = values_of(value, known)
        {
            known.entry(variable).or_insert(values);
            return;
        }
    }
}

/// The values that a term can have.
fn values_of(term: &Term<'_>, known: &Values) -> Option<Vec<Value>> {
    match &term.kind {
        Kind::Variable(variable) => known.get(variable).cloned(),
        Kind::Reference(base, steps) => {
            let mut values = known.get(base)?.clone();
            for step in steps {
                values = members(&values, step)?;
            }
            Some(values)
        }
        _ => Some(vec![value_of(term)?]),
    }
}

fn members(values: &[Value], step: &Term<'_>) -> Option<Vec<Value>> {
    let key = value_of(step);
    let mut found = Vec::new();
    for value in values {
        match &key {
            Some(key) => found.extend(value.get(key).cloned()),
            None => match value {
                Value::Array(items) => found.extend(items.iter().cloned()),
                Value::Set(items) => found.extend(items.iter().cloned()),
                Value::Object(object) => found.extend(object.iter().map(|(_, one)| one.clone())),
                _ => return None,
            },
        }
        if found.len() > VALUES_MAX {
            return None;
        }
    }
    Some(found)
}

/// The references that one can stand for: its steps, with those that are known. `None`: any step.
pub(super) fn expanded(steps: &[Term<'_>], known: &Values) -> Vec<Vec<Option<Value>>> {
    let mut all = vec![Vec::with_capacity(steps.len())];
    for step in steps {
        let values = match value_of(step) {
            Some(value) => vec![Some(value)],
            None => match values_of(step, known) {
                Some(values)
                    if !values.is_empty()
                        && all.len().saturating_mul(values.len()) <= VALUES_MAX =>
                {
                    values.into_iter().map(Some).collect()
                }
                _ => vec![None],
            },
        };
        all = all
            .iter()
            .flat_map(|prefix| {
                values.iter().map(|value| {
                    let mut longer = prefix.clone();
                    longer.push(value.clone());
                    longer
                })
            })
            .collect();
    }
    all
}
