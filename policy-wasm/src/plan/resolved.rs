//! A rule's terms once it is known what every name means.

use super::code::{Slot, Target};
use crate::{front::Place, value::Value};

/// A term.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Const(Value),
    Var(Slot),
    Array(Vec<Node>),
    Set(Vec<Node>),
    Object(Vec<(Node, Node)>),
    /// At least one step, unless it is `input` or `data`.
    Ref(Box<Root>, Vec<Node>),
    Call(Box<Call>),
    Comprehension(Box<Comprehension>),
}

/// What a reference begins with.
#[derive(Debug, Clone)]
pub(super) enum Root {
    Input,
    Data,
    Term(Node),
}

/// A call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) place: Place,
    pub(super) function: Function,
    pub(super) arguments: Vec<Node>,
}

/// What is called.
#[derive(Debug, Clone, Copy)]
pub(super) enum Function {
    Target(Target),
    /// `walk`, which finds many values.
    Walk,
}

/// `[value | body]` and the like.
#[derive(Debug, Clone)]
pub(super) struct Comprehension {
    pub(super) place: Place,
    pub(super) body: Vec<Literal>,
    pub(super) makes: Makes,
    /// Variables from around it.
    pub(super) free: Vec<Slot>,
}

/// What a comprehension makes.
#[derive(Debug, Clone)]
pub(super) enum Makes {
    Array(Node),
    Set(Node),
    Object(Node, Node),
}

/// One expression of a body.
#[derive(Debug, Clone)]
pub(super) struct Literal {
    pub(super) place: Place,
    pub(super) is_negated: bool,
    pub(super) kind: LiteralKind,
    pub(super) with: Vec<With>,
}

/// The kinds of expressions.
#[derive(Debug, Clone)]
pub(super) enum LiteralKind {
    Test(Node),
    Unify(Node, Node),
    /// A call with one argument more, for its result.
    Output(Node, Node),
    Every {
        domain: Node,
        key: Option<Slot>,
        value: Slot,
        body: Vec<Literal>,
        free: Vec<Slot>,
    },
    Print(Vec<Node>),
}

/// `with target as value`
#[derive(Debug, Clone)]
pub(super) enum With {
    Input(Vec<String>, Node),
    Data(Vec<String>, Node),
    Call(Target, Replacement),
}

/// What stands for a function.
#[derive(Debug, Clone)]
pub(super) enum Replacement {
    Value(Node),
    Target(Target),
}
