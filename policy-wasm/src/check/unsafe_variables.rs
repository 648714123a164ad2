//! Tells which variables of a rule have no value. Source: OPA, `v1/ast/compile.go`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    calls::Calls,
    finding::{Code, Effort, Finding, Names},
    safety::{Safety, Unsafe},
    templates,
    tree::{DATA, Expr, INPUT, Rule, Variable},
    variables::{Scan, Variables},
};
use crate::front::ast::Place;

/// Checks a rule's head and body, and brings the body into an order in which it can be evaluated.
pub(super) fn check<'a>(
    rule: &Rule<'a>,
    body: &mut Vec<Expr<'a>>,
    calls: &Calls<'_, 'a>,
    names: &Names<'a>,
    effort: &mut Effort,
) -> Vec<Finding> {
    let mut parameters = Variables::new();
    Scan::All.terms(&rule.parameters, &mut parameters);
    let mut globals: BTreeSet<Variable> = parameters.keys().copied().collect();
    globals.extend([INPUT, DATA]);
    let found = templates::check(rule.module, body, calls, &globals, names, effort);
    if !found.is_empty() {
        return found;
    }
    let found = head(rule, body, &parameters, names);
    if !found.is_empty() {
        return found;
    }
    let mut found = Vec::new();
    let mut safety = Safety { calls, effort };
    safety.order(body, &globals, &mut found);
    if safety.effort.is_exhausted() {
        return Vec::new();
    }
    told(rule.module, &found, names)
}

fn head(
    rule: &Rule<'_>,
    body: &[Expr<'_>],
    parameters: &Variables,
    names: &Names<'_>,
) -> Vec<Finding> {
    let mut given = Variables::new();
    Scan::Needs.body(body, &mut given);
    let mut wanted = Variables::new();
    for term in rule.path.iter().chain([&rule.value]) {
        Scan::All.term(term, &mut wanted);
    }
    let unsafe_ones = wanted
        .into_iter()
        .filter(|(one, _)| !given.contains_key(one) && !parameters.contains_key(one));
    unsafe_ones
        .filter_map(|(one, place)| Some(unsafe_variable(rule.module, names.of(one)?, place, place)))
        .collect()
}

fn unsafe_variable(module: usize, name: &str, place: Place, statement: Place) -> Finding {
    let message = match name {
        "_" => "`_` has no value here: give what is looked for a name before".to_owned(),
        "every" | "in" | "if" | "contains" | "some" => {
            format!("`{name}` is not defined here; it is a keyword in another place")
        }
        name => format!("`{name}` is not defined here: it is unsafe, for nothing gives it a value"),
    };
    let mut finding = Finding::at(Code::UnsafeVariable, module, place, message);
    finding.statement = statement;
    finding
}

/// Each variable once, at its first expression.
fn told(module: usize, found: &[Unsafe], names: &Names<'_>) -> Vec<Finding> {
    let mut first: BTreeMap<Variable, (Place, Place)> = BTreeMap::new();
    let mut assigned = BTreeSet::new();
    for one in found {
        assigned.extend(one.assigned.iter().copied());
        for (variable, place) in &one.variables {
            let before = first.get(variable).map(|(statement, _)| *statement);
            if before.is_none_or(|before| is_before(one.place, before)) {
                first.insert(*variable, (one.place, *place));
            }
        }
    }
    // What an expression would give a value to lacks one only because another does.
    let is_cause = |variable: &Variable| !assigned.contains(variable);
    let has_cause = first
        .keys()
        .any(|one| names.of(*one).is_some() && is_cause(one));
    let mut findings: Vec<Finding> = first
        .iter()
        .filter(|(one, _)| !has_cause || is_cause(one))
        .filter_map(|(one, (statement, place))| {
            Some(unsafe_variable(module, names.of(*one)?, *place, *statement))
        })
        .collect();
    if findings.is_empty()
        && let Some(one) = found.first()
    {
        let message = "this can't be evaluated: what it needs has no value";
        findings.push(Finding::at(
            Code::UnsafeVariable,
            module,
            one.place,
            message,
        ));
    }
    findings
}

fn is_before(one: Place, other: Place) -> bool {
    (one.line, one.column) < (other.line, other.column)
}
