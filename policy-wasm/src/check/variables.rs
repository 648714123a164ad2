//! Which variables stand where. Source: OPA, `v1/ast/visit.go`, the settings of its visitor.

use std::collections::BTreeMap;

use super::tree::{Expr, ExprKind, Kind, Target, Term, Variable, With, WithValue};
use crate::front::ast::Place;

/// Variables, each with the first place where it was met.
pub(super) type Variables = BTreeMap<Variable, Place>;

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scan {
    /// Everything, bodies inside it too.
    All,
    /// What must have a value for an expression to be evaluated: nothing in bodies inside it.
    Needs,
    /// What a pattern may give a value to: no keys, no bases of references, no bodies.
    Pattern,
    /// The same without sets.
    Argument,
}

impl Scan {
    const fn goes_inside(self) -> bool {
        matches!(self, Self::All)
    }

    const fn takes_bases(self) -> bool {
        matches!(self, Self::All | Self::Needs)
    }

    /// Collects what stands in a term.
    pub(super) fn term(self, term: &Term<'_>, found: &mut Variables) {
        match &term.kind {
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {}
            Kind::Variable(variable) => add(found, *variable, term.place),
            Kind::Reference(base, steps) => {
                if self.takes_bases() {
                    add(found, *base, term.place);
                }
                self.terms(steps, found);
            }
            Kind::Set(_) if matches!(self, Self::Argument) => {}
            Kind::Array(items) | Kind::Set(items) => self.terms(items, found),
            Kind::Object(fields) => {
                for (key, value) in fields {
                    if self.takes_bases() {
                        self.term(key, found);
                    }
                    self.term(value, found);
                }
            }
            Kind::Comprehension(comprehension) => {
                if self.goes_inside() {
                    if let Some(key) = &comprehension.key {
                        self.term(key, found);
                    }
                    self.term(&comprehension.value, found);
                    self.body(&comprehension.body, found);
                }
            }
        }
    }

    /// Collects what stands in terms.
    pub(super) fn terms(self, terms: &[Term<'_>], found: &mut Variables) {
        for term in terms {
            self.term(term, found);
        }
    }

    /// Collects what stands in an expression.
    pub(super) fn expr(self, expr: &Expr<'_>, found: &mut Variables) {
        match &expr.kind {
            ExprKind::Term(term) => self.term(term, found),
            ExprKind::Call(_, arguments) => self.terms(arguments, found),
            ExprKind::Every(every) => {
                self.term(&every.domain, found);
                if !self.goes_inside() {
                    return;
                }
                for variable in every.key.iter().chain([&every.value]) {
                    add(found, *variable, expr.place);
                }
                self.body(&every.body, found);
            }
        }
        for with in expr.with.iter() {
            self.with(with, found);
        }
    }

    /// Collects what stands in expressions.
    pub(super) fn body(self, body: &[Expr<'_>], found: &mut Variables) {
        for expr in body {
            self.expr(expr, found);
        }
    }

    /// Collects what stands in a modifier, without the bases of its references.
    pub(super) fn with(self, with: &With<'_>, found: &mut Variables) {
        if let Target::Reference(base, steps) = &with.target {
            if self.goes_inside() {
                add(found, *base, with.place);
            }
            self.terms(steps, found);
        }
        match &with.value {
            WithValue::Term(Term {
                kind: Kind::Reference(base, steps),
                place,
            }) => {
                if self.goes_inside() {
                    add(found, *base, *place);
                }
                self.terms(steps, found);
            }
            WithValue::Term(term) => self.term(term, found),
            WithValue::Builtin(_) => {}
        }
    }
}

fn add(found: &mut Variables, variable: Variable, place: Place) {
    found.entry(variable).or_insert(place);
}

/// Calls `visit` with every body that stands directly in an expression, and says whether it is that
/// of an `every`.
pub(super) fn bodies_in<'t, 'a>(expr: &'t Expr<'a>, visit: &mut impl FnMut(Inside<'t, 'a>)) {
    match &expr.kind {
        ExprKind::Term(term) => bodies_in_term(term, visit),
        ExprKind::Call(_, arguments) => {
            for argument in arguments {
                bodies_in_term(argument, visit);
            }
        }
        ExprKind::Every(every) => {
            bodies_in_term(&every.domain, visit);
            visit(Inside::Every(every));
        }
    }
    for with in expr.with.iter() {
        if let WithValue::Term(term) = &with.value {
            bodies_in_term(term, visit);
        }
    }
}

/// What has a body of its own.
#[derive(Debug, Clone, Copy)]
pub(super) enum Inside<'t, 'a> {
    Comprehension(&'t super::tree::Comprehension<'a>),
    Every(&'t super::tree::Every<'a>),
}

/// The same of a term.
pub(super) fn bodies_in_term<'t, 'a>(term: &'t Term<'a>, visit: &mut impl FnMut(Inside<'t, 'a>)) {
    match &term.kind {
        Kind::Reference(_, items) | Kind::Array(items) | Kind::Set(items) => {
            for item in items {
                bodies_in_term(item, visit);
            }
        }
        Kind::Object(fields) => {
            for (key, value) in fields {
                bodies_in_term(key, visit);
                bodies_in_term(value, visit);
            }
        }
        Kind::Comprehension(comprehension) => visit(Inside::Comprehension(comprehension)),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Variable(_) => {}
    }
}

/// Whether a step of a reference is not known outright.
pub(super) fn is_dynamic(steps: &[Term<'_>]) -> bool {
    !steps.iter().all(Term::is_constant)
}
