//! The order in which the expressions of a body can be evaluated: each when what it needs has a
//! value. Source: OPA, `ast/compile.go`, `reorderBodyForSafety`.

use std::{cell::Cell, rc::Rc};

use super::{
    code::Slot,
    pieces::{pieces, pieces_outputs},
    resolved::{Call, Literal, LiteralKind, Node, Replacement, Root, With},
};

/// 10,000: looks at terms that every definition may take to be put in order.
const LOOKS: u64 = 10_000;
/// 300: further ones for each term of a body. Terms whose parts wait for each other on every level
/// would take twice as many for each level.
const LOOKS_A_TERM: u64 = 300;

/// Variables that have a value.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    slots: Vec<bool>,
    /// Looks that are left, to all copies together.
    looks: Rc<Cell<u64>>,
}

impl Default for Bound {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            looks: Rc::new(Cell::new(LOOKS)),
        }
    }
}

impl Bound {
    pub(super) fn has(&self, slot: Slot) -> bool {
        self.slots.get(slot).copied().unwrap_or_default()
    }

    pub(super) fn add(&mut self, slot: Slot) {
        if self.slots.len() <= slot {
            self.slots.resize(slot.saturating_add(1), false);
        }
        if let Some(is_bound) = self.slots.get_mut(slot) {
            *is_bound = true;
        }
    }

    /// Takes a look at a term, if there is one left.
    fn spend(&self) -> Option<()> {
        self.looks.set(self.looks.get().checked_sub(1)?);
        Some(())
    }

    fn allow(&self, terms: u64) {
        let more = terms.saturating_mul(LOOKS_A_TERM);
        self.looks.set(self.looks.get().saturating_add(more));
    }

    /// Whether no order was found in as many looks as there may be.
    pub(super) fn is_out_of_looks(&self) -> bool {
        self.looks.get() == 0
    }

    fn with(&self, slots: &[Slot]) -> Self {
        let mut bound = self.clone();
        for slot in slots {
            bound.add(*slot);
        }
        bound
    }
}

/// Puts literals in an order in which each can be evaluated, and adds what they bind.
/// Errors: those that can't be.
pub(super) fn order(
    literals: Vec<Literal>,
    bound: &mut Bound,
) -> Result<Vec<Literal>, Vec<Literal>> {
    let mut left = literals;
    bound.allow(left.iter().map(terms_in_literal).sum());
    let mut ordered = Vec::with_capacity(left.len());
    loop {
        let before = left.len();
        let mut later = Vec::new();
        for literal in left {
            match outputs(&literal, bound) {
                Some(slots) => {
                    for slot in slots {
                        bound.add(slot);
                    }
                    ordered.push(literal);
                }
                None => later.push(literal),
            }
        }
        if later.is_empty() {
            return Ok(ordered);
        }
        if later.len() == before {
            return Err(later);
        }
        left = later;
    }
}

fn terms_in_literal(literal: &Literal) -> u64 {
    match &literal.kind {
        LiteralKind::Test(node) => terms_in(node),
        LiteralKind::Unify(left, right) | LiteralKind::Output(left, right) => {
            terms_in(left).saturating_add(terms_in(right))
        }
        LiteralKind::Every { domain, .. } => terms_in(domain),
        LiteralKind::Print(sets) => sets.iter().map(terms_in).sum(),
    }
}

/// How many terms a term is made of, at least itself. What is in a comprehension counts there.
fn terms_in(node: &Node) -> u64 {
    let below: u64 = match node {
        Node::Const(_) | Node::Var(_) | Node::Comprehension(_) => 0,
        Node::Array(items) | Node::Set(items) => items.iter().map(terms_in).sum(),
        Node::Object(fields) => {
            let fields = fields.iter();
            fields
                .map(|(key, value)| terms_in(key).saturating_add(terms_in(value)))
                .sum()
        }
        Node::Ref(root, steps) => {
            let head = match root.as_ref() {
                Root::Term(head) => terms_in(head),
                _ => 0,
            };
            steps.iter().map(terms_in).sum::<u64>().saturating_add(head)
        }
        Node::Call(call) => call.arguments.iter().map(terms_in).sum(),
    };
    below.saturating_add(1)
}

/// What a literal binds, if it can be evaluated.
fn outputs(literal: &Literal, bound: &Bound) -> Option<Vec<Slot>> {
    let mut out = Vec::new();
    for with in &literal.with {
        match with {
            With::Input(_, value)
            | With::Data(_, value)
            | With::Call(_, Replacement::Value(value)) => value_outputs(value, bound, &mut out)?,
            With::Call(_, Replacement::Target(_)) => {}
        }
    }
    match &literal.kind {
        LiteralKind::Test(node) => value_outputs(node, bound, &mut out)?,
        LiteralKind::Unify(left, right) => {
            let pieces = pieces(left.clone(), right.clone());
            pieces_outputs(&pieces, bound, &mut out)?;
        }
        LiteralKind::Output(call, output) => {
            value_outputs(call, bound, &mut out)?;
            pattern_outputs(output, bound, &mut out)?;
        }
        LiteralKind::Every { domain, free, .. } => {
            value_outputs(domain, bound, &mut out)?;
            all_bound(free, bound, &out)?;
        }
        LiteralKind::Print(sets) => {
            for set in sets {
                value_outputs(set, bound, &mut out)?;
            }
        }
    }
    // A negation gives nothing a value.
    (!literal.is_negated || out.is_empty()).then_some(out)
}

