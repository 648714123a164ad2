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
    names::{Definitions, declared_by, declared_in, late_in, mentions, path_at},
    patterns::has_repeated_name,
};
use crate::engine_builtins::{COLLECTION, COMPARE, TEMPLATE_STRING};

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
        late: BTreeSet::new(),
        every: BTreeSet::new(),
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
    /// Those of them that hang on others of the same body.
    pub(super) late: BTreeSet<String>,
    /// Names of the `every` at hand, and of those around it.
    pub(super) every: BTreeSet<String>,
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
                self.head_term(step, rule.body.as_deref());
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
            HeadValue::Is(value) | HeadValue::Contains(value) => {
                self.head_term(value, rule.body.as_deref());
                if !rule.is_default {
                    self.shallow_head(value, &mut rule.body);
                }
            }
        }
        let has_else = !rule.otherwise.is_empty();
        if let Some(body) = &mut rule.body {
            self.body(body);
            let mut is_partial = false;
            if let TermKind::Ref(_, steps) = &mut rule.head.name.kind {
                for step in steps {
                    is_partial |= !is_constant(step);
                    self.value_in_body(step, body);
                }
            }
            match &mut rule.head.value {
                HeadValue::Is(value) if has_else || is_partial => self.value_in_body(value, body),
                HeadValue::Contains(member) => self.value_in_body(member, body),
                HeadValue::Is(_) | HeadValue::Implied => {}
            }
        }
        for other in &mut rule.otherwise {
            if let Some(value) = &mut other.value {
                self.head_term(value, other.body.as_deref());
                self.shallow_head(value, &mut other.body);
            }
            if let Some(body) = &mut other.body {
                self.body(body);
                if let Some(value) = &mut other.value {
                    self.value_in_body(value, body);
                }
            }
        }
    }

    /// Lowers what a head says, in which names are those of the body.
    fn head_term(&mut self, term: &mut Term, body: Option<&[Expr]>) {
        let body = body.unwrap_or_default();
        let mut scope = BTreeSet::new();
        for expr in body {
            declared_in(expr, &mut scope);
        }
        let late = late_in(body, &scope);
        let outer = std::mem::replace(&mut self.late, late);
        self.scopes.push(scope);
        self.term(term);
        self.scopes.pop();
        self.late = outer;
    }

    /// Makes what a head says part of the body that it belongs to: where it is undefined, `else` is
    /// tried, and other members are still there. Source: OPA, rewriting of heads.
    fn value_in_body(&mut self, value: &mut Term, body: &mut Body) {
        if !is_constant(value) && value.name().is_none() {
            self.lift(value, &[], body);
        }
    }

    fn body(&mut self, body: &mut Body) {
        let mut scope = BTreeSet::new();
        for expr in body.iter() {
            declared_in(expr, &mut scope);
        }
        let late = late_in(body, &scope);
        let outer = std::mem::replace(&mut self.late, late);
        self.scopes.push(scope);
        let exprs = std::mem::take(body);
        for expr in exprs {
            self.expr(expr, body);
        }
        // Behind an iteration the engine would declare a name once more with each turn.
        body.sort_by_key(|expr| !matches!(expr.kind, ExprKind::Some(_)));
        self.scopes.pop();
        self.late = outer;
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
                self.shallow(&mut with.value, body);
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
                let names: BTreeSet<String> = names.collect();
                let outer = self.every.clone();
                self.every.extend(names.iter().cloned());
                self.scopes.push(names);
                self.body(body);
                self.scopes.pop();
                self.every = outer;
            }
        }
        if let ExprKind::SomeIn { collection, .. } = &mut expr.kind
            && !is_certain(collection)
        {
            // To the engine it is an error if this is no collection.
            let place = collection.place;
            let null = Term::new(place, TermKind::Null);
            let given = std::mem::replace(collection, null);
            *collection = call(place, COLLECTION, vec![given]);
        }
        for mut one in lifted {
            self.shallow_expr(&mut one, body);
            body.push(one);
        }
        self.shallow_expr(&mut expr, body);
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
    pub(super) fn lift(&mut self, term: &mut Term, with: &[With], body: &mut Body) {
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
                    let hangs = self.scopes.iter().any(|scope| mentions(step, scope));
                    let is_given = step.name().is_some();
                    self.operand(step, with, body);
                    if hangs && !is_given && step.name().is_some() {
                        only_used(step);
                    }
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
                    if step.name().is_some_and(|name| self.late.contains(name)) {
                        only_used(step);
                    }
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
                self.head_term(member, Some(body.as_slice()));
                self.body(body);
                self.shallow(member, body);
            }
            TermKind::ObjectOf(pair, body) => {
                self.head_term(&mut pair.0, Some(body.as_slice()));
                self.head_term(&mut pair.1, Some(body.as_slice()));
                self.body(body);
                self.shallow(&mut pair.0, body);
                self.shallow(&mut pair.1, body);
            }
            TermKind::Infix(op, pair) => {
                self.term(&mut pair.0);
                self.term(&mut pair.1);
                let is_order = matches!(
                    op,
                    Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual
                );
                if is_order && !is_plain(&pair.0) && !is_plain(&pair.1) {
                    let zero = Term::new(place, TermKind::Number("0".to_owned()));
                    let left = std::mem::replace(&mut pair.0, zero.clone());
                    let right = std::mem::replace(&mut pair.1, zero);
                    pair.0 = call(place, COMPARE, vec![left, right]);
                }
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
        let parts = Term::new(place, TermKind::Array(items));
        call(place, TEMPLATE_STRING, vec![parts])
    }
}

/// A call of a builtin.
fn call(place: Place, name: &str, arguments: Vec<Term>) -> Term {
    let names: Vec<String> = name.split('.').map(str::to_owned).collect();
    let function = Box::new(path_at(place, &names));
    Term::new(place, TermKind::Call(function, arguments))
}

/// Whether a term can only be a scalar, in whose order the engine and OPA agree.
fn is_plain(term: &Term) -> bool {
    match &term.kind {
        TermKind::Null | TermKind::Bool(_) | TermKind::Number(_) | TermKind::Text(_) => true,
        TermKind::Call(function, _) => function.name() == Some("count"),
        TermKind::Infix(op, _) => matches!(op, Op::Add | Op::Multiply | Op::Divide | Op::Remainder),
        _ => false,
    }
}

/// Makes `[a][0]` of an index `a` that has its value from elsewhere. The engine takes an index for
/// a place where a name may get its value, and would order the body by that.
fn only_used(index: &mut Term) {
    let place = index.place;
    let zero = Term::new(place, TermKind::Number("0".to_owned()));
    let name = std::mem::replace(index, zero.clone());
    let list = Term::new(place, TermKind::Array(vec![name]));
    *index = Term::new(place, TermKind::Ref(Box::new(list), vec![zero]));
}

/// Whether a term is a collection, whatever is around it.
const fn is_certain(term: &Term) -> bool {
    matches!(
        term.kind,
        TermKind::Array(_)
            | TermKind::Set(_)
            | TermKind::Object(_)
            | TermKind::ArrayOf(..)
            | TermKind::SetOf(..)
            | TermKind::ObjectOf(..)
    )
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
