//! The order in which a body can be evaluated, and the variables for which there is none.
//!
//! An expression can be evaluated when all that it needs has a value; it may give others theirs.
//! Source: OPA, `v1/ast/compile.go`, `reorderBodyForSafety`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    calls::Calls,
    finding::Effort,
    outputs::assigned_by,
    tree::{Comprehension, Expr, ExprKind, Kind, Term, Variable},
    variables::{Inside, Scan, Variables, bodies_in},
};
use crate::front::ast::Place;

/// An expression that can't be evaluated, and what has no value there.
#[derive(Debug, Clone)]
pub(super) struct Unsafe {
    pub(super) place: Place,
    /// What the expression itself would give a value to.
    pub(super) assigned: BTreeSet<Variable>,
    pub(super) variables: Variables,
}

/// Orders bodies.
pub(super) struct Safety<'s, 'r, 'a> {
    pub(super) calls: &'s Calls<'r, 'a>,
    pub(super) effort: &'s mut Effort,
}

impl<'a> Safety<'_, '_, 'a> {
    /// Brings a body, and those in it, into an order in which it can be evaluated.
    /// `globals`: what has a value before.
    pub(super) fn order(
        &mut self,
        body: &mut Vec<Expr<'a>>,
        globals: &BTreeSet<Variable>,
        found: &mut Vec<Unsafe>,
    ) {
        let mut needs = Variables::new();
        Scan::Needs.body(body, &mut needs);
        let of_body: BTreeSet<Variable> = needs.into_keys().collect();
        let mut safe: BTreeSet<Variable> = of_body.intersection(globals).copied().collect();
        let mut waiting: Vec<Waiting> = body
            .iter()
            .map(|expr| Waiting::of(expr, &of_body, globals, &safe))
            .collect();
        let mut users: BTreeMap<Variable, Vec<usize>> = BTreeMap::new();
        for (index, one) in waiting.iter().enumerate() {
            for variable in one.misses.keys().chain(&one.closes) {
                users.entry(*variable).or_default().push(index);
            }
        }
        let mut order: Vec<usize> = Vec::new();
        loop {
            let before = order.len();
            for (index, expr) in body.iter().enumerate() {
                let Some(one) = waiting.get_mut(index) else {
                    continue;
                };
                if one.is_done || !one.is_due || !self.effort.spend(one.cost) {
                    continue;
                }
                // Nothing changes for it before something that it needs gets a value.
                one.is_due = false;
                let outputs = self.outputs(expr, &safe);
                if !one.closes.is_empty() {
                    // In OPA what an expression gives a value to itself, none of its bodies sees, even
                    // if it has a value before.
                    if one.closes == outputs {
                        continue;
                    }
                    for variable in &one.closes {
                        let place = one.place_of(*variable, expr);
                        one.misses.entry(*variable).or_insert(place);
                    }
                }
                one.misses
                    .retain(|variable, _| !outputs.contains(variable) && !safe.contains(variable));
                if one.misses.is_empty() {
                    one.is_done = true;
                    order.push(index);
                    for variable in &outputs {
                        for user in users.remove(variable).into_iter().flatten() {
                            if let Some(one) = waiting.get_mut(user) {
                                one.is_due = true;
                            }
                        }
                    }
                    safe.extend(outputs);
                }
            }
            if order.len() == before || !self.effort.spend(body.len()) {
                break;
            }
        }
        self.inside(body, &order, globals, found);
        for (expr, one) in body.iter().zip(&waiting) {
            if !one.is_done {
                found.push(Unsafe::of(expr, one.misses.clone()));
            }
        }
        if order.len() == body.len() {
            arrange(body, &order);
        }
    }

