//! Patterns: what is on the left of `:=`, on either side of `=`, behind `some`, in a function's head.

use std::collections::BTreeSet;

use super::{
    ast::{Body, Expr, ExprKind, Op, Term, TermKind},
    lower::{Lowering, is_constant},
    names::{declared_by, path_at},
};

impl Lowering<'_> {
    /// The patterns on both sides of an assignment or a unification.
    pub(super) fn equation(&mut self, term: &mut Term, is_negated: bool, checks: &mut Body) {
        self.given_by_every(term);
        match &mut term.kind {
            // Nothing in a negation gets its value there.
            TermKind::Infix(op @ Op::Unify, _) if is_negated => *op = Op::Equal,
            TermKind::Infix(Op::Assign, pair) => self.exact(&mut pair.0, Op::Assign, checks),
            TermKind::Infix(Op::Unify, pair) => {
                // Two patterns are compared with each other, member by member.
                if !is_collection(&pair.1) {
                    self.exact(&mut pair.0, Op::Unify, checks);
                } else if !is_collection(&pair.0) {
                    self.exact(&mut pair.1, Op::Unify, checks);
                }
            }
            _ => {}
        }
    }

    /// What `every` names has its value already; to the engine a unification could give it another.
    fn given_by_every(&self, term: &mut Term) {
        let TermKind::Infix(op @ Op::Unify, pair) = &mut term.kind else {
            return;
        };
        let is_given = |term: &Term| term.name().is_some_and(|name| self.every.contains(name));
        if is_given(&pair.0) && !is_given(&pair.1) {
            std::mem::swap(&mut pair.0, &mut pair.1);
        } else if !is_given(&pair.1) {
            return;
        }
        let is_open = |name: &str| {
            let is_declared = self.scopes.iter().any(|scope| scope.contains(name));
            name == "_" || !(is_declared || self.globals.contains(name))
        };
        let binds = match &pair.0.kind {
            TermKind::Var(name) => is_open(name),
            TermKind::Array(_) | TermKind::Object(_) => {
                let mut names = BTreeSet::new();
                declared_by(&pair.0, &mut names);
                names.iter().any(|name| is_open(name))
            }
            _ => false,
        };
        *op = if binds { Op::Assign } else { Op::Equal };
    }

    /// Puts names in the place of objects in a pattern and says afterwards what they must be. To
    /// the engine a pattern fits objects that have more than it says, too.
    pub(super) fn exact(&mut self, pattern: &mut Term, op: Op, checks: &mut Body) {
        match &mut pattern.kind {
            TermKind::Array(items) => {
                for item in items {
                    self.exact(item, op, checks);
                }
            }
            TermKind::Object(fields) => {
                let is_constant_key = |(key, _): &(Term, Term)| is_constant(key);
                if fields.iter().all(|(_, value)| is_constant(value))
                    || !fields.iter().all(is_constant_key)
                {
                    return;
                }
                let place = pattern.place;
                let members = fields.len();
                let mut inside = Vec::new();
                for (_, value) in fields {
                    self.exact(value, op, &mut inside);
                }
                let name = self.fresh(place);
                let object = std::mem::replace(pattern, name.clone());
                let called = |function: &str| {
                    let function = Box::new(path_at(place, &[function.to_owned()]));
                    Term::new(place, TermKind::Call(function, vec![name.clone()]))
                };
                let wanted = Term::new(place, TermKind::Number(members.to_string()));
                let counted = TermKind::Infix(Op::Equal, Box::new((called("count"), wanted)));
                let bound = TermKind::Infix(op, Box::new((object, name.clone())));
                for term in [
                    called("is_object"),
                    Term::new(place, counted),
                    Term::new(place, bound),
                ] {
                    checks.push(Expr::new(place, ExprKind::Term(term)));
                }
                checks.append(&mut inside);
            }
            _ => {}
        }
    }
}

const fn is_collection(term: &Term) -> bool {
    matches!(term.kind, TermKind::Array(_) | TermKind::Object(_))
}

/// Whether two parameters, or parts of them, have one name.
pub(super) fn has_repeated_name(parameters: Option<&[Term]>) -> bool {
    let mut pending: Vec<&Term> = parameters.unwrap_or_default().iter().collect();
    let mut seen = BTreeSet::new();
    while let Some(term) = pending.pop() {
        match &term.kind {
            TermKind::Var(name) if name != "_" && !seen.insert(name) => return true,
            TermKind::Array(items) => pending.extend(items),
            TermKind::Object(fields) => pending.extend(fields.iter().map(|(_, value)| value)),
            _ => {}
        }
    }
    false
}
