//! From a syntax tree to the flat form that the engine answers as OPA does.
//!
//! OPA gives the operands of `not`, the values of `with` and the domain of `every` names of their
//! own before it evaluates: `not f(input.x)` is `a := input.x; not f(a)`, and without `input.x`
//! the body does not hold. The engine evaluates them in place, where what is undefined makes the
//! negation true. Source: OPA, `ast/compile.go`, the stages that rewrite expressions, `with` and
//! dynamic terms; tried with `opa`, see `conformance/idioms.json`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ast::{
        Body, Expr, ExprKind, HeadValue, Membership, Module, Op, Part, Place, Rule, Term, TermKind,
        With, names_of,
    },
    names::{Definitions, declared_by, declared_in, path_at},
    patterns::has_repeated_name,
};
use crate::builtins::TEMPLATE_STRING;

/// Lowers a module. `text` is what it was read from; `definitions` those of all modules.
pub(crate) fn lower(module: &mut Module, text: &str, definitions: &Definitions) {
    // The engine schedules by the order of names: those that hang on others come last.
    let mut prefix = "zz_local".to_owned();
    while text.contains(&prefix) {
        prefix.push('_');
    }
    let mut globals: BTreeSet<String> = ["input", "data"].map(str::to_owned).into();
    let package = names_of(&module.package);
    globals.extend(
        definitions
            .names
            .get(&package)
            .into_iter()
            .flatten()
            .cloned(),
    );
    let mut imports = BTreeMap::new();
    for import in &module.imports {
        if let Some(alias) = import.name() {
            imports.insert(alias, names_of(&import.path));
        }
    }
    // They are resolved where they are used.
    module.imports.clear();
    let mut lowering = Lowering {
        package,
        imports,
        globals,
        functions: &definitions.functions,
        scopes: Vec::new(),
        prefix,
        next: 0,
    };
    for rule in &mut module.rules {
        lowering.rule(rule);
    }
}

pub(super) struct Lowering<'a> {
    pub(super) package: Vec<String>,
    /// What an imported name stands for: `["data", "app", "roles"]`.
    pub(super) imports: BTreeMap<String, Vec<String>>,
    /// Names that mean more than a value of the rule at hand, unless that declares them itself.
    pub(super) globals: BTreeSet<String>,
    pub(super) functions: &'a BTreeSet<Vec<String>>,
    /// Names that are declared here, from the outermost body to the innermost.
    pub(super) scopes: Vec<BTreeSet<String>>,
    pub(super) prefix: String,
    pub(super) next: usize,
}

