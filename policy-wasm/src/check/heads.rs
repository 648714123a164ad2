//! From a syntax tree to the form in which it is checked: rules with their heads and branches.

use std::collections::BTreeSet;

use super::{
    finding::Code,
    lower::Lowering,
    scopes::{Scope, declared_in, document, is_partial_set, parameters_in},
    tree::{Expr, Kind, Rule, Term},
};
use crate::front::{
    ast::{self, Body, HeadValue, TermKind},
    constant,
};

impl<'a> Lowering<'a, '_> {
    /// Lowers a rule with its branches, to the end of `rules`.
    pub(super) fn rule(&mut self, rule: &'a ast::Rule, rules: &mut Vec<Rule<'a>>) {
        let mut hidden = BTreeSet::new();
        for parameter in rule.head.parameters.iter().flatten() {
            parameters_in(parameter, &mut hidden);
        }
        self.scopes.enter(BTreeSet::new(), Scope::default());
        let before = self.errors;
        let parameters = rule.head.parameters.iter().flatten();
        let mut support = Vec::new();
        self.scopes.in_parameters(true);
        let parameters: Vec<Term<'a>> = parameters
            .map(|one| self.parameter(one, &mut support))
            .collect();
        self.scopes.in_parameters(false);
        let are_parameters_wrong = self.errors > before;
        let scope = self.scopes.leave();
        let branches = rule
            .otherwise
            .iter()
            .map(|other| (other.place, other.value.as_ref(), other.body.as_ref()));
        let value = match &rule.head.value {
            HeadValue::Implied => None,
            HeadValue::Is(value) | HeadValue::Contains(value) => Some(value),
        };
        if !rule.otherwise.is_empty() {
            self.keys_before_else(rule);
        }
        let mut follows = None;
        for (place, value, body) in [(rule.place, value, rule.body.as_ref())]
            .into_iter()
            .chain(branches)
        {
            let before = self.errors;
            let mut names = hidden.clone();
            declared_in(body.unwrap_or(const { &Vec::new() }), &mut names);
            self.scopes.enter(names, scope.clone());
            let mut lowered = Rule {
                module: self.module.index,
                place,
                is_default: rule.is_default,
                path: self.module.package.to_vec(),
                parameters: parameters.clone(),
                is_partial_set: is_partial_set(&rule.head.value),
                value: Term::new(place, Kind::Bool(true)),
                body: Vec::new(),
                follows,
                is_wrong: false,
            };
            self.branch(rule, value, body, &mut lowered);
            lowered.body.extend(support.iter().cloned());
            self.scopes.leave();
            lowered.is_wrong = are_parameters_wrong || self.errors > before;
            follows = Some(rules.len());
            rules.push(lowered);
        }
    }

    /// Branches follow a head that says its place outright, and by names.
    fn keys_before_else(&mut self, rule: &'a ast::Rule) {
        let TermKind::Ref(_, steps) = &rule.head.name.kind else {
            return;
        };
        let mut others = steps
            .iter()
            .filter(|step| !matches!(step.kind, TermKind::Text(_)));
        let Some(step) = others.next() else { return };
        if [step]
            .into_iter()
            .chain(others)
            .all(|step| constant(step).is_some())
        {
            let message =
                "`else` can't follow a key that is no text; write rules with bodies of their own";
            self.find(Code::Refused, step.place, message);
        } else {
            let message = "`else` can't follow a rule with values by key; write rules with bodies of their own";
            self.find(Code::Syntax, step.place, message);
        }
    }

    fn branch(
        &mut self,
        rule: &'a ast::Rule,
        value: Option<&'a ast::Term>,
        body: Option<&'a Body>,
        lowered: &mut Rule<'a>,
    ) {
        let before = self.findings.len();
        self.called.clear();
        self.read.clear();
        if let Some(body) = body {
            self.body(body, &mut lowered.body);
        }
        self.both();
        let (head, steps) = match &rule.head.name.kind {
            TermKind::Ref(head, steps) => (head.as_ref(), steps.as_slice()),
            _ => (&rule.head.name, [].as_slice()),
        };
        let name = head.name().unwrap_or_default();
        lowered.path.push(Term::new(head.place, Kind::Text(name)));
        for step in steps {
            let mut support = Vec::new();
            let step = self.term(step, &mut support);
            lowered.body.append(&mut support);
            let is_plain = step.is_scalar() || matches!(step.kind, Kind::Variable(_));
            let step = if is_plain {
                step
            } else {
                self.named(step, &mut lowered.body)
            };
            lowered.path.push(step);
        }
        for parameter in &mut lowered.parameters {
            if parameter.needs_evaluation() {
                let term = parameter.clone();
                *parameter = self.named(term, &mut lowered.body);
            }
        }
        if let Some(value) = value {
            let mut support = Vec::new();
            let value = self.term(value, &mut support);
            lowered.body.append(&mut support);
            lowered.value = if value.needs_evaluation() {
                self.named(value, &mut lowered.body)
            } else {
                value
            };
        }
        if self.findings.len() == before {
            self.unused(None);
        }
    }

    /// Tells which names the body at hand has for variables and calls, too.
    fn both(&mut self) {
        let both = self
            .read
            .iter()
            .find(|(name, _)| self.called.contains(*name));
        if let Some((name, place)) = both {
            let message = format!("`{name}` is a function here and a variable; take another name");
            self.find(Code::Compile, *place, message);
        }
    }

    fn parameter(&mut self, term: &'a ast::Term, support: &mut Vec<Expr<'a>>) -> Term<'a> {
        let place = term.place;
        match &term.kind {
            TermKind::Var(name) => {
                if document(name).is_some() {
                    let message = format!("a parameter must not be called `{name}`");
                    self.find(Code::Compile, place, message);
                }
                Term::variable(place, self.scopes.parameter(name, self.names))
            }
            TermKind::Array(items) => {
                let items = items
                    .iter()
                    .map(|item| self.parameter(item, support))
                    .collect();
                Term::new(place, Kind::Array(items))
            }
            TermKind::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(key, value)| (self.term(key, support), self.parameter(value, support)));
                let fields = fields.collect();
                Term::new(place, Kind::Object(fields))
            }
            TermKind::Call(..) | TermKind::Infix(..) | TermKind::In(_) => {
                let message = "a parameter can't be a call; compare it in the body instead";
                self.find(Code::Compile, place, message);
                Term::new(place, Kind::Null)
            }
            TermKind::Ref(head, _) if head.name().and_then(document).is_some() => {
                let message =
                    "a parameter can't be a part of `input` or `data`; compare it in the body";
                self.find(Code::UnsafeVariable, place, message);
                Term::new(place, Kind::Null)
            }
            _ => self.term(term, support),
        }
    }
}
