//! What stands in templates and in calls of `print`: a set, empty where it is undefined.

use std::collections::BTreeSet;

use super::{
    Comprehension, Literal, LiteralKind, Makes, Node, Resolver, Unresolved, builtin_call,
    names_in_term, undeclared,
};
use crate::{
    front::{Expr, ExprKind, Part, Place, Term, TermKind},
    value::Value,
};

impl Resolver<'_> {
    /// `{x | x := term}`: empty where the term is undefined.
    pub(super) fn set_of(&mut self, term: &Term) -> Result<Node, Unresolved> {
        let expr = Expr::new(term.place, ExprKind::Term(term.clone()));
        self.set_of_expr(&expr)
    }

    fn set_of_expr(&mut self, expr: &Expr) -> Result<Node, Unresolved> {
        let names = undeclared(std::slice::from_ref(expr), []);
        let is_known = |name: &String| {
            self.local(name).is_some() || (self.is_global(name) && !self.is_pending(name))
        };
        let mut own = BTreeSet::new();
        if let ExprKind::Term(term) = &expr.kind {
            names_in_term(term, &mut own);
        }
        if let Some(name) = own.iter().find(|name| !is_known(name)) {
            let message = format!("var {name} is undeclared");
            let place = expr.place;
            return Err(Unresolved { place, message });
        }
        let ((body, slot), free) = self.closure(names, |this| {
            let slot = this.fresh("value");
            let mut body = Vec::new();
            if let ExprKind::Term(term) = &expr.kind {
                let with = expr.with.iter().map(|with| this.with(with));
                body.push(Literal {
                    place: expr.place,
                    is_negated: expr.is_negated,
                    with: with.collect::<Result<_, _>>()?,
                    kind: LiteralKind::Unify(Node::Var(slot), this.term(term)?),
                });
            }
            Ok((body, slot))
        })?;
        Ok(Node::Comprehension(Box::new(Comprehension {
            place: expr.place,
            body,
            makes: Makes::Set(Node::Var(slot)),
            free,
        })))
    }

    /// `$"a {b}"` is `internal.template_string(["a ", {c | c := b}])`. Source: OPA.
    pub(super) fn template(&mut self, place: Place, parts: &[Part]) -> Result<Node, Unresolved> {
        let parts = parts.iter().map(|part| match part {
            Part::Text(text) => Ok(Node::Const(Value::from(text.as_str()))),
            Part::Expr(expr) => self.template_part(expr),
        });
        let parts = Node::Array(parts.collect::<Result<_, _>>()?);
        builtin_call(place, "internal.template_string", vec![parts])
    }

    /// Where there is nothing to evaluate, OPA passes over modifiers.
    fn template_part(&mut self, expr: &Expr) -> Result<Node, Unresolved> {
        let ExprKind::Term(term) = &expr.kind else {
            return self.set_of_expr(expr);
        };
        let is_plain = match &term.kind {
            TermKind::Null | TermKind::Bool(_) | TermKind::Number(_) | TermKind::Text(_) => true,
            TermKind::Var(name) => self.local(name).is_some(),
            _ => false,
        };
        if !is_plain || expr.with.is_empty() {
            return self.set_of_expr(expr);
        }
        let mut plain = expr.clone();
        plain.with.clear();
        self.set_of_expr(&plain)
    }
}
