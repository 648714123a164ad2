//! What names mean: those that a rule declares, imports, functions.
//!
//! OPA writes every reference out before it evaluates. Here imported names are, and the names of
//! functions, so that a function is the same for its callers and for `with` in every package.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ast::{Expr, ExprKind, Module, Op, Part, Place, Term, TermKind, names_of},
    lower::Lowering,
};

/// 4: levels of a term that is never taken apart.
const PLAIN_DEPTH: u32 = 4;

/// What all modules define together.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    /// Paths of functions below `data`.
    pub(super) functions: BTreeSet<Vec<String>>,
    /// The first names of rules and functions, by package.
    pub(super) names: BTreeMap<Vec<String>, BTreeSet<String>>,
}

impl Definitions {
    /// Enters what a module defines.
    pub(crate) fn add(&mut self, module: &Module) {
        let package = names_of(&module.package);
        let names = self.names.entry(package.clone()).or_default();
        for rule in &module.rules {
            let path = names_of(&rule.head.name);
            names.extend(path.first().cloned());
            if rule.head.parameters.is_some() {
                self.functions.insert(joined(&package, &path));
            }
        }
    }
}

impl Lowering<'_> {
    /// Whether a term is a name that has its value from the rule at hand.
    pub(super) fn is_local(&self, term: &Term) -> bool {
        term.name().is_some_and(|name| {
            let is_declared = self.scopes.iter().any(|scope| scope.contains(name));
            is_declared || !self.globals.contains(name)
        })
    }

    /// Whether a term names a function, and so has no value of its own.
    pub(super) fn is_function(&self, term: &Term) -> bool {
        let names = names_of(term);
        let is_builtin = || regorus::unstable::BUILTINS.contains_key(names.join(".").as_str());
        match names.split_first() {
            Some((root, path)) if root == "data" => self.functions.contains(path),
            Some(_) => is_path(term) && is_builtin(),
            None => false,
        }
    }

    /// Writes an imported name out, unless the rule at hand declares it.
    pub(super) fn resolve(&self, term: &mut Term) {
        let Some(name) = term.name() else { return };
        if self.scopes.iter().any(|scope| scope.contains(name)) {
            return;
        }
        if let Some(path) = self.imports.get(name) {
            *term = path_at(term.place, path);
        }
    }

    /// Writes the name of a function out, so that it is the same wherever it is called or replaced.
    pub(super) fn resolve_function(&self, term: &mut Term) {
        if !is_path(term) {
            return;
        }
        let names = names_of(term);
        let Some((root, rest)) = names.split_first() else {
            return;
        };
        if let Some(path) = self.imports.get(root) {
            *term = path_at(term.place, &joined(path, rest));
        } else {
            let path = joined(&self.package, &names);
            if self.functions.contains(&path) {
                *term = path_at(term.place, &joined(&["data".to_owned()], &path));
            }
        }
    }
}

/// Whether a term is a reference of names only.
pub(crate) fn is_path(term: &Term) -> bool {
    match &term.kind {
        TermKind::Var(_) => true,
        TermKind::Ref(head, steps) => {
            let mut steps = steps.iter();
            head.name().is_some() && steps.all(|step| matches!(step.kind, TermKind::Text(_)))
        }
        _ => false,
    }
}

pub(super) fn path_at(place: Place, names: &[String]) -> Term {
    let mut names = names.iter().cloned();
    let head = Term::new(place, TermKind::Var(names.next().unwrap_or_default()));
    let steps: Vec<Term> = names
        .map(|name| Term::new(place, TermKind::Text(name)))
        .collect();
    if steps.is_empty() {
        head
    } else {
        Term::new(place, TermKind::Ref(Box::new(head), steps))
    }
}

pub(super) fn joined(path: &[String], rest: &[String]) -> Vec<String> {
    path.iter().chain(rest).cloned().collect()
}

/// The names that an expression declares for the body that it is in.
pub(super) fn declared_in(expr: &Expr, names: &mut BTreeSet<String>) {
    match &expr.kind {
        ExprKind::Term(term) => {
            if let TermKind::Infix(Op::Assign, pair) = &term.kind {
                declared_by(&pair.0, names);
            }
        }
        ExprKind::Some(some) => names.extend(some.iter().map(|name| name.text.clone())),
        ExprKind::SomeIn { key, value, .. } => {
            for pattern in key.iter().chain([value]) {
                declared_by(pattern, names);
            }
        }
        ExprKind::Every { .. } => {}
    }
}

/// The names in a pattern.
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

/// Whether a term, or a body in it, uses one of these names.
pub(super) fn mentions(term: &Term, names: &BTreeSet<String>) -> bool {
    let any = |terms: &[Term]| terms.iter().any(|term| mentions(term, names));
    let both = |pair: &(Term, Term)| mentions(&pair.0, names) || mentions(&pair.1, names);
    match &term.kind {
        TermKind::Null | TermKind::Bool(_) | TermKind::Number(_) | TermKind::Text(_) => false,
        TermKind::Var(name) => names.contains(name),
        TermKind::Template(parts) => parts.iter().any(|part| match part {
            Part::Text(_) => false,
            Part::Expr(expr) => is_mentioned_in(expr, names),
        }),
        TermKind::Ref(head, items) | TermKind::Call(head, items) => {
            mentions(head, names) || any(items)
        }
        TermKind::Array(items) | TermKind::Set(items) => any(items),
        TermKind::Object(fields) => fields.iter().any(both),
        TermKind::ArrayOf(member, body) | TermKind::SetOf(member, body) => {
            mentions(member, names) || body.iter().any(|expr| is_mentioned_in(expr, names))
        }
        TermKind::ObjectOf(pair, body) => {
            both(pair) || body.iter().any(|expr| is_mentioned_in(expr, names))
        }
        TermKind::Infix(_, pair) => both(pair),
        TermKind::In(membership) => {
            let key = membership.key.as_ref();
            key.is_some_and(|key| mentions(key, names))
                || mentions(&membership.value, names)
                || mentions(&membership.collection, names)
        }
    }
}

fn is_mentioned_in(expr: &Expr, names: &BTreeSet<String>) -> bool {
    let own = match &expr.kind {
        ExprKind::Term(term) => mentions(term, names),
        ExprKind::Some(_) => false,
        ExprKind::SomeIn { collection, .. } => mentions(collection, names),
        ExprKind::Every { domain, body, .. } => {
            mentions(domain, names) || body.iter().any(|expr| is_mentioned_in(expr, names))
        }
    };
    own || expr.with.iter().any(|with| mentions(&with.value, names))
}

/// The names of a body that get their value from others of it. `names`: those that it declares.
pub(super) fn late_in(body: &[Expr], names: &BTreeSet<String>) -> BTreeSet<String> {
    let mut late = BTreeSet::new();
    for expr in body {
        let (pattern, source) = match &expr.kind {
            ExprKind::Term(term) => match &term.kind {
                TermKind::Infix(Op::Assign, pair) => (&pair.0, &pair.1),
                _ => continue,
            },
            ExprKind::SomeIn {
                value, collection, ..
            } => (value, collection),
            ExprKind::Some(_) | ExprKind::Every { .. } => continue,
        };
        // What is taken apart hangs on names of ours.
        let is_whole = pattern.name().is_some() && source.depth <= PLAIN_DEPTH;
        if !is_whole || !expr.with.is_empty() || mentions(source, names) {
            declared_in(expr, &mut late);
        }
    }
    late
}
