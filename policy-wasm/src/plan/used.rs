//! The names that a body uses itself, outside of comprehensions in it.

use std::collections::BTreeSet;

use crate::front::{Expr, ExprKind, Op, Term, TermKind, is_path, names_of};

/// Names that a body and what it is for use, and the body does not declare.
pub(crate) fn undeclared<'a>(
    body: &[Expr],
    heads: impl IntoIterator<Item = &'a Term>,
) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let mut declared = BTreeSet::new();
    for head in heads {
        names_in_term(head, &mut used);
    }
    for expr in body {
        names_in_expr(expr, &mut used, &mut declared);
    }
    used.difference(&declared).cloned().collect()
}

/// Names that a body declares itself.
pub(super) fn declarations(body: &[Expr]) -> BTreeSet<String> {
    let mut declared = BTreeSet::new();
    for expr in body {
        names_in_expr(expr, &mut BTreeSet::new(), &mut declared);
    }
    declared.remove("_");
    declared
}

/// Names that an expression uses or gives a value to; a mere `some x` does neither.
pub(crate) fn mentioned(expr: &Expr) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let mut declared = BTreeSet::new();
    if !matches!(expr.kind, ExprKind::Some(_)) {
        names_in_expr(expr, &mut used, &mut declared);
        used.append(&mut declared);
    }
    used
}

fn names_in_expr(expr: &Expr, used: &mut BTreeSet<String>, declared: &mut BTreeSet<String>) {
    match &expr.kind {
        ExprKind::Term(term) => {
            if let TermKind::Infix(Op::Assign, pair) = &term.kind {
                declared_by(&pair.0, declared);
                names_in_term(&pair.0, used);
                names_in_term(&pair.1, used);
            } else {
                names_in_term(term, used);
            }
        }
        ExprKind::Some(some) => declared.extend(some.iter().map(|name| name.text.clone())),
        ExprKind::SomeIn {
            key,
            value,
            collection,
        } => {
            for pattern in key.iter().chain([value]) {
                declared_by(pattern, declared);
                names_in_term(pattern, used);
            }
            names_in_term(collection, used);
        }
        ExprKind::Every { domain, .. } => names_in_term(domain, used),
    }
    for with in &expr.with {
        // A function may stand there, which is no variable.
        let is_function = is_path(&with.value) && {
            let name = names_of(&with.value).join(".");
            crate::builtins::find(&name).is_some()
        };
        if !is_function {
            names_in_term(&with.value, used);
        }
    }
}

/// The names in a pattern that is declared.
pub(super) fn declared_by(pattern: &Term, names: &mut BTreeSet<String>) {
    match &pattern.kind {
        TermKind::Var(name) => {
            names.insert(name.clone());
        }
        TermKind::Array(items) => {
            for item in items {
                declared_by(item, names);
            }
        }
        TermKind::Object(fields) => {
            for (_, value) in fields {
                declared_by(value, names);
            }
        }
        _ => {}
    }
}

/// Names in a term, outside of comprehensions in it.
pub(super) fn names_in_term(term: &Term, names: &mut BTreeSet<String>) {
    let mut all = |terms: &[Term]| {
        for term in terms {
            names_in_term(term, names);
        }
    };
    match &term.kind {
        TermKind::Var(name) => {
            names.insert(name.clone());
        }
        TermKind::Ref(head, steps) => {
            all(steps);
            names_in_term(head, names);
        }
        TermKind::Array(items) | TermKind::Set(items) | TermKind::Call(_, items) => all(items),
        TermKind::Object(fields) => {
            for (key, value) in fields {
                names_in_term(key, names);
                names_in_term(value, names);
            }
        }
        TermKind::Infix(_, pair) => {
            names_in_term(&pair.0, names);
            names_in_term(&pair.1, names);
        }
        TermKind::In(membership) => {
            if let Some(key) = &membership.key {
                names_in_term(key, names);
            }
            names_in_term(&membership.value, names);
            names_in_term(&membership.collection, names);
        }
        TermKind::Null
        | TermKind::Bool(_)
        | TermKind::Number(_)
        | TermKind::Text(_)
        | TermKind::Template(_)
        | TermKind::ArrayOf(..)
        | TermKind::SetOf(..)
        | TermKind::ObjectOf(..) => {}
    }
}
