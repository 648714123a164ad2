//! What is wrong with a policy before it is ever evaluated, all at once.
//!
//! The stages are those of OPA's compiler, and what they refuse is what OPA refuses. [`lower`] brings
//! rules into the form that is checked; then [`conflicts`] looks at heads, [`calls`] at what is
//! called, [`graph`] at what needs itself, [`safety`] at variables without a value, and [`typing`] at
//! values that can't be meant. Where one finds something in a rule, the later ones pass it over.

mod calls;
mod components;
mod conflicts;
mod finding;
mod fitting;
mod graph;
mod heads;
mod inference;
mod known;
mod lift;
mod lower;
mod outputs;
mod packages;
mod paths;
#[cfg(test)]
mod reference;
mod rule_types;
mod safety;
mod scopes;
mod suggestions;
mod templates;
mod terms;
#[cfg(test)]
mod tests;
mod tree;
mod type_system;
mod typing;
mod unify;
mod unsafe_variables;
mod variables;
mod withs;

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use crate::{
    annotations,
    diagnostics::Diagnostic,
    front::{
        Dialect,
        ast::{Module, Place},
    },
    value::Value,
};
use calls::Calls;
use finding::{Code, Effort, Finding, Names};
use graph::Graph;
use lower::{InModule, Lowering};
use packages::Packages;
use paths::{Paths, value_of};
use rule_types::RuleTypes;
use scopes::Scopes;
use tree::{DATA, Rule, Target, Term, constant_prefix};
use typing::{Layer, Typing};
use variables::{Inside, bodies_in, bodies_in_term};

/// 100: steps of a rule's path.
const STEPS_MAX: usize = 100;

/// A module as it was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CheckedModule<'a> {
    /// Path inside the bundle.
    pub(crate) path: &'a str,
    /// What it was read from.
    pub(crate) text: &'a str,
    pub(crate) module: &'a Module,
}

/// Checks modules together: what a name means hangs on all of them. The findings come in the order
/// of the modules and of their lines.
pub(crate) fn check(modules: &[CheckedModule<'_>]) -> Vec<Diagnostic> {
    let trees: Vec<&Module> = modules.iter().map(|one| one.module).collect();
    let findings = findings(&trees).into_iter();
    findings
        .filter_map(|finding| {
            let CheckedModule { path, text, .. } = modules.get(finding.module)?;
            Some(finding.diagnostic(path, text))
        })
        .collect()
}

fn findings(modules: &[&Module]) -> Vec<Finding> {
    let mut names = Names::new();
    let mut check = Check {
        findings: Vec::new(),
        rules: Vec::new(),
        effort: Effort::new(),
        dialects: modules.iter().map(|module| module.dialect).collect(),
    };
    let packages = Packages::of(modules, &mut check.findings);
    check.annotations(modules);
    check.lower(modules, &packages, &mut names);
    if check.findings.iter().all(|one| one.code != Code::Refused) {
        check.rules(&packages, &mut names);
    }
    let mut findings = check.findings;
    if check.effort.is_exhausted() {
        let message = "the policies are too involved to be checked; use shorter bodies";
        let (module, place) = (0, Place { line: 1, column: 1 });
        findings.push(Finding::at(Code::Refused, module, place, message));
    }
    findings.sort_by_key(|one| {
        let Place { line, column } = one.place;
        (one.module, line, column, one.statement.line)
    });
    findings.dedup_by(|later, one| {
        later.module == one.module
            && (later.place.line, later.place.column) == (one.place.line, one.place.column)
            && later.message == one.message
    });
    findings
}

struct Check<'a> {
    findings: Vec<Finding>,
    rules: Vec<Rule<'a>>,
    effort: Effort,
    dialects: Vec<Dialect>,
}

