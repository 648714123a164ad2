//! The order in which the parts of an expression are evaluated: calls before references. It decides
//! whether an error is found before something is undefined. Source: OPA, `ast/compile.go`, the stages
//! that expand terms and rewrite dynamic ones.

use super::{
    code::{Slot, Target},
    emit::Emitter,
    resolved::{Call, Function, Literal, LiteralKind, Node, Replacement, Root, With},
};
use crate::{front::Place, value::Value};

/// Where a call goes that is taken out of an expression.
struct Before<'o> {
    place: Place,
    with: &'o [With],
    out: &'o mut Vec<Literal>,
}

impl Emitter<'_> {
    /// The literals, before each the calls in it that come before what else is in it.
    pub(super) fn expanded(&mut self, literals: Vec<Literal>) -> Vec<Literal> {
        let mut out = Vec::with_capacity(literals.len());
        for mut literal in literals {
            for with in &mut literal.with {
                if let With::Call(_, Replacement::Value(value)) = with
                    && self.tree.path_of_rules(value).is_some()
                {
                    continue;
                }
                if let With::Input(_, value)
                | With::Data(_, value)
                | With::Call(_, Replacement::Value(value)) = with
                {
                    let place = literal.place;
                    self.settle_value(place, value, &mut out);
                }
            }
            let Literal {
                place,
                kind,
                with,
                is_negated,
            } = &mut literal;
            let mut before = Before {
                place: *place,
                with,
                out: &mut out,
            };
            match kind {
                LiteralKind::Test(Node::Call(call)) if !*is_negated && is_equality(call) => {
                    if let [left, right] = call.arguments.as_mut_slice() {
                        self.settle_sides(left, right, &mut before);
                    }
                }
                LiteralKind::Test(node) | LiteralKind::Every { domain: node, .. } => {
                    self.settle(node, &mut before);
                }
                LiteralKind::Unify(left, right) if !*is_negated => {
                    self.settle_sides(left, right, &mut before);
                }
                LiteralKind::Unify(left, right) | LiteralKind::Output(left, right) => {
                    self.settle_all(vec![left, right], &mut before);
                }
                LiteralKind::Print(_) => {}
            }
            out.push(literal);
        }
        out
    }

    /// What stands in a collection is evaluated before what the collection is compared with.
    fn settle_sides(&mut self, left: &mut Node, right: &mut Node, before: &mut Before<'_>) {
        let both = requires_evaluation(left) && requires_evaluation(right);
        if !both || !(is_collection(left) || is_collection(right)) {
            return self.settle_all(vec![left, right], before);
        }
        for side in [&mut *left, &mut *right] {
            if is_collection(side) {
                self.take_calls(side, before);
            }
        }
        for side in [left, right] {
            if is_collection(side) {
                self.take_references(side, before);
            }
        }
    }

    /// Takes all references and comprehensions out of a collection.
    fn take_references(&mut self, node: &mut Node, before: &mut Before<'_>) {
        match node {
            Node::Const(_) | Node::Var(_) | Node::Call(_) => {}
            Node::Array(items) | Node::Set(items) => {
                for item in items {
                    self.take_references(item, before);
                }
            }
            Node::Object(fields) => {
                for (key, value) in fields {
                    self.take_references(key, before);
                    self.take_references(value, before);
                }
            }
            Node::Ref(..) | Node::Comprehension(_) => {
                let slot = self.unnamed();
                let term = std::mem::replace(node, Node::Var(slot));
                before.out.push(Literal {
                    place: before.place,
                    is_negated: false,
                    kind: LiteralKind::Unify(Node::Var(slot), term),
                    with: before.with.to_vec(),
                });
            }
        }
    }

    /// What a `with` puts in some place is evaluated before all else.
    fn settle_value(&mut self, place: Place, value: &mut Node, out: &mut Vec<Literal>) {
        if matches!(value, Node::Const(_) | Node::Var(_)) {
            return;
        }
        let mut before = Before {
            place,
            with: &[],
            out,
        };
        self.settle(value, &mut before);
        let slot = self.unnamed();
        let value = std::mem::replace(value, Node::Var(slot));
        out.push(Literal {
            place,
            is_negated: false,
            kind: LiteralKind::Unify(Node::Var(slot), value),
            with: Vec::new(),
        });
    }

    /// Takes calls out of a term where something else in it would be evaluated before them.
    fn settle(&mut self, node: &mut Node, before: &mut Before<'_>) {
        match node {
            Node::Const(_) | Node::Var(_) | Node::Comprehension(_) => {}
            Node::Array(items) | Node::Set(items) => {
                self.settle_all(items.iter_mut().collect(), before);
            }
            Node::Object(fields) => {
                let parts = fields.iter_mut().flat_map(|(key, value)| [key, value]);
                self.settle_all(parts.collect(), before);
            }
            Node::Call(call) => self.settle_all(call.arguments.iter_mut().collect(), before),
            Node::Ref(root, steps) => {
                let root = match root.as_mut() {
                    Root::Term(head) => Some(head),
                    Root::Input | Root::Data => None,
                };
                let parts: Vec<&mut Node> = root.into_iter().chain(steps).collect();
                self.settle_all(parts, before);
            }
        }
    }

    /// The same for terms that are evaluated one after another.
    fn settle_all(&mut self, nodes: Vec<&mut Node>, before: &mut Before<'_>) {
        let mut is_late = false;
        for node in nodes {
            if is_late {
                self.take_calls(node, before);
            } else {
                self.settle(node, before);
                is_late = has_reference(node);
            }
        }
    }

    /// Takes all calls out of a term.
    fn take_calls(&mut self, node: &mut Node, before: &mut Before<'_>) {
        match node {
            Node::Const(_) | Node::Var(_) | Node::Comprehension(_) => {}
            Node::Array(items) | Node::Set(items) => {
                for item in items {
                    self.take_calls(item, before);
                }
            }
            Node::Object(fields) => {
                for (key, value) in fields {
                    self.take_calls(key, before);
                    self.take_calls(value, before);
                }
            }
            Node::Ref(root, steps) => {
                if let Root::Term(head) = root.as_mut() {
                    self.take_calls(head, before);
                }
                for step in steps {
                    self.take_calls(step, before);
                }
                if let Root::Term(head) = root.as_mut()
                    && !matches!(head, Node::Var(_))
                {
                    self.take(head, before);
                }
            }
            Node::Call(call) => {
                self.settle_all(call.arguments.iter_mut().collect(), before);
                self.take(node, before);
            }
        }
    }

    /// Takes a term out as it is.
    fn take(&mut self, node: &mut Node, before: &mut Before<'_>) {
        let slot = self.unnamed();
        let term = std::mem::replace(node, Node::Var(slot));
        before.out.push(Literal {
            place: before.place,
            is_negated: false,
            kind: LiteralKind::Output(term, Node::Var(slot)),
            with: before.with.to_vec(),
        });
    }

    /// A variable that no one has written.
    fn unnamed(&mut self) -> Slot {
        self.names.push(String::new());
        self.names.len().saturating_sub(1)
    }
}

