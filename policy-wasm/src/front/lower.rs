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
        With,
    },
    parser::names_of,
};
use crate::builtins::TEMPLATE_STRING;

/// What all modules define together.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    /// Paths of functions below `data`.
    functions: BTreeSet<Vec<String>>,
    /// The first names of rules and functions, by package.
    names: BTreeMap<Vec<String>, BTreeSet<String>>,
}

impl Definitions {
    /// Enters what a module defines.
    pub(crate) fn add(&mut self, module: &Module) {
        let package = names_of(&module.package);
        let names = self.names.entry(package.clone()).or_default();
        for rule in &module.rules {
            let path = names_of(&rule.head.name);
            names.extend(path.first().cloned());
            if rule.head.parameters.is_some() {
                self.functions.insert(joined(&package, &path));
            }
        }
    }
}

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
        let names = names_of(&import.path);
        let Some(alias) = import.alias.as_ref().or_else(|| names.last()).cloned() else {
            continue;
        };
        globals.insert(alias.clone());
        if let Some((root, path)) = names.split_first()
            && root == "data"
        {
            imports.insert(alias, path.to_vec());
        }
    }
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

struct Lowering<'a> {
    package: Vec<String>,
    imports: BTreeMap<String, Vec<String>>,
    /// Names that mean more than a value of the rule at hand, unless that declares them itself.
    globals: BTreeSet<String>,
    functions: &'a BTreeSet<Vec<String>>,
    /// Names that are declared here, from the outermost body to the innermost.
    scopes: Vec<BTreeSet<String>>,
    prefix: String,
    next: usize,
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
        self.term(&mut rule.head.name);
        for parameter in rule.head.parameters.iter_mut().flatten() {
            self.term(parameter);
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
            self.term(&mut with.value);
            let has_value = is_constant(&with.value) || self.is_local(&with.value);
            if !has_value && !self.is_function(&with.value) {
                // It is evaluated before any modifier holds.
                self.lift(&mut with.value, &[], body);
            }
        }
        let mut lifted = Vec::new();
        match &mut expr.kind {
            ExprKind::Term(term) => {
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
                if let Some(key) = key {
                    self.term(key);
                }
                self.term(value);
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

    fn fresh(&mut self, place: Place) -> Term {
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
            TermKind::Null
            | TermKind::Bool(_)
            | TermKind::Number(_)
            | TermKind::Text(_)
            | TermKind::Var(_) => {}
            TermKind::Template(parts) => {
                let parts = std::mem::take(parts);
                *term = self.template(place, parts);
            }
            TermKind::Ref(head, items) | TermKind::Call(head, items) => {
                self.term(head);
                for item in items {
                    self.term(item);
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
        let mut names = TEMPLATE_STRING.split('.');
        let first = names.next().unwrap_or_default().to_owned();
        let head = Term::new(place, TermKind::Var(first));
        let steps = names.map(|name| Term::new(place, TermKind::Text(name.to_owned())));
        let function = TermKind::Ref(Box::new(head), steps.collect());
        let function = Term::new(place, function);
        let parts = Term::new(place, TermKind::Array(items));
        Term::new(place, TermKind::Call(Box::new(function), vec![parts]))
    }

    /// Whether a term is a name that has its value from the rule at hand.
    fn is_local(&self, term: &Term) -> bool {
        term.name().is_some_and(|name| {
            let is_declared = self.scopes.iter().any(|scope| scope.contains(name));
            is_declared || !self.globals.contains(name)
        })
    }

    /// Whether a term names a function, and so has no value of its own.
    fn is_function(&self, term: &Term) -> bool {
        if !matches!(term.kind, TermKind::Var(_) | TermKind::Ref(..)) {
            return false;
        }
        let names = names_of(term);
        let Some((root, rest)) = names.split_first() else {
            return false;
        };
        let imported = self.imports.get(root).map(|path| joined(path, rest));
        let full = match imported {
            Some(path) => path,
            None if root == "data" => rest.to_vec(),
            None => joined(&self.package, &names),
        };
        self.functions.contains(&full)
            || regorus::unstable::BUILTINS.contains_key(names.join(".").as_str())
    }
}

fn joined(path: &[String], rest: &[String]) -> Vec<String> {
    path.iter().chain(rest).cloned().collect()
}

/// The names that an expression declares for the body that it is in.
fn declared_in(expr: &Expr, names: &mut BTreeSet<String>) {
    match &expr.kind {
        ExprKind::Term(term) => {
            if let TermKind::Infix(Op::Assign, pair) = &term.kind {
                declared_by(&pair.0, names);
            }
        }
        ExprKind::Some(some) => names.extend(some.iter().map(|name| name.text.clone())),
        ExprKind::SomeIn { key, value, .. } => {
            for pattern in key.iter().chain([value]) {
                declared_by(pattern, names);
            }
        }
        ExprKind::Every { .. } => {}
    }
}

/// The names in a pattern.
fn declared_by(pattern: &Term, names: &mut BTreeSet<String>) {
    match &pattern.kind {
        TermKind::Var(name) => {
            names.insert(name.clone());
        }
        TermKind::Array(items) => {
            for item in items {
                declared_by(item, names);
            }
        }
        TermKind::Object(fields) => {
            for (_, value) in fields {
                declared_by(value, names);
            }
        }
        _ => {}
    }
}

/// Whether a term always has a value, whatever is around it.
fn is_constant(term: &Term) -> bool {
    match &term.kind {
        TermKind::Null | TermKind::Bool(_) | TermKind::Number(_) | TermKind::Text(_) => true,
        TermKind::Array(items) | TermKind::Set(items) => items.iter().all(is_constant),
        TermKind::Object(fields) => fields
            .iter()
            .all(|(name, value)| is_constant(name) && is_constant(value)),
        _ => false,
    }
}
