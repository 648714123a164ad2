//! From a syntax tree to the form in which it is checked: terms and calls.

use std::{collections::BTreeSet, rc::Rc};

use super::{
    finding::Code,
    lower::{Lowering, path_of},
    scopes::{Global, Scope, declared_in, document},
    tree::{Comprehension, DATA, Expr, ExprKind, Function, Kind, Origin, Shape, Term, Variable},
};
use crate::{
    builtins::declarations::{Declaration, declaration},
    front::ast::{self, Body, Op, Part, Place, TermKind},
};

impl<'a> Lowering<'a, '_> {
    /// What a term says as an expression. What it needs before it comes to the end of `support`.
    pub(super) fn expr_kind(
        &mut self,
        term: &'a ast::Term,
        support: &mut Vec<Expr<'a>>,
    ) -> ExprKind<'a> {
        match &term.kind {
            TermKind::Call(function, arguments) => {
                if self
                    .builtin(function)
                    .is_some_and(|builtin| builtin.name == "print")
                {
                    return self.print(term.place, arguments);
                }
                let function = self.function(function, false);
                let arguments = arguments.iter().map(|one| self.term(one, support));
                let arguments = arguments.collect();
                ExprKind::Call(function, arguments)
            }
            TermKind::Infix(op, pair) => {
                let arguments = vec![self.term(&pair.0, support), self.term(&pair.1, support)];
                ExprKind::Call(operator(*op), arguments)
            }
            TermKind::In(membership) => self.membership(membership, support),
            _ => ExprKind::Term(self.term(term, support)),
        }
    }

    /// A term. Every call in it becomes an expression of `support`.
    pub(super) fn term(&mut self, term: &'a ast::Term, support: &mut Vec<Expr<'a>>) -> Term<'a> {
        let place = term.place;
        let mut all = |this: &mut Self, items: &'a [ast::Term]| -> Vec<Term<'a>> {
            items.iter().map(|item| this.term(item, support)).collect()
        };
        let kind = match &term.kind {
            TermKind::Null => Kind::Null,
            TermKind::Bool(flag) => Kind::Bool(*flag),
            TermKind::Number(text) => Kind::Number(text),
            TermKind::Text(text) => Kind::Text(text),
            TermKind::Var(name) => self.name(name, place),
            TermKind::Array(items) => Kind::Array(all(self, items)),
            TermKind::Set(items) => Kind::Set(all(self, items)),
            TermKind::Object(fields) => {
                let fields = fields.iter();
                let fields =
                    fields.map(|(key, value)| (self.term(key, support), self.term(value, support)));
                Kind::Object(fields.collect())
            }
            TermKind::Ref(head, steps) => return self.reference(place, head, steps, support),
            TermKind::Call(..) | TermKind::Infix(..) | TermKind::In(_) => {
                return self.call(term, support);
            }
            TermKind::Template(parts) => return self.template(place, parts, support),
            TermKind::ArrayOf(value, body) => self.comprehension(Shape::Array, None, value, body),
            TermKind::SetOf(value, body) => self.comprehension(Shape::Set, None, value, body),
            TermKind::ObjectOf(pair, body) => {
                self.comprehension(Shape::Object, Some(&pair.0), &pair.1, body)
            }
        };
        Term::new(place, kind)
    }

    fn name(&mut self, name: &'a str, place: Place) -> Kind<'a> {
        if let Some(document) = document(name) {
            return Kind::Reference(document, Vec::new());
        }
        if let Some(global) = self.scopes.global(name) {
            let (base, steps) = steps_of(global, place);
            return Kind::Reference(base, steps);
        }
        if !self.scopes.is_declared(name) && declaration(name).is_some() {
            self.read.insert(name, place);
        }
        Kind::Variable(self.scopes.variable(name, self.names))
    }

    fn reference(
        &mut self,
        place: Place,
        head: &'a ast::Term,
        steps: &'a [ast::Term],
        support: &mut Vec<Expr<'a>>,
    ) -> Term<'a> {
        let head = self.term(head, support);
        let steps: Vec<Term<'a>> = steps.iter().map(|step| self.term(step, support)).collect();
        let kind = match head.kind {
            Kind::Reference(base, mut path) => {
                path.extend(steps);
                Kind::Reference(base, path)
            }
            Kind::Variable(base) => Kind::Reference(base, steps),
            kind => {
                let name = self.named(Term::new(place, kind), support);
                match name.kind {
                    Kind::Variable(base) => Kind::Reference(base, steps),
                    kind => kind,
                }
            }
        };
        Term::new(place, kind)
    }

    /// A call inside a term: a name for its result.
    fn call(&mut self, term: &'a ast::Term, support: &mut Vec<Expr<'a>>) -> Term<'a> {
        let place = term.place;
        let kind = match &term.kind {
            TermKind::Call(function, arguments) => {
                let function = self.function(function, true);
                if let Function::Builtin(Declaration {
                    result: None, name, ..
                }) = &function
                {
                    let message = format!("`{name}` has no value; call it as a line of its own");
                    self.find(Code::Type, place, message);
                }
                let arguments = arguments.iter().map(|one| self.term(one, support));
                let arguments = arguments.collect();
                ExprKind::Call(function, arguments)
            }
            TermKind::In(membership) => self.membership(membership, support),
            _ => self.expr_kind(term, support),
        };
        let result = Term::variable(place, self.names.fresh(None));
        let mut expr = match kind {
            ExprKind::Call(Function::Unify, mut arguments) => {
                // A unification inside a term has a third argument.
                arguments.push(result.clone());
                Expr::new(place, ExprKind::Call(builtin("eq"), arguments))
            }
            ExprKind::Call(function, mut arguments) => {
                arguments.push(result.clone());
                Expr::new(place, ExprKind::Call(function, arguments))
            }
            kind => Expr::new(place, kind),
        };
        expr.is_generated = true;
        support.push(expr);
        result
    }

    fn membership(
        &mut self,
        membership: &'a ast::Membership,
        support: &mut Vec<Expr<'a>>,
    ) -> ExprKind<'a> {
        let ast::Membership {
            key,
            value,
            collection,
        } = membership;
        let function = if key.is_some() {
            "internal.member_3"
        } else {
            "internal.member_2"
        };
        let arguments = key.iter().chain([value, collection]);
        let arguments = arguments.map(|one| self.term(one, support)).collect();
        ExprKind::Call(builtin(function), arguments)
    }

    /// What a called term names. `is_inside`: whether the call stands inside a term.
    fn function(&mut self, term: &'a ast::Term, is_inside: bool) -> Function<'a> {
        let (head, steps) = match &term.kind {
            TermKind::Ref(head, steps) => (head.as_ref(), steps.as_slice()),
            _ => (term, [].as_slice()),
        };
        let shown = || path_of(term).map_or_else(|| "this".to_owned(), |path| path.join("."));
        let Some(name) = head.name() else {
            return Function::Unknown(shown());
        };
        let global = self.scopes.global(name);
        if global.is_some() || document(name).is_some() {
            let mut support = Vec::new();
            let term = self.reference(term.place, head, steps, &mut support);
            return match term.kind {
                Kind::Reference(DATA, steps) => Function::Rule(steps),
                _ => Function::Unknown(shown()),
            };
        }
        if self.scopes.is_declared(name) {
            if is_inside {
                let message = format!(
                    "`{name}` is a variable here, so `{}` can't be called",
                    shown()
                );
                self.find(Code::Compile, term.place, message);
                return Function::Told;
            }
            return Function::Unknown(shown());
        }
        self.scopes.variable(name, self.names);
        let found = path_of(term).and_then(|path| declaration(&path.join(".")));
        match found {
            Some(declaration) if declaration.name == "eq" => Function::Unify,
            Some(declaration) => {
                self.called.insert(name);
                Function::Builtin(declaration)
            }
            None => Function::Unknown(shown()),
        }
    }

    fn comprehension(
        &mut self,
        shape: Shape,
        key: Option<&'a ast::Term>,
        value: &'a ast::Term,
        body: &'a Body,
    ) -> Kind<'a> {
        let before = self.findings.len();
        let mut hidden = BTreeSet::new();
        declared_in(body, &mut hidden);
        self.scopes.enter(hidden, Scope::default());
        let mut lowered = Vec::new();
        self.body(body, &mut lowered);
        let key = key.map(|key| self.made(key, &mut lowered));
        let value = self.made(value, &mut lowered);
        if self.findings.len() == before {
            self.unused(None);
        }
        self.scopes.leave();
        Kind::Comprehension(Box::new(Comprehension {
            id: self.names.fresh(None),
            shape,
            origin: Origin::Written,
            key,
            value,
            body: lowered,
        }))
    }

    /// What a comprehension is made of; what has to be evaluated is part of its body.
    fn made(&mut self, term: &'a ast::Term, body: &mut Vec<Expr<'a>>) -> Term<'a> {
        let term = self.term(term, body);
        if term.needs_evaluation() {
            self.named(term, body)
        } else {
            term
        }
    }

    /// A set of one value, or of none if it is undefined.
    fn maybe(
        &mut self,
        origin: Origin,
        place: Place,
        body: Vec<Expr<'a>>,
        value: Term<'a>,
    ) -> Term<'a> {
        let mut body = body;
        let value = self.named(value, &mut body);
        let comprehension = Comprehension {
            id: self.names.fresh(None),
            shape: Shape::Set,
            origin,
            key: None,
            value,
            body,
        };
        Term::new(place, Kind::Comprehension(Box::new(comprehension)))
    }

    fn print(&mut self, place: Place, arguments: &'a [ast::Term]) -> ExprKind<'a> {
        let arguments = arguments.iter().map(|argument| {
            let mut body = Vec::new();
            let value = self.term(argument, &mut body);
            self.maybe(Origin::Print, argument.place, body, value)
        });
        let arguments = Term::new(place, Kind::Array(arguments.collect()));
        ExprKind::Call(builtin("internal.print"), vec![arguments])
    }

    fn template(
        &mut self,
        place: Place,
        parts: &'a [Part],
        support: &mut Vec<Expr<'a>>,
    ) -> Term<'a> {
        let mut items = Vec::new();
        for part in parts {
            let expr = match part {
                Part::Text(text) => {
                    items.push(Term::new(place, Kind::Text(text)));
                    continue;
                }
                Part::Expr(expr) => expr,
            };
            let ast::ExprKind::Term(term) = &expr.kind else {
                continue;
            };
            self.scopes.enter(BTreeSet::new(), Scope::default());
            let mut body = Vec::new();
            let value = self.term(term, &mut body);
            let mut before = Vec::new();
            let with = self.withs(&expr.with, &mut before);
            self.scopes.leave();
            let is_relation = body.iter().any(|one| {
                matches!(&one.kind, ExprKind::Call(Function::Builtin(called), _) if called.is_relation)
            });
            if is_relation {
                let message = "a function with several results can't stand in a template";
                self.find(Code::Compile, expr.place, message);
            }
            items.push(match &value.kind {
                Kind::Variable(_) if body.is_empty() => {
                    Term::new(expr.place, Kind::Set(vec![value]))
                }
                _ => {
                    let mut item = self.maybe(Origin::Template, expr.place, body, value);
                    if let Kind::Comprehension(comprehension) = &mut item.kind {
                        for one in &mut comprehension.body {
                            one.with = Rc::clone(&with);
                        }
                        comprehension.body.splice(0..0, before);
                    }
                    item
                }
            });
        }
        let parts = Term::new(place, Kind::Array(items));
        let result = Term::variable(place, self.names.fresh(None));
        let kind = ExprKind::Call(
            builtin("internal.template_string"),
            vec![parts, result.clone()],
        );
        let mut expr = Expr::new(place, kind);
        expr.is_generated = true;
        support.push(expr);
        result
    }
}

/// A declared builtin by its name.
fn builtin<'a>(name: &str) -> Function<'a> {
    declaration(name).map_or_else(|| Function::Unknown(name.to_owned()), Function::Builtin)
}

fn operator<'a>(op: Op) -> Function<'a> {
    builtin(match op {
        Op::Unify => return Function::Unify,
        Op::Assign => "assign",
        Op::Equal => "equal",
        Op::NotEqual => "neq",
        Op::Less => "lt",
        Op::LessOrEqual => "lte",
        Op::Greater => "gt",
        Op::GreaterOrEqual => "gte",
        Op::Union => "or",
        Op::Intersection => "and",
        Op::Add => "plus",
        Op::Subtract => "minus",
        Op::Multiply => "mul",
        Op::Divide => "div",
        Op::Remainder => "rem",
    })
}

/// What a global stands for, as a reference.
fn steps_of<'a>(global: &Global<'a>, place: Place) -> (Variable, Vec<Term<'a>>) {
    let steps = global.steps.iter();
    let steps = steps
        .map(|step| Term::new(place, Kind::Text(step)))
        .collect();
    (global.base, steps)
}
