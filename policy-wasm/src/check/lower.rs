//! From a syntax tree to the form in which it is checked: rules, bodies, expressions.
//!
//! Source: OPA, `v1/ast/compile.go`: what its stages before the checks make of a rule.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    finding::{Code, Finding, Names},
    scopes::{Meaning, Occurrence, Scope, Scopes, document, names_in, steps_in},
    tree::{Every, Expr, ExprKind, INPUT, Kind, Term},
};
use crate::front::ast::{self, Body, Op, Place, TermKind};

/// What is the same for all rules of a module.
#[derive(Debug, Clone, Copy)]
pub(super) struct InModule<'a, 'c> {
    pub(super) index: usize,
    /// The steps of its package below `data`.
    pub(super) package: &'c [Term<'a>],
    /// Paths of functions below `data`.
    pub(super) functions: &'c BTreeSet<Vec<&'a str>>,
}

/// Lowers one rule and its branches.
pub(super) struct Lowering<'a, 'c> {
    pub(super) module: InModule<'a, 'c>,
    pub(super) scopes: Scopes<'a, 'c>,
    pub(super) names: &'c mut Names<'a>,
    pub(super) findings: &'c mut Vec<Finding>,
    /// How many of them make it pointless to look any further.
    pub(super) errors: usize,
    /// Builtins that the body at hand calls by names without a dot.
    pub(super) called: BTreeSet<&'a str>,
    /// Variables of the body at hand that have names of builtins.
    pub(super) read: BTreeMap<&'a str, Place>,
}

