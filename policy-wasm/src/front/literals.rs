//! Collections inside each other, taken apart where they nest.
//!
//! The engine's parser reads what begins a collection twice, once as a comprehension, so every level
//! doubles its work. A few levels are nothing; beyond [`LEVELS_MAX`] an inner one gets a name.

use super::{
    ast::{Body, Expr, ExprKind, Term, TermKind},
    lower::Lowering,
};

/// 5: levels that the engine reads in 32 times the work of one.
const LEVELS_MAX: usize = 5;

/// 4: levels of terms in a comprehension that has nothing nested in it.
const NESTED_DEPTH: u32 = 4;

impl Lowering<'_> {
    /// Takes the terms of an expression apart, before it.
    pub(super) fn shallow_expr(&mut self, expr: &mut Expr, before: &mut Body) {
        match &mut expr.kind {
            ExprKind::Term(term) => {
                self.shallow(term, before);
            }
            ExprKind::SomeIn { collection, .. } => {
                self.shallow(collection, before);
            }
            ExprKind::Every { domain, .. } => {
                self.shallow(domain, before);
            }
            ExprKind::Some(_) => {}
        }
        for with in &mut expr.with {
            self.shallow(&mut with.value, before);
        }
    }

    /// The same of what a rule's head says, which needs a body for it.
    pub(super) fn shallow_head(&mut self, term: &mut Term, body: &mut Option<Body>) {
        let mut before = Vec::new();
        self.shallow(term, &mut before);
        if !before.is_empty() {
            body.get_or_insert_default().append(&mut before);
        }
    }

    /// How many collections nest in a term once it is taken apart.
    pub(super) fn shallow(&mut self, term: &mut Term, before: &mut Body) -> usize {
        let levels = match &mut term.kind {
            TermKind::Array(items) | TermKind::Set(items) => self
                .deepest(items.iter_mut(), true, before)
                .saturating_add(1),
            TermKind::Object(fields) => {
                let terms = fields.iter_mut().flat_map(|(name, value)| [name, value]);
                self.deepest(terms, true, before).saturating_add(1)
            }
            TermKind::Ref(head, steps) => {
                let terms = steps.iter_mut().chain([head.as_mut()]);
                self.deepest(terms, false, before)
            }
            TermKind::Call(_, arguments) => self.deepest(arguments.iter_mut(), false, before),
            TermKind::Infix(_, pair) => {
                self.deepest([&mut pair.0, &mut pair.1].into_iter(), false, before)
            }
            TermKind::In(membership) => {
                let terms = membership.key.iter_mut();
                let terms = terms.chain([&mut membership.value, &mut membership.collection]);
                self.deepest(terms, false, before)
            }
            // What is in a comprehension was taken apart in its own body.
            TermKind::ArrayOf(..)
            | TermKind::SetOf(..)
            | TermKind::ObjectOf(..)
            | TermKind::Null
            | TermKind::Bool(_)
            | TermKind::Number(_)
            | TermKind::Text(_)
            | TermKind::Template(_)
            | TermKind::Var(_) => 0,
        };
        if levels > LEVELS_MAX {
            self.lift(term, &[], before);
            return 0;
        }
        levels
    }

    /// `in_collection`: whether the engine would read the terms twice. Then a comprehension, with
    /// whatever nests in its body, gets a name.
    fn deepest<'t>(
        &mut self,
        terms: impl Iterator<Item = &'t mut Term>,
        in_collection: bool,
        before: &mut Body,
    ) -> usize {
        let mut levels = 0;
        for term in terms {
            levels = self.shallow(term, before).max(levels);
            let is_comprehension = matches!(
                term.kind,
                TermKind::ArrayOf(..) | TermKind::SetOf(..) | TermKind::ObjectOf(..)
            );
            if in_collection && is_comprehension && term.depth > NESTED_DEPTH {
                self.lift(term, &[], before);
            }
        }
        levels
    }
}