impl<'a> Check<'a> {
    fn lower(&mut self, modules: &[&'a Module], packages: &Packages<'a>, names: &mut Names<'a>) {
        for (index, module) in modules.iter().enumerate() {
            let globals = packages.globals(index, module);
            for rule in &module.rules {
                let mut lowering = Lowering {
                    module: InModule {
                        index,
                        package: packages.path(index),
                        functions: packages.functions(),
                    },
                    scopes: Scopes::new(&globals),
                    names,
                    findings: &mut self.findings,
                    errors: 0,
                    called: BTreeSet::new(),
                    read: BTreeMap::new(),
                };
                lowering.rule(rule, &mut self.rules);
            }
        }
        for rule in self.rules.iter().filter(|rule| rule.path.len() > STEPS_MAX) {
            let message = format!("the path of a rule has more than {STEPS_MAX} steps");
            let finding = Finding::at(Code::Refused, rule.module, rule.place, message);
            self.findings.push(finding);
        }
    }

    fn annotations(&mut self, modules: &[&Module]) {
        for (module, wrong) in annotations::check(modules) {
            let code = if wrong.is_repeated {
                Code::Type
            } else {
                Code::Syntax
            };
            let finding = Finding::at(code, module, wrong.place, wrong.message);
            self.findings.push(finding);
        }
    }

    fn rules(&mut self, packages: &Packages<'a>, names: &mut Names<'a>) {
        let paths = Paths::of(&self.rules, packages.paths());
        conflicts::check(&self.rules, &paths, packages.places(), &mut self.findings);
        self.calls(&paths);
        let graph = Graph::of(&self.rules, &paths, &mut self.effort);
        let components = graph.components();
        let (findings, recursive) = graph.recursion(&components);
        self.findings.extend(findings);
        let order: Vec<usize> = components.into_iter().flatten().collect();
        let replaced = replaced_in(&self.rules);
        let dependents = graph.dependents(&replaced, &mut self.effort);
        self.safety(&paths, names);
        self.mark(recursive);
        self.types(&order, replaced, dependents, names);
    }

    fn calls(&mut self, paths: &Paths) {
        let mut wrong = Vec::new();
        let calls = Calls {
            rules: &self.rules,
            paths,
            dialects: &self.dialects,
        };
        for (index, rule) in self.rules.iter().enumerate() {
            let before = self.findings.len();
            calls.rule(rule, &mut self.findings);
            let mut found = self.findings.iter().skip(before);
            if found.any(|one| one.code != Code::Refused) {
                wrong.push(index);
            }
        }
        self.mark(wrong);
    }

    /// Marks rules so that later stages pass them over.
    fn mark(&mut self, wrong: impl IntoIterator<Item = usize>) {
        for index in wrong {
            if let Some(rule) = self.rules.get_mut(index) {
                rule.is_wrong = true;
            }
        }
    }

    fn safety(&mut self, paths: &Paths, names: &Names<'a>) {
        for index in 0..self.rules.len() {
            let Some(rule) = self.rules.get_mut(index).filter(|rule| !rule.is_wrong) else {
                continue;
            };
            let mut body = std::mem::take(&mut rule.body);
            let calls = Calls {
                rules: &self.rules,
                paths,
                dialects: &self.dialects,
            };
            let Some(rule) = self.rules.get(index) else {
                continue;
            };
            let found = unsafe_variables::check(rule, &mut body, &calls, names, &mut self.effort);
            let is_wrong = !found.is_empty();
            self.findings.extend(found);
            if let Some(rule) = self.rules.get_mut(index) {
                rule.body = body;
                rule.is_wrong = is_wrong;
            }
        }
    }

    fn types(
        &mut self,
        order: &[usize],
        replaced: BTreeSet<Vec<Value>>,
        dependents: BTreeMap<Vec<Value>, Rc<Layer>>,
        names: &mut Names<'a>,
    ) {
        for rule in self.rules.iter_mut().filter(|rule| !rule.is_wrong) {
            lift::lift(&mut rule.body, names);
        }
        let mut typing = Typing {
            rules: RuleTypes::default(),
            names,
            effort: &mut self.effort,
            replaced,
            layers: Vec::new(),
            made: BTreeMap::new(),
            builtins: BTreeMap::new(),
            dependents,
            replacements: Vec::new(),
        };
        for index in order {
            if let Some(rule) = self.rules.get(*index) {
                typing.rule(rule, &mut self.findings);
            }
        }
    }
}

/// What `with` replaces of `data`, up to the first step that is not known.
fn replaced_in(rules: &[Rule<'_>]) -> BTreeSet<Vec<Value>> {
    let mut replaced = BTreeSet::new();
    for rule in rules {
        replaced_in_body(&rule.body, &mut replaced);
        bodies_in_term(&rule.value, &mut |inside| {
            replaced_inside(inside, &mut replaced);
        });
    }
    replaced
}

fn replaced_in_body(body: &[tree::Expr<'_>], replaced: &mut BTreeSet<Vec<Value>>) {
    for expr in body {
        for with in expr.with.iter() {
            if let Target::Reference(DATA, steps) = &with.target {
                let prefix = constant_prefix(steps).iter();
                replaced.insert(prefix.filter_map(value_of).collect());
            }
        }
        bodies_in(expr, &mut |inside| replaced_inside(inside, replaced));
    }
}

fn replaced_inside(inside: Inside<'_, '_>, replaced: &mut BTreeSet<Vec<Value>>) {
    match inside {
        Inside::Comprehension(made) => replaced_in_body(&made.body, replaced),
        Inside::Every(every) => replaced_in_body(&every.body, replaced),
    }
}

/// The steps of a path of names.
fn steps_of<'a>(names: &[&'a str], place: Place) -> Vec<Term<'a>> {
    let steps = names.iter();
    steps
        .map(|name| Term::new(place, tree::Kind::Text(name)))
        .collect()
}