    /// Orders the bodies inside, each with what has a value where it stands.
    fn inside(
        &mut self,
        body: &mut [Expr<'a>],
        order: &[usize],
        globals: &BTreeSet<Variable>,
        found: &mut Vec<Unsafe>,
    ) {
        let mut known = globals.clone();
        for index in order {
            let Some(expr) = body.get_mut(*index) else {
                continue;
            };
            let mut needs = Variables::new();
            Scan::Needs.expr(expr, &mut needs);
            let (place, assigned) = (expr.place, assigned_by(expr));
            let mut report = |variables: Variables| {
                found.push(Unsafe {
                    place,
                    assigned: assigned.clone(),
                    variables,
                });
            };
            match &mut expr.kind {
                ExprKind::Every(every) => {
                    known.extend(every.key);
                    known.insert(every.value);
                    let mut inner = Vec::new();
                    self.order(&mut every.body, &known, &mut inner);
                    found.extend(inner);
                }
                ExprKind::Term(term) => {
                    let mut inner = Vec::new();
                    self.term(term, &known, &mut report, &mut inner);
                    found.extend(inner);
                }
                ExprKind::Call(_, arguments) => {
                    let mut inner = Vec::new();
                    for argument in arguments {
                        self.term(argument, &known, &mut report, &mut inner);
                    }
                    found.extend(inner);
                }
            }
            known.extend(needs.into_keys());
        }
    }

    fn term(
        &mut self,
        term: &mut Term<'a>,
        known: &BTreeSet<Variable>,
        report: &mut impl FnMut(Variables),
        found: &mut Vec<Unsafe>,
    ) {
        match &mut term.kind {
            Kind::Reference(_, items) | Kind::Array(items) | Kind::Set(items) => {
                for item in items {
                    self.term(item, known, report, found);
                }
            }
            Kind::Object(fields) => {
                for (key, value) in fields {
                    self.term(key, known, report, found);
                    self.term(value, known, report, found);
                }
            }
            Kind::Comprehension(comprehension) => {
                self.comprehension(comprehension, known, report, found);
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Variable(_) => {}
        }
    }

    fn comprehension(
        &mut self,
        comprehension: &mut Comprehension<'a>,
        known: &BTreeSet<Variable>,
        report: &mut impl FnMut(Variables),
        found: &mut Vec<Unsafe>,
    ) {
        let mut wanted = Variables::new();
        for term in comprehension.key.iter().chain([&comprehension.value]) {
            Scan::All.term(term, &mut wanted);
        }
        let mut given = Variables::new();
        Scan::Needs.body(&comprehension.body, &mut given);
        wanted.retain(|one, _| !given.contains_key(one) && !known.contains(one));
        if !wanted.is_empty() {
            report(wanted);
        }
        self.order(&mut comprehension.body, known, found);
    }
}

/// An expression that has no place in the order yet.
struct Waiting {
    is_done: bool,
    /// Whether something has changed for it.
    is_due: bool,
    /// What it needs and has not got.
    misses: Variables,
    /// What the bodies in it take from around them.
    closes: BTreeSet<Variable>,
    inside: Variables,
    cost: usize,
}

impl Waiting {
    fn of(
        expr: &Expr<'_>,
        of_body: &BTreeSet<Variable>,
        globals: &BTreeSet<Variable>,
        safe: &BTreeSet<Variable>,
    ) -> Self {
        let mut misses = Variables::new();
        Scan::Needs.expr(expr, &mut misses);
        let cost = misses.len().saturating_add(4).saturating_mul(2);
        misses.retain(|one, _| !safe.contains(one));
        let mut inside = Variables::new();
        bodies_in(expr, &mut |one| match one {
            Inside::Every(every) => Scan::All.body(&every.body, &mut inside),
            Inside::Comprehension(made) => {
                for term in made.key.iter().chain([&made.value]) {
                    Scan::All.term(term, &mut inside);
                }
                Scan::All.body(&made.body, &mut inside);
            }
        });
        inside.retain(|one, _| of_body.contains(one) && !globals.contains(one));
        Self {
            is_done: false,
            is_due: true,
            misses,
            closes: inside.keys().copied().collect(),
            cost: cost.saturating_add(inside.len()),
            inside,
        }
    }

    fn place_of(&self, variable: Variable, expr: &Expr<'_>) -> Place {
        self.inside.get(&variable).copied().unwrap_or(expr.place)
    }
}

impl Unsafe {
    fn of(expr: &Expr<'_>, variables: Variables) -> Self {
        Self {
            place: expr.place,
            assigned: assigned_by(expr),
            variables,
        }
    }
}

/// Puts a body into an order.
fn arrange(body: &mut Vec<Expr<'_>>, order: &[usize]) {
    let mut slots: Vec<Option<Expr<'_>>> = std::mem::take(body).into_iter().map(Some).collect();
    let ordered = order
        .iter()
        .filter_map(|index| slots.get_mut(*index)?.take());
    body.extend(ordered.collect::<Vec<_>>());
}