fn all_bound(slots: &[Slot], bound: &Bound, out: &[Slot]) -> Option<()> {
    let mut slots = slots.iter();
    slots
        .all(|slot| bound.has(*slot) || out.contains(slot))
        .then_some(())
}

/// Adds what evaluating a term binds; `None` if it can't be evaluated yet.
pub(super) fn value_outputs(node: &Node, bound: &Bound, out: &mut Vec<Slot>) -> Option<()> {
    bound.spend()?;
    match node {
        Node::Const(_) => {}
        Node::Var(slot) => all_bound(&[*slot], bound, out)?,
        Node::Array(items) | Node::Set(items) => {
            all_outputs(items.iter().collect(), bound, out)?;
        }
        Node::Object(fields) => {
            let terms = fields.iter().flat_map(|(key, value)| [key, value]);
            all_outputs(terms.collect(), bound, out)?;
        }
        Node::Ref(root, steps) => {
            if let Root::Term(head) = root.as_ref() {
                value_outputs(head, bound, out)?;
            }
            for step in steps {
                pattern_outputs(step, bound, out)?;
            }
        }
        Node::Call(call) => {
            let Call { arguments, .. } = call.as_ref();
            all_outputs(arguments.iter().collect(), bound, out)?;
        }
        Node::Comprehension(comprehension) => all_bound(&comprehension.free, bound, out)?,
    }
    Some(())
}

/// The same of several terms, of which one may bind what another needs.
fn all_outputs(terms: Vec<&Node>, bound: &Bound, out: &mut Vec<Slot>) -> Option<()> {
    let mut left = terms;
    while !left.is_empty() {
        let before = left.len();
        left.retain(|term| {
            let known = out.len();
            let is_ready = value_outputs(term, bound, out).is_some();
            if !is_ready {
                out.truncate(known);
            }
            !is_ready
        });
        if left.len() == before {
            return None;
        }
    }
    Some(())
}

/// Adds what matching a term binds; `None` if it needs what has no value yet.
pub(super) fn pattern_outputs(node: &Node, bound: &Bound, out: &mut Vec<Slot>) -> Option<()> {
    match node {
        Node::Var(slot) => {
            if !bound.has(*slot) && !out.contains(slot) {
                out.push(*slot);
            }
        }
        Node::Array(items) => {
            for item in items {
                pattern_outputs(item, bound, out)?;
            }
        }
        Node::Object(fields) => {
            for (key, value) in fields {
                value_outputs(key, bound, out)?;
                pattern_outputs(value, bound, out)?;
            }
        }
        _ => value_outputs(node, bound, out)?,
    }
    Some(())
}

/// Whether a term can be evaluated as it is, without going through anything.
pub(super) fn is_bound(node: &Node, bound: &Bound) -> bool {
    let mut out = Vec::new();
    value_outputs(node, bound, &mut out).is_some() && out.is_empty()
}

/// Whether a term can be evaluated, if what it goes through is bound on the way.
pub(super) fn is_ready(left: &Node, right: &Node, bound: &Bound) -> bool {
    let mut out = Vec::new();
    value_outputs(left, bound, &mut out).is_some()
        && pattern_outputs(right, &bound.with(&out), &mut Vec::new()).is_some()
}

/// Variables without a value that keep a literal from being evaluated.
pub(super) fn missing(literal: &Literal, bound: &Bound) -> Vec<Slot> {
    let mut all = Vec::new();
    match &literal.kind {
        LiteralKind::Test(node) => slots_in(node, &mut all),
        LiteralKind::Unify(left, right) | LiteralKind::Output(left, right) => {
            slots_in(left, &mut all);
            slots_in(right, &mut all);
        }
        LiteralKind::Every { domain, free, .. } => {
            slots_in(domain, &mut all);
            all.extend(free);
        }
        LiteralKind::Print(sets) => {
            for set in sets {
                slots_in(set, &mut all);
            }
        }
    }
    all.retain(|slot| !bound.has(*slot));
    all
}

fn slots_in(node: &Node, slots: &mut Vec<Slot>) {
    match node {
        Node::Const(_) => {}
        Node::Var(slot) => slots.push(*slot),
        Node::Array(items) | Node::Set(items) => {
            for item in items {
                slots_in(item, slots);
            }
        }
        Node::Object(fields) => {
            for (key, value) in fields {
                slots_in(key, slots);
                slots_in(value, slots);
            }
        }
        Node::Ref(root, steps) => {
            if let Root::Term(head) = root.as_ref() {
                slots_in(head, slots);
            }
            for step in steps {
                slots_in(step, slots);
            }
        }
        Node::Call(call) => {
            for argument in &call.arguments {
                slots_in(argument, slots);
            }
        }
        Node::Comprehension(comprehension) => slots.extend(&comprehension.free),
    }
}
