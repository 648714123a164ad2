//! What an expression gives a value to. Source: OPA, `v1/ast/compile.go`, `outputVarsForExpr`.

use std::collections::BTreeSet;

use super::{
    safety::Safety,
    tree::{Expr, ExprKind, Kind, Target, Term, Variable, WithValue},
    unify::{Basis, unified},
    variables::{Scan, Variables, is_dynamic},
};

impl<'a> Safety<'_, '_, 'a> {
    /// What an expression gives a value to when what is `safe` has one.
    pub(super) fn outputs(&self, expr: &Expr<'a>, safe: &BTreeSet<Variable>) -> BTreeSet<Variable> {
        let mut outputs = BTreeSet::new();
        if expr.is_negated {
            return outputs;
        }
        let mut needs = Variables::new();
        for with in expr.with.iter() {
            Scan::Needs.with(with, &mut needs);
        }
        if needs.keys().any(|one| !safe.contains(one)) {
            return outputs;
        }
        match &expr.kind {
            ExprKind::Term(_) => references(expr, safe, &mut outputs),
            ExprKind::Every(every) => references_in(&every.domain, safe, &mut outputs),
            ExprKind::Call(function, arguments) => {
                if let Some((left, right)) = expr.sides() {
                    return equation(expr, left, right, safe);
                }
                let Some(arity) = self.calls.arity(function) else {
                    return outputs;
                };
                references(expr, safe, &mut outputs);
                let inputs = arguments.get(..arity).unwrap_or(arguments);
                let results = arguments.get(arity..).unwrap_or_default();
                if results.is_empty() {
                    return outputs;
                }
                let mut needs = Variables::new();
                Scan::Argument.terms(inputs, &mut needs);
                if needs
                    .keys()
                    .any(|one| !safe.contains(one) && !outputs.contains(one))
                {
                    return BTreeSet::new();
                }
                let mut given = Variables::new();
                Scan::Argument.terms(results, &mut given);
                outputs.extend(given.into_keys());
            }
        }
        outputs
    }

    /// What a body gives values to, in the order in which it is written.
    pub(super) fn outputs_of(
        &self,
        body: &[Expr<'a>],
        safe: &BTreeSet<Variable>,
    ) -> BTreeSet<Variable> {
        let mut known = safe.clone();
        for expr in body {
            let outputs = self.outputs(expr, &known);
            known.extend(outputs);
        }
        known
    }
}

/// The variables that an expression with `:=` is there for.
pub(super) fn assigned_by(expr: &Expr<'_>) -> BTreeSet<Variable> {
    let mut assigned = Variables::new();
    if expr.is_assignment
        && let Some((left, _)) = expr.sides()
    {
        Scan::All.term(left, &mut assigned);
    }
    assigned.into_keys().collect()
}

fn equation(
    expr: &Expr<'_>,
    left: &Term<'_>,
    right: &Term<'_>,
    safe: &BTreeSet<Variable>,
) -> BTreeSet<Variable> {
    let mut basis = Basis {
        safe,
        more: BTreeSet::new(),
        less: BTreeSet::new(),
    };
    references(expr, safe, &mut basis.more);
    if expr.is_assignment {
        // What stands on the left only takes a value.
        basis.less = assigned_by(expr);
    }
    let mut outputs = unified(&basis, left, right);
    outputs.extend(basis.more.difference(&basis.less));
    outputs.retain(|one| !safe.contains(one));
    outputs
}

/// The variables that references iterate over, in all terms of an expression.
fn references(expr: &Expr<'_>, safe: &BTreeSet<Variable>, outputs: &mut BTreeSet<Variable>) {
    match &expr.kind {
        ExprKind::Term(term) => references_in(term, safe, outputs),
        ExprKind::Call(_, arguments) => {
            for argument in arguments {
                references_in(argument, safe, outputs);
            }
        }
        ExprKind::Every(every) => references_in(&every.domain, safe, outputs),
    }
    for with in expr.with.iter() {
        if let Target::Reference(base, steps) = &with.target {
            reference(*base, steps, safe, outputs);
        }
        if let WithValue::Term(value) = &with.value {
            references_in(value, safe, outputs);
        }
    }
}

fn references_in(term: &Term<'_>, safe: &BTreeSet<Variable>, outputs: &mut BTreeSet<Variable>) {
    match &term.kind {
        Kind::Reference(base, steps) => reference(*base, steps, safe, outputs),
        Kind::Array(items) | Kind::Set(items) => {
            for item in items {
                references_in(item, safe, outputs);
            }
        }
        Kind::Object(fields) => {
            for (key, value) in fields {
                references_in(key, safe, outputs);
                references_in(value, safe, outputs);
            }
        }
        _ => {}
    }
}

fn reference(
    base: Variable,
    steps: &[Term<'_>],
    safe: &BTreeSet<Variable>,
    outputs: &mut BTreeSet<Variable>,
) {
    if !safe.contains(&base) {
        return;
    }
    if is_dynamic(steps) {
        let mut found = Variables::new();
        for step in steps {
            iterated(step, &mut found);
        }
        outputs.extend(found.into_keys());
    }
    for step in steps {
        references_in(step, safe, outputs);
    }
}

/// What stands in a step, without the bases of references in it.
fn iterated(term: &Term<'_>, found: &mut Variables) {
    match &term.kind {
        Kind::Variable(variable) => {
            found.entry(*variable).or_insert(term.place);
        }
        Kind::Reference(_, items) | Kind::Array(items) | Kind::Set(items) => {
            for item in items {
                iterated(item, found);
            }
        }
        Kind::Object(fields) => {
            for (key, value) in fields {
                iterated(key, found);
                iterated(value, found);
            }
        }
        _ => {}
    }
}
