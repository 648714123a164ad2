//! The names that a body uses itself, outside of comprehensions in it.

use std::collections::BTreeSet;

use crate::front::{Expr, ExprKind, Op, Part, Term, TermKind, is_path, names_of};

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
            let patterns = || key.iter().chain([value]);
            declared.append(&mut declared_by_some(patterns(), collection));
            for pattern in patterns() {
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

/// The names that `some … in` declares: those in its patterns that what it goes through doesn't use,
/// wherever it does. Source: OPA.
pub(super) fn declared_by_some<'t>(
    patterns: impl Iterator<Item = &'t Term>,
    collection: &Term,
) -> BTreeSet<String> {
    let (mut declared, mut used) = (BTreeSet::new(), BTreeSet::new());
    for pattern in patterns {
        declared_by(pattern, &mut declared);
    }
    all_names(collection, &mut used);
    declared.retain(|name| !used.contains(name));
    declared
}

/// Names in a term and in all that is in it.
fn all_names(term: &Term, names: &mut BTreeSet<String>) {
    names_in_term(term, names);
    let mut inside = |terms: &[&Term], body: &[Expr]| {
        for term in terms {
            all_names(term, names);
        }
        all_names_in_body(body, names);
    };
    match &term.kind {
        TermKind::ArrayOf(head, body) | TermKind::SetOf(head, body) => inside(&[head], body),
        TermKind::ObjectOf(pair, body) => inside(&[&pair.0, &pair.1], body),
        TermKind::Template(parts) => {
            for part in parts {
                if let Part::Expr(expr) = part {
                    all_names_in_body(std::slice::from_ref(expr), names);
                }
            }
        }
        TermKind::Array(items) | TermKind::Set(items) | TermKind::Call(_, items) => {
            inside(&items.iter().collect::<Vec<_>>(), &[]);
        }
        TermKind::Ref(head, steps) => {
            inside(&[head.as_ref()], &[]);
            for step in steps {
                all_names(step, names);
            }
        }
        TermKind::Object(fields) => {
            for (key, value) in fields {
                all_names(key, names);
                all_names(value, names);
            }
        }
        TermKind::Infix(_, pair) => inside(&[&pair.0, &pair.1], &[]),
        TermKind::In(membership) => {
            inside(&[&membership.value, &membership.collection], &[]);
            if let Some(key) = &membership.key {
                all_names(key, names);
            }
        }
        TermKind::Null
        | TermKind::Bool(_)
        | TermKind::Number(_)
        | TermKind::Text(_)
        | TermKind::Var(_) => {}
    }
}

fn all_names_in_body(body: &[Expr], names: &mut BTreeSet<String>) {
    for expr in body {
        match &expr.kind {
            ExprKind::Term(term) => all_names(term, names),
            ExprKind::Some(declared) => names.extend(declared.iter().map(|name| name.text.clone())),
            ExprKind::SomeIn {
                key,
                value,
                collection,
            } => {
                for term in key.iter().chain([value, collection]) {
                    all_names(term, names);
                }
            }
            ExprKind::Every {
                key,
                value,
                domain,
                body,
            } => {
                names.extend(key.iter().chain([value]).map(|name| name.text.clone()));
                all_names(domain, names);
                all_names_in_body(body, names);
            }
        }
        for with in &expr.with {
            all_names(&with.value, names);
        }
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