impl<'a> Lowering<'a, '_> {
    /// A name for a term, which an expression at the end of a body gives it.
    pub(super) fn named(&mut self, term: Term<'a>, body: &mut Vec<Expr<'a>>) -> Term<'a> {
        let place = term.place;
        let name = Term::variable(place, self.names.fresh(None));
        body.push(Expr::equation(place, name.clone(), term));
        name
    }

    pub(super) fn find(&mut self, code: Code, place: Place, message: impl Into<String>) {
        self.errors = self.errors.saturating_add(1);
        self.note(code, place, message);
    }

    /// A finding beside which others still mean something.
    pub(super) fn note(&mut self, code: Code, place: Place, message: impl Into<String>) {
        let module = self.module.index;
        self.findings
            .push(Finding::at(code, module, place, message));
    }

    /// Tells what the body at hand declares and does not use. `statement`: where OPA tells it.
    pub(super) fn unused(&mut self, statement: Option<Place>) {
        for (name, place) in self.scopes.unused() {
            let message = format!("`{name}` is declared and not used; leave it out, or use it");
            let mut finding = Finding::at(Code::Compile, self.module.index, place, message);
            finding.statement = statement.unwrap_or(place);
            self.findings.push(finding);
        }
    }

    /// Lowers a body to the end of another.
    pub(super) fn body(&mut self, body: &'a Body, out: &mut Vec<Expr<'a>>) {
        for expr in body {
            self.expr(expr, out);
        }
    }

    /// Lowers an expression, with what it needs before it.
    fn expr(&mut self, expr: &'a ast::Expr, out: &mut Vec<Expr<'a>>) {
        match &expr.kind {
            ast::ExprKind::Term(term) => match &term.kind {
                TermKind::Infix(Op::Assign, pair) => self.assignment(expr, &pair.0, &pair.1, out),
                TermKind::Call(function, arguments) if function.name() == Some("assign") => {
                    match arguments.as_slice() {
                        [left, right] => self.assignment(expr, left, right, out),
                        _ => self.plain(expr, term, out),
                    }
                }
                _ => self.plain(expr, term, out),
            },
            ast::ExprKind::Some(names) => {
                for name in names {
                    if name.text == "_" {
                        let message = "`some _` declares nothing; leave it out";
                        self.find(Code::Compile, name.place, message);
                    }
                    self.declare(&name.text, name.place, Occurrence::Declared);
                }
            }
            ast::ExprKind::SomeIn {
                key,
                value,
                collection,
            } => self.some_in(expr, key.as_ref(), value, collection, out),
            ast::ExprKind::Every {
                key,
                value,
                domain,
                body,
            } => self.every(expr, (key.as_ref(), value), domain, body, out),
        }
    }

    fn plain(&mut self, expr: &'a ast::Expr, term: &'a ast::Term, out: &mut Vec<Expr<'a>>) {
        let mut support = Vec::new();
        let kind = self.expr_kind(term, &mut support);
        let with = self.withs(&expr.with, out);
        for one in &mut support {
            if one.with.is_empty() {
                one.with = Rc::clone(&with);
            }
        }
        out.append(&mut support);
        let mut lowered = Expr::new(expr.place, kind);
        lowered.is_negated = expr.is_negated;
        lowered.with = with;
        out.push(lowered);
    }

    fn assignment(
        &mut self,
        expr: &'a ast::Expr,
        left: &'a ast::Term,
        right: &'a ast::Term,
        out: &mut Vec<Expr<'a>>,
    ) {
        if expr.is_negated {
            let message = "nothing can be assigned inside `not`; assign it before";
            self.find(Code::Compile, expr.place, message);
            return;
        }
        let mut support = Vec::new();
        let value = self.term(right, &mut support);
        let with = self.withs(&expr.with, out);
        let target = self.assigned(left);
        for one in &mut support {
            one.with = Rc::clone(&with);
        }
        out.append(&mut support);
        let mut lowered = Expr::equation(expr.place, target, value);
        lowered.is_assignment = true;
        lowered.with = with;
        out.push(lowered);
    }

    /// What stands on the left of `:=`.
    fn assigned(&mut self, term: &'a ast::Term) -> Term<'a> {
        let place = term.place;
        let kind = match &term.kind {
            TermKind::Var(name) if document(name).is_some() => {
                let message = format!("a variable must not be called `{name}`; take another name");
                if name == "data" {
                    self.find(Code::Compile, place, message);
                } else {
                    self.note(Code::Compile, place, message);
                }
                Kind::Variable(self.names.fresh(None))
            }
            TermKind::Var(name) => {
                let variable = self.declare(name, place, Occurrence::Assigned);
                Kind::Variable(variable)
            }
            TermKind::Array(items) => {
                Kind::Array(items.iter().map(|item| self.assigned(item)).collect())
            }
            TermKind::Object(fields) => {
                let fields = fields.iter();
                let fields = fields.map(|(key, value)| (self.key(key), self.assigned(value)));
                Kind::Object(fields.collect())
            }
            _ => {
                let message = "`:=` gives names their values; use `==` to compare";
                self.find(Code::Compile, place, message);
                Kind::Null
            }
        };
        Term::new(place, kind)
    }

    /// A key of a pattern: what the rule declares is not known there.
    fn key(&mut self, term: &'a ast::Term) -> Term<'a> {
        match &term.kind {
            TermKind::Var(name)
                if document(name).is_none() && self.scopes.global(name).is_none() =>
            {
                Term::variable(term.place, self.scopes.written(name, self.names))
            }
            _ => self.term(term, &mut Vec::new()),
        }
    }

    fn declare(&mut self, name: &'a str, place: Place, occurrence: Occurrence) -> u32 {
        match self.scopes.declare(name, place, occurrence, self.names) {
            Ok(variable) => variable,
            Err(message) => {
                self.find(Code::Compile, place, message);
                self.names.fresh(None)
            }
        }
    }

    fn some_in(
        &mut self,
        expr: &'a ast::Expr,
        key: Option<&'a ast::Term>,
        value: &'a ast::Term,
        collection: &'a ast::Term,
        out: &mut Vec<Expr<'a>>,
    ) {
        let mut bound = BTreeMap::new();
        for pattern in key.into_iter().chain([value]) {
            pattern_names(pattern, &mut bound);
        }
        let mut domain = BTreeSet::new();
        names_in(collection, &mut domain);
        for (name, place) in &bound {
            if domain.contains(name) && *name != "_" {
                let message = format!("`{name}` stands on both sides of `in`; take another name");
                self.find(Code::Compile, *place, message);
                return;
            }
        }
        for (name, place) in bound {
            if name != "_" {
                let variable = self.declare(name, place, Occurrence::Declared);
                self.scopes.mark_used(variable);
            }
        }
        let mut support = Vec::new();
        let pattern = self.term(value, &mut support);
        let collection = self.term(collection, &mut support);
        let key = match key {
            Some(key) => self.term(key, &mut support),
            None => Term::variable(value.place, self.names.fresh(None)),
        };
        let place = collection.place;
        let member = match collection.kind {
            Kind::Reference(base, mut steps) => {
                steps.push(key);
                Kind::Reference(base, steps)
            }
            Kind::Variable(base) => Kind::Reference(base, vec![key]),
            // There is nothing in a scalar, which is no error to OPA.
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {
                // Nothing is known of a member of the input, whatever `with` replaces.
                let member = Term::new(place, Kind::Text(""));
                Kind::Reference(INPUT, vec![member, key])
            }
            kind => {
                let name = self.names.fresh(None);
                let base = Term::variable(place, name);
                support.push(Expr::equation(place, base, Term::new(place, kind)));
                Kind::Reference(name, vec![key])
            }
        };
        self.declared_by_withs(expr);
        let with = self.withs(&expr.with, out);
        for one in &mut support {
            one.with = Rc::clone(&with);
        }
        out.append(&mut support);
        let mut lowered = Expr::equation(expr.place, pattern, Term::new(place, member));
        lowered.with = with;
        out.push(lowered);
    }

    /// Beside `some … in` OPA takes `k` in `with input as data.x[k]` for a variable of its own, whatever
    /// `k` means before.
    fn declared_by_withs(&mut self, expr: &'a ast::Expr) {
        let mut names = BTreeSet::new();
        for with in &expr.with {
            steps_in(&with.value, &mut names);
        }
        for name in names {
            let code = match self.scopes.meaning(name) {
                None => continue,
                Some(Meaning::Here) => Code::Compile,
                Some(Meaning::Around) => Code::Refused,
            };
            let message = format!(
                "`{name}` would be a variable of its own here; give the value after `as` a name before"
            );
            self.find(code, expr.place, message);
        }
    }

    fn every(
        &mut self,
        expr: &'a ast::Expr,
        (key, value): (Option<&'a ast::Name>, &'a ast::Name),
        domain: &'a ast::Term,
        body: &'a Body,
        out: &mut Vec<Expr<'a>>,
    ) {
        let before = self.findings.len();
        let hidden = key.into_iter().chain([value]);
        let hidden: BTreeSet<&str> = hidden.map(|name| name.text.as_str()).collect();
        self.scopes.hide(hidden.clone());
        let mut support = Vec::new();
        let place = domain.place;
        let domain = self.term(domain, &mut support);
        let name = Term::variable(place, self.names.fresh(None));
        let mut equation = Expr::equation(place, name.clone(), domain);
        equation.is_generated = true;
        support.push(equation);
        let with = self.withs(&expr.with, out);
        for one in &mut support {
            one.with = Rc::clone(&with);
        }
        out.append(&mut support);
        self.scopes.show();
        self.scopes.enter(hidden, Scope::default());
        let key = key.map(|key| self.declare(&key.text, key.place, Occurrence::Declared));
        let value = self.declare(&value.text, value.place, Occurrence::Declared);
        let mut inner = Vec::new();
        self.body(body, &mut inner);
        if self.findings.len() == before {
            self.unused(body.first().map(|expr| expr.place));
        }
        self.scopes.leave();
        let every = Every {
            key,
            value,
            domain: name,
            body: inner,
        };
        let mut lowered = Expr::new(expr.place, ExprKind::Every(Box::new(every)));
        lowered.with = with;
        lowered.is_negated = expr.is_negated;
        out.push(lowered);
    }
}

/// The names of a reference, if it has nothing else.
pub(super) fn path_of(term: &ast::Term) -> Option<Vec<&str>> {
    match &term.kind {
        TermKind::Var(name) => Some(vec![name]),
        TermKind::Ref(head, steps) => {
            let steps = steps.iter().map(|step| match &step.kind {
                TermKind::Text(text) => Some(text.as_str()),
                _ => None,
            });
            [head.name()].into_iter().chain(steps).collect()
        }
        _ => None,
    }
}

/// The names that a pattern behind `some` declares.
fn pattern_names<'a>(term: &'a ast::Term, found: &mut BTreeMap<&'a str, Place>) {
    match &term.kind {
        TermKind::Var(name) => {
            found.entry(name).or_insert(term.place);
        }
        TermKind::Array(items) | TermKind::Set(items) => {
            for item in items {
                pattern_names(item, found);
            }
        }
        TermKind::Object(fields) => {
            for (_, value) in fields {
                pattern_names(value, found);
            }
        }
        _ => {}
    }
}
