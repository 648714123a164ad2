//! Gives what has to be evaluated inside a term an expression of its own, so that its type is known
//! before that of the term. Source: OPA, `v1/ast/compile.go`, `rewriteDynamics`.

use std::rc::Rc;

use super::{
    finding::Names,
    tree::{Expr, ExprKind, Function, Kind, Term, With},
};

/// Lifts in a body that is in order, and in the bodies inside it.
pub(super) fn lift<'a>(body: &mut Vec<Expr<'a>>, names: &mut Names<'a>) {
    let mut lifting = Lifting {
        names,
        out: Vec::new(),
    };
    for expr in std::mem::take(body) {
        lifting.expr(expr);
    }
    *body = lifting.out;
}

struct Lifting<'a, 'n> {
    names: &'n mut Names<'a>,
    out: Vec<Expr<'a>>,
}

impl<'a> Lifting<'a, '_> {
    fn expr(&mut self, mut expr: Expr<'a>) {
        let with = Rc::clone(&expr.with);
        match &mut expr.kind {
            ExprKind::Term(term) => self.side(term, &with),
            ExprKind::Call(function, arguments) => {
                let is_equation = match function {
                    Function::Unify => true,
                    Function::Builtin(builtin) => builtin.name == "equal" && arguments.len() == 2,
                    Function::Rule(_) | Function::Unknown(_) | Function::Told => false,
                };
                for argument in arguments {
                    if is_equation {
                        self.side(argument, &with);
                    } else {
                        self.part(argument, &with);
                    }
                }
                if is_equation {
                    *function = Function::Unify;
                }
            }
            ExprKind::Every(every) => {
                self.part(&mut every.domain, &with);
                lift(&mut every.body, self.names);
            }
        }
        self.out.push(expr);
    }

    /// A side of an equation stays what it is; only what is in it is lifted.
    fn side(&mut self, term: &mut Term<'a>, with: &Rc<[With<'a>]>) {
        match &mut term.kind {
            Kind::Reference(_, steps) => {
                for step in steps {
                    self.part(step, with);
                }
            }
            Kind::Comprehension(comprehension) => lift(&mut comprehension.body, self.names),
            _ => self.part(term, with),
        }
    }

    fn part(&mut self, term: &mut Term<'a>, with: &Rc<[With<'a>]>) {
        match &mut term.kind {
            Kind::Reference(_, steps) => {
                for step in steps {
                    self.part(step, with);
                }
                self.named(term, with);
            }
            Kind::Comprehension(comprehension) => {
                lift(&mut comprehension.body, self.names);
                self.named(term, with);
            }
            Kind::Array(items) | Kind::Set(items) => {
                for item in items {
                    self.part(item, with);
                }
            }
            Kind::Object(fields) => {
                for (key, value) in fields {
                    self.part(key, with);
                    self.part(value, with);
                }
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Variable(_) => {}
        }
    }

    fn named(&mut self, term: &mut Term<'a>, with: &Rc<[With<'a>]>) {
        let place = term.place;
        let name = Term::variable(place, self.names.fresh(None));
        let value = std::mem::replace(term, name.clone());
        let mut expr = Expr::equation(place, name, value);
        expr.with = Rc::clone(with);
        self.out.push(expr);
    }
}
