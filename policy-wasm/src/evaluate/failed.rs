//! Which expressions of a rule failed, for whoever wants to know why it has no value.

use super::Evaluation;
use crate::{
    front::Place,
    plan::code::{Complete, Op, RuleId, RuleKind},
};

/// An expression that did not hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Failed {
    pub(crate) module: usize,
    pub(crate) place: Place,
}

/// The bodies of one rule, and how far each got.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    bodies: Vec<Watched<'a>>,
}

#[derive(Debug)]
struct Watched<'a> {
    module: usize,
    ops: &'a [Op],
    furthest: Option<usize>,
}

impl<'a> Watch<'a> {
    fn of(complete: &'a Complete) -> Self {
        let definitions = complete.definitions.iter();
        let bodies = definitions.flat_map(|definition| {
            let branches = definition.branches.iter();
            branches.map(|branch| Watched {
                module: definition.module,
                ops: &branch.body,
                furthest: None,
            })
        });
        Self {
            bodies: bodies.collect(),
        }
    }

    /// Notes an operation that failed, if it is one of the rule's own.
    pub(super) fn note(&mut self, op: &Op) {
        for body in &mut self.bodies {
            let index = body.ops.iter().position(|own| std::ptr::eq(own, op));
            if index.is_some() {
                body.furthest = body.furthest.max(index);
                return;
            }
        }
    }
}

impl Evaluation<'_> {
    /// Notes from now on how far the bodies of a rule get.
    pub(crate) fn watch(&mut self, rule: RuleId) {
        let rule = self.plan().rules.get(rule);
        self.watch = match rule.map(|rule| &rule.kind) {
            Some(RuleKind::Complete(complete)) => Some(Watch::of(complete)),
            _ => None,
        };
    }

    /// Of each body of the rule that is watched, the expression that got furthest and failed.
    pub(crate) fn failed(&self) -> Vec<Failed> {
        let bodies = self.watch.iter().flat_map(|watch| &watch.bodies);
        let failed = bodies.filter_map(|body| {
            Some(Failed {
                module: body.module,
                place: body.ops.get(body.furthest?)?.place,
            })
        });
        failed.collect()
    }

    /// Nothing comes after an operation that failed.
    pub(super) fn note_failed(&mut self, op: &Op) {
        if let Some(watch) = &mut self.watch {
            watch.note(op);
        }
    }
}
