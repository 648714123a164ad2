//! Rules that contradict each other by their heads. Source: OPA, `v1/ast/compile.go`.

use std::collections::BTreeSet;

use super::{
    finding::{Code, Finding},
    paths::{Index, Paths, ROOT, shown, value_of},
    tree::{Rule, Term, constant_prefix},
};
use crate::{front::ast::Place, value::Value};

/// Finds rules that contradict each other, and packages that lie inside a rule.
pub(super) fn check(
    rules: &[Rule<'_>],
    paths: &Paths,
    places: &[Place],
    findings: &mut Vec<Finding>,
) {
    findings.extend(defaults_beside_keys(rules));
    let mut pending = vec![ROOT];
    while let Some(index) = pending.pop() {
        let Some(node) = paths.node(index) else {
            continue;
        };
        pending.extend(node.children.values().rev());
        if !node.rules.is_empty() {
            let here: Vec<&Rule<'_>> = node
                .rules
                .iter()
                .filter_map(|one| rules.get(*one))
                .collect();
            findings.extend(conflict(&here, index, rules, paths));
            findings.extend(packages(&here, index, paths, places));
        }
    }
}

/// Finds defaults beside rules whose keys may be theirs: there OPA passes over them.
fn defaults_beside_keys(rules: &[Rule<'_>]) -> Vec<Finding> {
    let with_keys = rules
        .iter()
        .filter(|rule| !rule.is_default && !is_ground(rule));
    let prefixes = with_keys.map(|rule| {
        constant_prefix(&rule.path)
            .iter()
            .filter_map(value_of)
            .collect()
    });
    let prefixes: BTreeSet<Vec<Value>> = prefixes.collect();
    let defaults = rules
        .iter()
        .filter(|rule| rule.is_default && is_ground(rule));
    let beside = defaults.filter(|rule| {
        let path: Vec<Value> = rule.path.iter().filter_map(value_of).collect();
        (0..path.len()).any(|length| {
            path.get(..length)
                .is_some_and(|above| prefixes.contains(above))
        })
    });
    let findings = beside.map(|rule| {
        let message = format!(
            "the default of `{}` means nothing to OPA beside a rule with a variable at its place; give one of \
             them another name",
            shown(&rule.path)
        );
        Finding::at(Code::Refused, rule.module, rule.place, message)
    });
    findings.collect()
}

fn is_ground(rule: &Rule<'_>) -> bool {
    rule.path.iter().all(Term::is_constant)
}

/// A package whose path is that of a rule.
fn packages(here: &[&Rule<'_>], index: Index, paths: &Paths, places: &[Place]) -> Vec<Finding> {
    let Some(rule) = here.iter().find(|rule| is_ground(rule)) else {
        return Vec::new();
    };
    let modules = paths.node(index).map(|node| node.modules.as_slice());
    let modules = modules.unwrap_or_default().iter();
    let found = modules.map(|_| {
        let message = format!(
            "`{}` is a package, too; give the rule or the package another name",
            shown(&rule.path)
        );
        // OPA tells it at the package of the rule's module.
        let place = places.get(rule.module).copied().unwrap_or_default();
        Finding::at(Code::Type, rule.module, place, message)
    });
    found.collect()
}

fn conflict(
    here: &[&Rule<'_>],
    index: Index,
    rules: &[Rule<'_>],
    paths: &Paths,
) -> Option<Finding> {
    let first = here.first()?;
    let name = shown(constant_prefix(&first.path));
    let wrong = |message: String| Some(Finding::at(Code::Type, first.module, first.place, message));
    let below = paths.rules_below(index);
    let mut below = below.iter().filter_map(|one| rules.get(*one));
    let inside = if here.iter().any(|rule| is_ground(rule)) {
        below.next()
    } else {
        below.find(|rule| !rule.parameters.is_empty())
    };
    if let Some(inside) = inside {
        return wrong(format!(
            "rule `{name}` conflicts with `{}` in line {}, which would be part of its value",
            shown(&inside.path),
            inside.place.line
        ));
    }
    let arities: BTreeSet<usize> = here.iter().map(|rule| rule.parameters.len()).collect();
    let is_complete = |rule: &&&Rule<'_>| !rule.is_partial_set && is_ground(rule);
    let complete = here.iter().filter(is_complete).count();
    let sets = here.iter().filter(|rule| rule.is_partial_set);
    let ground_sets = sets.clone().filter(|rule| is_ground(rule)).count();
    let sets = sets.count();
    let reason = if arities.len() > 1 && arities.contains(&0) {
        "it is a function and a rule"
    } else if arities.len() > 1 {
        "its definitions have different numbers of parameters"
    } else if sets > 0 && sets < here.len() {
        "it is a set and has values as well"
    } else if complete > 0 && complete < here.len() {
        "it has one value and has values by key as well"
    } else if ground_sets > 0 && ground_sets < sets {
        "it is a set and has sets by key as well"
    } else {
        ""
    };
    if !reason.is_empty() {
        return wrong(format!(
            "conflicting rules `{name}`: {reason}; give one of them another name"
        ));
    }
    let defaults: Vec<&&Rule<'_>> = here.iter().filter(|rule| rule.is_default).collect();
    if let [_, second, ..] = defaults.as_slice() {
        let message = format!("`{name}` has several defaults; keep one");
        return Some(Finding::at(
            Code::Type,
            second.module,
            second.place,
            message,
        ));
    }
    None
}