impl Lowering<'_> {
    fn rule(&mut self, rule: &mut Rule) {
        let mut scope = BTreeSet::new();
        for parameter in rule.head.parameters.iter().flatten() {
            declared_by(parameter, &mut scope);
        }
        self.scopes.push(scope);
        self.rule_inside(rule);
        self.scopes.pop();
    }

    fn rule_inside(&mut self, rule: &mut Rule) {
        if let TermKind::Ref(_, steps) = &mut rule.head.name.kind {
            for step in steps {
                self.term(step);
            }
        }
        let op = if has_repeated_name(rule.head.parameters.as_deref()) {
            Op::Unify
        } else {
            Op::Assign
        };
        let mut checks = Vec::new();
        for parameter in rule.head.parameters.iter_mut().flatten() {
            self.exact(parameter, op, &mut checks);
            self.term(parameter);
        }
        if !checks.is_empty() {
            let others = rule.otherwise.iter_mut().map(|other| &mut other.body);
            for body in [&mut rule.body].into_iter().chain(others) {
                let mut checked = checks.clone();
                checked.extend(body.take().into_iter().flatten());
                *body = Some(checked);
            }
            if rule.head.value == HeadValue::Implied {
                let truth = Term::new(rule.place, TermKind::Bool(true));
                rule.head.value = HeadValue::Is(truth);
            }
        }
        match &mut rule.head.value {
            HeadValue::Implied if rule.body.is_none() => {
                let truth = Term::new(rule.place, TermKind::Bool(true));
                rule.head.value = HeadValue::Is(truth);
            }
            HeadValue::Implied => {}
            HeadValue::Is(value) | HeadValue::Contains(value) => self.term(value),
        }
        if let Some(body) = &mut rule.body {
            self.body(body);
        }
        for other in &mut rule.otherwise {
            if let Some(value) = &mut other.value {
                self.term(value);
            }
            if let Some(body) = &mut other.body {
                self.body(body);
            }
        }
    }

    fn body(&mut self, body: &mut Body) {
        let mut scope = BTreeSet::new();
        for expr in body.iter() {
            declared_in(expr, &mut scope);
        }
        self.scopes.push(scope);
        let exprs = std::mem::take(body);
        for expr in exprs {
            self.expr(expr, body);
        }
        self.scopes.pop();
    }

    /// Lowers an expression to the end of a body.
    fn expr(&mut self, mut expr: Expr, body: &mut Body) {
        for with in &mut expr.with {
            self.resolve_function(&mut with.target);
            self.resolve_function(&mut with.value);
            self.term(&mut with.value);
            let has_value = is_constant(&with.value) || self.is_local(&with.value);
            if !has_value && !self.is_function(&with.value) {
                // It is evaluated before any modifier holds.
                self.lift(&mut with.value, &[], body);
            }
        }
        let (mut lifted, mut checks) = (Vec::new(), Vec::new());
        match &mut expr.kind {
            ExprKind::Term(term) => {
                self.equation(term, expr.is_negated, &mut checks);
                self.term(term);
                if expr.is_negated {
                    self.negated(term, &expr.with, &mut lifted);
                }
            }
            ExprKind::Some(_) => {}
            ExprKind::SomeIn {
                key,
                value,
                collection,
            } => {
                for pattern in key.iter_mut().chain([value]) {
                    self.exact(pattern, Op::Assign, &mut checks);
                    self.term(pattern);
                }
                self.term(collection);
            }
            ExprKind::Every {
                key,
                value,
                domain,
                body,
            } => {
                self.term(domain);
                if !is_constant(domain) {
                    self.lift(domain, &expr.with, &mut lifted);
                }
                let names = key.iter().chain([&*value]).map(|name| name.text.clone());
                self.scopes.push(names.collect());
                self.body(body);
                self.scopes.pop();
            }
        }
        body.append(&mut lifted);
        body.push(expr);
        for check in checks {
            self.expr_of_ours(check, body);
        }
    }

    /// Lowers an expression that was made here, which needs no more than that.
    fn expr_of_ours(&mut self, mut expr: Expr, body: &mut Body) {
        if let ExprKind::Term(term) = &mut expr.kind {
            self.term(term);
        }
        body.push(expr);
    }

    /// Puts a name in the place of a term, and gives it the term's value before.
    fn lift(&mut self, term: &mut Term, with: &[With], body: &mut Body) {
        let place = term.place;
        let name = self.fresh(place);
        let value = std::mem::replace(term, name.clone());
        let assignment = Term::new(place, TermKind::Infix(Op::Assign, Box::new((name, value))));
        let mut expr = Expr::new(place, ExprKind::Term(assignment));
        expr.with = with.to_vec();
        body.push(expr);
    }

    pub(super) fn fresh(&mut self, place: Place) -> Term {
        let name = format!("{}{:05}", self.prefix, self.next);
        self.next = self.next.saturating_add(1);
        Term::new(place, TermKind::Var(name))
    }

    /// Lifts what must be defined for a negation to be asked at all.
    fn negated(&mut self, term: &mut Term, with: &[With], body: &mut Body) {
        match &mut term.kind {
            TermKind::Infix(Op::Equal | Op::Unify | Op::Assign, pair) => {
                self.side(&mut pair.0, with, body);
                self.side(&mut pair.1, with, body);
            }
            TermKind::Infix(_, pair) => {
                self.operand(&mut pair.0, with, body);
                self.operand(&mut pair.1, with, body);
            }
            TermKind::In(membership) => {
                let Membership {
                    key,
                    value,
                    collection,
                } = membership.as_mut();
                for operand in key.iter_mut().chain([value, collection]) {
                    self.operand(operand, with, body);
                }
            }
            TermKind::Call(_, arguments) => {
                for argument in arguments {
                    self.operand(argument, with, body);
                }
            }
            _ => self.side(term, with, body),
        }
    }

    /// A side of an equation, which may itself be undefined if it is a reference; what it is made
    /// of may not.
    fn side(&mut self, term: &mut Term, with: &[With], body: &mut Body) {
        match &mut term.kind {
            TermKind::Var(_) => {}
            TermKind::Ref(head, steps) => {
                if head.name().is_none() {
                    self.operand(head, with, body);
                }
                for step in steps {
                    self.operand(step, with, body);
                }
            }
            _ => self.operand(term, with, body),
        }
    }

    fn operand(&mut self, term: &mut Term, with: &[With], body: &mut Body) {
        // What a body declares has a value wherever it can be used.
        if !is_constant(term) && !self.is_local(term) {
            self.lift(term, with, body);
        }
    }

    /// Lowers what has a body of its own inside a term, and templates.
    fn term(&mut self, term: &mut Term) {
        let place = term.place;
        match &mut term.kind {
            TermKind::Null | TermKind::Bool(_) | TermKind::Number(_) | TermKind::Text(_) => {}
            TermKind::Var(_) => self.resolve(term),
            TermKind::Template(parts) => {
                let parts = std::mem::take(parts);
                *term = self.template(place, parts);
            }
            TermKind::Ref(head, steps) => {
                for step in steps.iter_mut() {
                    self.term(step);
                }
                self.term(head);
                // What an imported name stands for is part of the same reference.
                if let TermKind::Ref(root, path) = &mut head.kind {
                    path.append(steps);
                    let path = std::mem::take(path);
                    let root = std::mem::replace(root, Box::new(Term::new(place, TermKind::Null)));
                    *term = Term::new(place, TermKind::Ref(root, path));
                }
            }
            TermKind::Call(function, arguments) => {
                self.resolve_function(function);
                for argument in arguments {
                    self.term(argument);
                }
            }
            TermKind::Array(items) | TermKind::Set(items) => {
                for item in items {
                    self.term(item);
                }
            }
            TermKind::Object(fields) => {
                for (name, value) in fields {
                    self.term(name);
                    self.term(value);
                }
            }
            TermKind::ArrayOf(member, body) | TermKind::SetOf(member, body) => {
                self.body(body);
                self.term(member);
            }
            TermKind::ObjectOf(pair, body) => {
                self.term(&mut pair.0);
                self.term(&mut pair.1);
                self.body(body);
            }
            TermKind::Infix(_, pair) => {
                self.term(&mut pair.0);
                self.term(&mut pair.1);
            }
            TermKind::In(membership) => {
                if let Some(key) = &mut membership.key {
                    self.term(key);
                }
                self.term(&mut membership.value);
                self.term(&mut membership.collection);
            }
        }
    }

    /// `$"a {b}"` is `internal.template_string(["a ", {c | c := b}])`: a set for each expression,
    /// which is empty where that is undefined. Source: OPA.
    fn template(&mut self, place: Place, parts: Vec<Part>) -> Term {
        let mut items = Vec::new();
        for part in parts {
            match part {
                Part::Text(text) => items.push(Term::new(place, TermKind::Text(text))),
                Part::Expr(mut expr) => {
                    let name = self.fresh(expr.place);
                    if let ExprKind::Term(value) = expr.kind {
                        let pair = Box::new((name.clone(), value));
                        let assignment = Term::new(expr.place, TermKind::Infix(Op::Assign, pair));
                        expr.kind = ExprKind::Term(assignment);
                    }
                    let place = expr.place;
                    let mut body = Vec::new();
                    self.expr(expr, &mut body);
                    items.push(Term::new(place, TermKind::SetOf(Box::new(name), body)));
                }
            }
        }
        let names: Vec<String> = TEMPLATE_STRING.split('.').map(str::to_owned).collect();
        let function = path_at(place, &names);
        let parts = Term::new(place, TermKind::Array(items));
        Term::new(place, TermKind::Call(Box::new(function), vec![parts]))
    }
}

/// Whether a term always has a value, whatever is around it.
pub(super) fn is_constant(term: &Term) -> bool {
    match &term.kind {
        TermKind::Null | TermKind::Bool(_) | TermKind::Number(_) | TermKind::Text(_) => true,
        TermKind::Array(items) | TermKind::Set(items) => items.iter().all(is_constant),
        TermKind::Object(fields) => fields
            .iter()
            .all(|(name, value)| is_constant(name) && is_constant(value)),
        _ => false,
    }
}
