//! Negations: what one needs to be asked at all is evaluated before it.

use super::{
    code::OpKind,
    emit::{Emitter, is_equality},
    resolve::Unresolved,
    resolved::{LiteralKind, Node, Root},
};
use crate::{front::Place, value::Value};

impl Emitter<'_> {
    /// A negation, before it what it needs to be asked at all.
    pub(super) fn negation(&mut self, place: Place, kind: LiteralKind) -> Result<(), Unresolved> {
        let (left, right) = match kind {
            LiteralKind::Unify(left, right) => (left, right),
            LiteralKind::Test(Node::Call(call)) if is_equality(&call) => {
                let mut arguments = call.arguments.into_iter();
                let mut next = || arguments.next().unwrap_or(Node::Const(Value::Null));
                (next(), next())
            }
            LiteralKind::Test(node) => {
                let node = self.asked(place, node)?;
                let (body, ()) = self.inside(|this| this.kind(place, LiteralKind::Test(node)))?;
                self.push(place, OpKind::Not(body));
                return Ok(());
            }
            LiteralKind::Output(call, output) => {
                let call = self.asked(place, call)?;
                let output = self.lifted(place, output)?;
                let (body, ()) = self.inside(|this| this.unify(place, call, output))?;
                self.push(place, OpKind::Not(body));
                return Ok(());
            }
            other => {
                let (body, ()) = self.inside(|this| this.kind(place, other))?;
                self.push(place, OpKind::Not(body));
                return Ok(());
            }
        };
        let left = self.side(place, left)?;
        let right = self.side(place, right)?;
        let (body, ()) = self.inside(|this| this.unify(place, left, right))?;
        self.push(place, OpKind::Not(body));
        Ok(())
    }

    /// What is negated: its own value may be undefined, what it is made of may not.
    pub(super) fn asked(&mut self, place: Place, node: Node) -> Result<Node, Unresolved> {
        match node {
            Node::Call(mut call) => {
                let arguments = std::mem::take(&mut call.arguments).into_iter();
                let arguments = arguments.map(|argument| self.lifted(place, argument));
                call.arguments = arguments.collect::<Result<_, _>>()?;
                Ok(Node::Call(call))
            }
            node => self.side(place, node),
        }
    }

    /// A side of an equation: a reference may be undefined, what it is made of may not.
    pub(super) fn side(&mut self, place: Place, node: Node) -> Result<Node, Unresolved> {
        match node {
            Node::Var(_) => Ok(node),
            Node::Ref(root, steps) => {
                let root = match *root {
                    Root::Term(head) => Root::Term(self.lifted(place, head)?),
                    root => root,
                };
                let steps = steps.into_iter().map(|step| self.lifted(place, step));
                Ok(Node::Ref(Box::new(root), steps.collect::<Result<_, _>>()?))
            }
            node => self.lifted(place, node),
        }
    }

    /// A name for a term, which is evaluated before.
    pub(super) fn lifted(&mut self, place: Place, node: Node) -> Result<Node, Unresolved> {
        if matches!(node, Node::Const(_) | Node::Var(_)) {
            return Ok(node);
        }
        let value = self.value(place, node)?;
        let slot = self.fresh();
        self.bind(place, slot, value);
        self.bound.add(slot);
        Ok(Node::Var(slot))
    }
}
