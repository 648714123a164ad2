//! From a syntax tree to the form in which it is checked: modifiers.

use std::rc::Rc;

use super::{
    finding::Code,
    lower::{Lowering, path_of},
    scopes::document,
    tree::{DATA, Expr, INPUT, Kind, Target, Term, With, WithValue},
};
use crate::{
    builtins::declarations::{Declaration, declaration},
    front::ast::{self, Place},
};

impl<'a> Lowering<'a, '_> {
    /// Lowers modifiers; what their values need comes to the end of `out`.
    pub(super) fn withs(
        &mut self,
        withs: &'a [ast::With],
        out: &mut Vec<Expr<'a>>,
    ) -> Rc<[With<'a>]> {
        let withs = withs.iter().map(|with| {
            let target = self.target(&with.target, out);
            let replaces_function = match &target {
                Target::Builtin(_) => true,
                Target::Reference(base, steps) => *base == DATA && self.is_function(steps),
                Target::Other => false,
            };
            self.names_only(with.target.place, &target);
            let value = self.with_value(&with.value, replaces_function, out);
            With {
                place: with.target.place,
                target,
                value,
            }
        });
        withs.collect()
    }

    /// What is no name on the way to what is replaced, OPA says when it evaluates: "bad document path".
    fn names_only(&mut self, place: Place, target: &Target<'a>) {
        let Target::Reference(INPUT | DATA, steps) = target else {
            return;
        };
        if steps.iter().any(|step| !matches!(step.kind, Kind::Text(_))) {
            let message = "`with` replaces what names lead to; replace the whole array or set";
            self.find(Code::Refused, place, message);
        }
    }

    fn target(&mut self, term: &'a ast::Term, out: &mut Vec<Expr<'a>>) -> Target<'a> {
        if let Some(builtin) = self.builtin(term) {
            return Target::Builtin(builtin);
        }
        match self.term(term, out).kind {
            Kind::Reference(base, steps) => Target::Reference(base, steps),
            _ => Target::Other,
        }
    }

    fn with_value(
        &mut self,
        term: &'a ast::Term,
        replaces_function: bool,
        out: &mut Vec<Expr<'a>>,
    ) -> WithValue<'a> {
        if let Some(builtin) = self.builtin(term)
            && replaces_function
        {
            return WithValue::Builtin(builtin);
        }
        let value = self.term(term, out);
        if let Kind::Reference(DATA, steps) = &value.kind
            && self.is_function(steps)
        {
            return WithValue::Term(value);
        }
        WithValue::Term(if value.needs_evaluation() {
            self.named(value, out)
        } else {
            value
        })
    }

    /// Whether the steps of a reference below `data` name a function.
    fn is_function(&self, steps: &[Term<'a>]) -> bool {
        let names = steps.iter().map(|step| match step.kind {
            Kind::Text(name) => Some(name),
            _ => None,
        });
        let names: Option<Vec<&str>> = names.collect();
        names.is_some_and(|names| self.module.functions.contains(&names))
    }

    /// The builtin that a term names, if nothing else has its name here.
    pub(super) fn builtin(&self, term: &ast::Term) -> Option<&'static Declaration> {
        let path = path_of(term)?;
        let root = path.first()?;
        let is_other = document(root).is_some()
            || self.scopes.global(root).is_some()
            || self.scopes.is_declared(root);
        if is_other {
            return None;
        }
        declaration(&path.join("."))
    }
}
