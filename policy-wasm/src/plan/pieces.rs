//! Equations taken apart: `[a, b] = [c, d]` is `a = c` and `b = d`, so that either side may bind what
//! the other needs. Source: OPA, `ast/unify.go`.

use super::{
    code::Slot,
    order::{Bound, pattern_outputs, value_outputs},
    resolved::{Comprehension, Makes, Node},
};
use crate::value::Value;

/// Both sides of an equation.
pub(super) type Piece = (Node, Node);

/// The equations that one is made of.
pub(super) fn pieces(left: Node, right: Node) -> Vec<Piece> {
    match (items(&left), items(&right)) {
        (Some(first), Some(second)) if first.len() == second.len() => {
            let pairs = first.into_iter().zip(second);
            return pairs
                .flat_map(|(left, right)| pieces(left, right))
                .collect();
        }
        _ => {}
    }
    let pairs = match (fields(&left), fields(&right)) {
        (Some(first), Some(second)) => pairs_of(&first, &second),
        _ => None,
    };
    match pairs {
        Some(pairs) => pairs
            .into_iter()
            .flat_map(|(left, right)| pieces(left, right))
            .collect(),
        None => vec![(left, right)],
    }
}

fn items(node: &Node) -> Option<Vec<Node>> {
    match node {
        Node::Array(items) => Some(items.clone()),
        Node::Const(Value::Array(items)) => Some(items.iter().cloned().map(Node::Const).collect()),
        _ => None,
    }
}

fn fields(node: &Node) -> Option<Vec<Piece>> {
    match node {
        Node::Object(fields) => Some(fields.clone()),
        Node::Const(Value::Object(object)) => {
            let fields = object.iter().cloned();
            let fields = fields.map(|(key, value)| (Node::Const(key), Node::Const(value)));
            Some(fields.collect())
        }
        _ => None,
    }
}

/// The values of the same keys, if both objects have just these.
fn pairs_of(left: &[Piece], right: &[Piece]) -> Option<Vec<Piece>> {
    if left.len() != right.len() {
        return None;
    }
    let pairs = left.iter().map(|(key, value)| {
        let same = |(other, _): &&Piece| match (key, other) {
            (Node::Const(key), Node::Const(other)) => key == other,
            (Node::Var(key), Node::Var(other)) => key == other,
            _ => false,
        };
        let (_, other) = right.iter().find(same)?;
        Some((value.clone(), other.clone()))
    });
    pairs.collect()
}

/// Adds what equations bind together; `None` if one of them can't be evaluated.
pub(super) fn pieces_outputs(pieces: &[Piece], bound: &Bound, out: &mut Vec<Slot>) -> Option<()> {
    let mut left: Vec<&Piece> = pieces.iter().collect();
    while !left.is_empty() {
        let before = left.len();
        left.retain(|piece| piece_outputs(piece, bound, out).is_none());
        if left.len() == before {
            return None;
        }
    }
    Some(())
}

/// Adds what an equation binds, if it can be evaluated.
pub(super) fn piece_outputs(piece: &Piece, bound: &Bound, out: &mut Vec<Slot>) -> Option<()> {
    let (left, right) = piece;
    let known = out.len();
    let is_ready = if is_never_equal(left, right) {
        value_outputs(left, bound, out).and_then(|()| value_outputs(right, bound, out))
    } else {
        value_outputs(left, bound, out).and_then(|()| pattern_outputs(right, bound, out))
    };
    if is_ready.is_some() {
        return is_ready;
    }
    out.truncate(known);
    let is_ready = if is_never_equal(left, right) {
        None
    } else {
        value_outputs(right, bound, out).and_then(|()| pattern_outputs(left, bound, out))
    };
    if is_ready.is_none() {
        out.truncate(known);
    }
    is_ready
}

/// Whether nothing that both are could be the same; then neither binds anything.
#[expect(clippy::match_same_arms, reason = "one arm for each pair of kinds")]
fn is_never_equal(left: &Node, right: &Node) -> bool {
    match (left, right) {
        (Node::Object(_), Node::Comprehension(_)) => true,
        (Node::Comprehension(of), Node::Object(_)) => !matches!(
            **of,
            Comprehension {
                makes: Makes::Object(..),
                ..
            }
        ),
        (Node::Comprehension(of), Node::Array(_)) => !matches!(
            **of,
            Comprehension {
                makes: Makes::Array(..),
                ..
            }
        ),
        (
            Node::Array(_) | Node::Object(_),
            Node::Array(_) | Node::Object(_) | Node::Set(_) | Node::Const(_),
        )
        | (Node::Set(_) | Node::Const(_), Node::Array(_) | Node::Object(_)) => true,
        _ => false,
    }
}
