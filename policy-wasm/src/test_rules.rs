//! Finds the tests of a policy: rules named `test_…`, in any file and package. Source: OPA,
//! "Policy Testing"; `v1/tester`.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    front::{Body, Head, HeadValue, Rule, Term, TermKind},
    load::{Parsed, leading_names},
    plan::{mentioned, undeclared},
};

/// Begins the name of a test.
const TEST: &str = "test_";
/// Begins the name of one that is not run yet.
const TODO: &str = "todo_test_";

/// One rule that is a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Names below `data`.
    pub(crate) path: Vec<String>,
    pub(crate) package: String,
    /// Without the package.
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) kind: Kind,
}

/// What kind of test it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Passes when its rule is `true`.
    Plain,
    /// Passes when every case does: the rule is an object of them, and at this path is a set of all that
    /// there are, each as an array of keys; `None` if that could not be compiled.
    Cases(Option<Vec<String>>),
    /// Takes arguments, so it cannot be run.
    Function,
    /// Is not to be run yet.
    Skipped,
}

/// Finds the tests. Several rules of one name are several tests, as in OPA, so all but the first get
/// names of their own; rules with cases get, if wanted, another rule beside them that says which there
/// are.
pub(crate) fn arrange(modules: &mut [Parsed<'_>], counts_cases: bool) -> Vec<Found> {
    let mut seen: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    let mut tests = Vec::new();
    for parsed in modules {
        let package = parsed.package();
        let mut added = Vec::new();
        for rule in &mut parsed.module.rules {
            let mut names = leading_names(rule);
            let is_test = |name: &String| name.starts_with(TEST) || name.starts_with(TODO);
            let Some(last) = names.iter().position(is_test) else {
                continue;
            };
            names.truncate(last.saturating_add(1));
            let is_skipped = names.last().is_some_and(|name| name.starts_with(TODO));
            let mut path: Vec<String> = package.iter().chain(&names).cloned().collect();
            if !is_skipped {
                let copies = seen.entry(path.clone()).or_default();
                if *copies > 0 {
                    let name = format!("{}#{copies:02}", names.pop().unwrap_or_default());
                    rename(&mut rule.head.name, last, &name);
                    path.pop();
                    path.push(name.clone());
                    names.push(name);
                }
                *copies = copies.saturating_add(1);
            }
            let kind = if is_skipped {
                Kind::Skipped
            } else if rule.head.parameters.is_some() {
                Kind::Function
            } else if let Some(cases) = cases_of(rule, last) {
                if counts_cases {
                    added.push(cases);
                }
                Kind::Cases(counts_cases.then(|| with_suffix(&path)))
            } else {
                Kind::Plain
            };
            tests.push(Found {
                path,
                package: package.join("."),
                name: names.join("."),
                file: parsed.path.to_owned(),
                line: rule.place.line,
                kind,
            });
        }
        parsed.module.rules.append(&mut added);
    }
    tests
}

/// Gives the step of a head's name at `index` another name.
fn rename(head: &mut Term, index: usize, name: &str) {
    match &mut head.kind {
        TermKind::Var(first) if index == 0 => name.clone_into(first),
        TermKind::Ref(first, steps) => match index.checked_sub(1) {
            None => rename(first, 0, name),
            Some(step) => {
                if let Some(step) = steps.get_mut(step) {
                    step.kind = TermKind::Text(name.to_owned());
                }
            }
        },
        _ => {}
    }
}

/// No rule can be named so.
fn with_suffix(path: &[String]) -> Vec<String> {
    let mut path = path.to_vec();
    if let Some(last) = path.last_mut() {
        last.push_str("#cases");
    }
    path
}

/// For `test_x[note] if { a; b }` a rule that has every `note` that there is, whether or not its case
/// holds: its body goes as far as `note` takes to have a value.
fn cases_of(rule: &Rule, last: usize) -> Option<Rule> {
    let TermKind::Ref(first, steps) = &rule.head.name.kind else {
        return None;
    };
    let keys = steps.get(last..)?;
    let is_dynamic = keys
        .iter()
        .any(|key| !matches!(key.kind, TermKind::Text(_)));
    if !is_dynamic || matches!(rule.head.value, HeadValue::Contains(_)) {
        return None;
    }
    let place = rule.head.name.place;
    let mut name = match steps.get(..last)? {
        [] => first.as_ref().clone(),
        steps => Term::new(place, TermKind::Ref(first.clone(), steps.to_vec())),
    };
    let suffixed = format!("{}#cases", leading_names(rule).get(last)?);
    rename(&mut name, last, &suffixed);
    let body = rule.body.as_ref().map(|body| needed_for(keys, body));
    Some(Rule {
        place: rule.place,
        is_default: false,
        head: Head {
            name,
            parameters: None,
            value: HeadValue::Contains(Term::new(place, TermKind::Array(keys.to_vec()))),
        },
        body: body.filter(|body| !body.is_empty()),
        otherwise: Vec::new(),
    })
}

/// The expressions up to the one in which the last variable of these terms appears first.
fn needed_for(keys: &[Term], body: &Body) -> Body {
    let wanted: BTreeSet<String> = undeclared(&[], keys);
    let first_with = |name: &String| body.iter().position(|expr| mentioned(expr).contains(name));
    let last = wanted.iter().filter_map(first_with).max();
    let count = last.map_or(0, |last| last.saturating_add(1));
    body.iter().take(count).cloned().collect()
}