/// Whether a call is `==`, which is `=` between terms without new variables.
fn is_equality(call: &Call) -> bool {
    matches!(call.function, Function::Target(Target::Builtin(builtin)) if builtin.name == "equal")
}

const fn is_collection(node: &Node) -> bool {
    matches!(node, Node::Array(_) | Node::Set(_) | Node::Object(_))
}

/// Whether something in a term is evaluated after the calls of its expression.
pub(super) fn has_reference(node: &Node) -> bool {
    match node {
        // The arguments of a call have been evaluated when it is.
        Node::Const(_) | Node::Var(_) | Node::Call(_) => false,
        Node::Ref(..) | Node::Comprehension(_) => true,
        Node::Array(items) | Node::Set(items) => items.iter().any(has_reference),
        Node::Object(fields) => fields
            .iter()
            .any(|(key, value)| has_reference(key) || has_reference(value)),
    }
}

/// Whether a term is evaluated after the body whose head it is part of.
pub(super) fn requires_evaluation(node: &Node) -> bool {
    match node {
        Node::Const(_) | Node::Var(_) => false,
        Node::Ref(..) | Node::Comprehension(_) | Node::Call(_) => true,
        Node::Array(items) | Node::Set(items) => items.iter().any(requires_evaluation),
        Node::Object(fields) => fields
            .iter()
            .any(|(key, value)| requires_evaluation(key) || requires_evaluation(value)),
    }
}

/// Fields in the order in which OPA keeps them. Of equal keys the last one counts.
pub(super) fn sorted(fields: Vec<(Node, Node)>) -> Vec<(Node, Node)> {
    let mut kept: Vec<(Node, Node)> = Vec::with_capacity(fields.len());
    for (key, value) in fields {
        let same = kept.iter_mut().find(|(other, _)| match (other, &key) {
            (Node::Const(other), Node::Const(key)) => other == key,
            _ => false,
        });
        match same {
            Some((_, kept)) => *kept = value,
            None => kept.push((key, value)),
        }
    }
    kept.sort_by(|(left, _), (right, _)| compare(left, right));
    kept
}

/// OPA's order of terms, as far as it is known here.
pub(super) fn compare(left: &Node, right: &Node) -> std::cmp::Ordering {
    match (left, right) {
        (Node::Const(left), Node::Const(right)) => left.cmp(right),
        (Node::Ref(left, first), Node::Ref(right, second)) => {
            root_rank(left).cmp(&root_rank(right)).then_with(|| {
                let mut pairs = first.iter().zip(second);
                let differing = pairs.find_map(|(left, right)| {
                    Some(compare(left, right)).filter(|order| order.is_ne())
                });
                differing.unwrap_or_else(|| first.len().cmp(&second.len()))
            })
        }
        _ => rank(left).cmp(&rank(right)),
    }
}

const fn root_rank(root: &Root) -> u8 {
    match root {
        Root::Term(_) => 0,
        Root::Data => 1,
        Root::Input => 2,
    }
}

const fn rank(node: &Node) -> u8 {
    match node {
        Node::Const(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => 0,
        Node::Var(_) => 1,
        Node::Ref(..) => 2,
        Node::Const(Value::Array(_)) | Node::Array(_) => 3,
        Node::Const(Value::Object(_)) | Node::Object(_) => 4,
        Node::Const(Value::Set(_)) | Node::Set(_) => 5,
        Node::Comprehension(_) => 6,
        Node::Call(_) => 7,
    }
}
