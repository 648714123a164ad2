//! From resolved terms to operations.
//!
//! What goes through things (a reference with a variable that has no value yet, `walk`) becomes an
//! operation before the one that uses it. What a negation needs is evaluated before it, so that the
//! body fails where it is undefined. Source: OPA, `ast/compile.go`, the stages that rewrite terms.

use super::{
    code::{
        Call, Comparison, Comprehension, Expr, Makes, Op, OpKind, Pattern, Replacement, Slot,
        Target, With,
    },
    expand::has_reference,
    order::{Bound, is_bound, is_ready, missing, order, value_outputs},
    pieces::{Piece, piece_outputs, pieces},
    references::may_stop,
    resolve::Unresolved,
    resolved::{self, Function, Literal, LiteralKind, Node},
    tree::Tree,
};
use crate::{builtins::Patterns, front::Place, value::Value};

/// Emits the operations of one rule.
pub(super) struct Emitter<'a> {
    pub(super) tree: &'a Tree,
    /// Literal patterns, compiled once.
    pub(super) patterns: &'a mut Patterns,
    /// Names of variables by slot; more are added here.
    pub(super) names: &'a mut Vec<String>,
    pub(super) bound: Bound,
    pub(super) ops: Vec<Op>,
    /// What the last operation finds, as long as nothing has used it.
    pub(super) found: Option<Slot>,
}

impl Emitter<'_> {
    pub(super) fn fresh(&mut self) -> Slot {
        self.names.push("_".to_owned());
        self.names.len().saturating_sub(1)
    }

    pub(super) fn push(&mut self, place: Place, kind: OpKind) {
        self.ops.push(Op { place, kind });
    }

    /// Emits a body in an order in which it can be evaluated.
    /// Errors: variables that nothing gives a value.
    pub(super) fn body(&mut self, literals: Vec<Literal>) -> Result<(), Unresolved> {
        let literals = self.expanded(literals);
        let mut bound = self.bound.clone();
        let ordered = order(literals, &mut bound).map_err(|left| self.unsafe_in(&left, &bound))?;
        for literal in ordered {
            self.literal(literal)?;
        }
        Ok(())
    }

    pub(super) fn unsafe_in(&self, literals: &[Literal], bound: &Bound) -> Unresolved {
        let place = literals
            .first()
            .map_or_else(Place::default, |first| first.place);
        if bound.is_out_of_looks() {
            let message = "this is too tangled to be put in order".to_owned();
            return Unresolved { place, message };
        }
        let mut names: Vec<&str> = literals
            .iter()
            .flat_map(|literal| missing(literal, bound))
            .filter_map(|slot| self.names.get(slot).map(String::as_str))
            .filter(|name| !name.is_empty())
            .collect();
        names.dedup();
        let message = format!(
            "var {} is unsafe: nothing gives it a value",
            names.join(", ")
        );
        Unresolved { place, message }
    }

    /// Emits what is inside into operations of its own; what it binds is bound there only.
    pub(super) fn inside<T>(
        &mut self,
        emit: impl FnOnce(&mut Self) -> Result<T, Unresolved>,
    ) -> Result<(Vec<Op>, T), Unresolved> {
        let bound = self.bound.clone();
        let outer = std::mem::take(&mut self.ops);
        let result = emit(self);
        let ops = std::mem::replace(&mut self.ops, outer);
        self.bound = bound;
        Ok((ops, result?))
    }

    pub(super) fn literal(&mut self, literal: Literal) -> Result<(), Unresolved> {
        let place = literal.place;
        let is_modified = !literal.with.is_empty();
        if is_modified {
            let with = literal.with.into_iter().map(|with| self.with(place, with));
            let with = with.collect::<Result<_, _>>()?;
            self.push(place, OpKind::Enter(with));
        }
        if literal.is_negated {
            self.negation(place, literal.kind)?;
        } else {
            self.kind(place, literal.kind)?;
        }
        if is_modified {
            self.push(place, OpKind::Leave);
        }
        Ok(())
    }

    pub(super) fn with(&mut self, place: Place, with: resolved::With) -> Result<With, Unresolved> {
        let path = |names: Vec<String>| names.into_iter().map(Into::into).collect();
        Ok(match with {
            resolved::With::Input(names, value) => {
                With::Input(path(names), self.held(place, value)?)
            }
            resolved::With::Data(names, value) => With::Data(path(names), self.held(place, value)?),
            resolved::With::Call(target, resolved::Replacement::Value(value)) => {
                if let Some(path) = self.tree.path_of_rules(&value) {
                    return Ok(With::Call(target.callee(), Replacement::Rule(path)));
                }
                let value = self.held(place, value)?;
                With::Call(target.callee(), Replacement::Value(value))
            }
            resolved::With::Call(target, resolved::Replacement::Target(other)) => {
                With::Call(target.callee(), Replacement::Callee(other))
            }
        })
    }

    /// A value that was evaluated before, and is defined.
    pub(super) fn held(&mut self, place: Place, node: Node) -> Result<Expr, Unresolved> {
        let node = self.lifted(place, node)?;
        self.value(place, node)
    }

    pub(super) fn kind(&mut self, place: Place, kind: LiteralKind) -> Result<(), Unresolved> {
        match kind {
            LiteralKind::Test(node) => {
                let value = self.value(place, node)?;
                if !matches!(&value, Expr::Const(constant) if constant.as_bool() != Some(false)) {
                    self.push(place, OpKind::Test(value));
                }
                Ok(())
            }
            LiteralKind::Unify(left, right) | LiteralKind::Output(left, right) => {
                self.unify(place, left, right)
            }
            LiteralKind::Every {
                domain,
                key,
                value,
                body,
                ..
            } => {
                let domain = self.held(place, domain)?;
                let (body, ()) = self.inside(|this| {
                    for slot in key.iter().chain([&value]) {
                        this.bound.add(*slot);
                    }
                    this.body(body)
                })?;
                self.push(
                    place,
                    OpKind::Every {
                        domain,
                        key,
                        value,
                        body,
                    },
                );
                Ok(())
            }
            LiteralKind::Print(sets) => {
                let sets = sets.into_iter().map(|set| self.value(place, set));
                let sets = sets.collect::<Result<_, _>>()?;
                self.push(place, OpKind::Print(sets));
                Ok(())
            }
        }
    }

    pub(super) fn unify(
        &mut self,
        place: Place,
        left: Node,
        right: Node,
    ) -> Result<(), Unresolved> {
        let is_plain = |node: &Node| matches!(node, Node::Var(_) | Node::Const(_));
        let (left, right) = if is_plain(&left) || is_plain(&right) {
            (left, right)
        } else {
            (self.parts(place, left)?, self.parts(place, right)?)
        };
        for (left, right) in self.ordered(pieces(left, right)) {
            self.equation(place, left, right)?;
        }
        Ok(())
    }

    /// Equations in an order in which they can be evaluated.
    pub(super) fn ordered(&self, pieces: Vec<Piece>) -> Vec<Piece> {
        let (mut left, mut ordered, mut out) = (pieces, Vec::new(), Vec::new());
        while !left.is_empty() {
            let before = left.len();
            let mut later = Vec::new();
            for piece in left {
                match piece_outputs(&piece, &self.bound, &mut out) {
                    Some(()) => ordered.push(piece),
                    None => later.push(piece),
                }
            }
            if later.len() == before {
                ordered.append(&mut later);
            }
            left = later;
        }
        ordered
    }

    pub(super) fn equation(
        &mut self,
        place: Place,
        left: Node,
        right: Node,
    ) -> Result<(), Unresolved> {
        let (value, pattern) = if is_ready(&left, &right, &self.bound) {
            (left, right)
        } else if is_ready(&right, &left, &self.bound) {
            (right, left)
        } else {
            (left, right)
        };
        let mut value = self.value(place, value)?;
        if has_reference(&pattern) && !matches!(value, Expr::Const(_) | Expr::Slot(_)) {
            value = self.at_once(place, value);
        }
        match self.pattern(place, pattern)? {
            Pattern::Any => {
                let slot = self.fresh();
                self.push(place, OpKind::Let(slot, value));
            }
            Pattern::Bind(slot) => self.bind(place, slot, value),
            pattern => self.push(place, OpKind::Match(pattern, value)),
        }
        Ok(())
    }

    /// An array or object of an equation, in which what has to be evaluated was evaluated before.
    pub(super) fn parts(&mut self, place: Place, node: Node) -> Result<Node, Unresolved> {
        Ok(match node {
            Node::Array(items) => {
                let items = items.into_iter().map(|item| self.part(place, item));
                Node::Array(items.collect::<Result<_, _>>()?)
            }
            Node::Object(fields) => {
                let fields = fields
                    .into_iter()
                    .map(|(key, value)| Ok((self.part(place, key)?, self.part(place, value)?)));
                Node::Object(fields.collect::<Result<_, _>>()?)
            }
            node => node,
        })
    }

    pub(super) fn part(&mut self, place: Place, node: Node) -> Result<Node, Unresolved> {
        let is_dynamic = matches!(node, Node::Ref(..) | Node::Comprehension(_));
        let mut out = Vec::new();
        if is_dynamic && value_outputs(&node, &self.bound, &mut out).is_some() {
            return self.lifted(place, node);
        }
        self.parts(place, node)
    }

    /// Gives a slot its value; what was just found goes there at once.
    pub(super) fn bind(&mut self, place: Place, slot: Slot, value: Expr) {
        let found = self.found.take();
        if let (Expr::Slot(from), Some(last)) = (&value, self.ops.last_mut())
            && let OpKind::Iterate { out, .. } | OpKind::Walk(_, out) = &mut last.kind
            && out == from
            && found == Some(*from)
        {
            *out = slot;
            return;
        }
        self.push(place, OpKind::Let(slot, value));
    }

    /// What evaluates a term; what it goes through comes before it.
    pub(super) fn value(&mut self, place: Place, node: Node) -> Result<Expr, Unresolved> {
        Ok(match node {
            Node::Const(value) => Expr::Const(value),
            Node::Var(slot) => Expr::Slot(slot),
            Node::Array(items) => Expr::Array(self.values(place, items)?),
            Node::Set(items) => Expr::Set(self.values(place, items)?),
            Node::Object(fields) => {
                let fields = fields
                    .into_iter()
                    .map(|(key, value)| Ok((self.value(place, key)?, self.value(place, value)?)));
                Expr::Object(fields.collect::<Result<_, _>>()?)
            }
            Node::Ref(root, steps) => self.reference(place, *root, steps)?,
            Node::Call(call) => self.call(*call)?,
            Node::Comprehension(comprehension) => {
                Expr::Comprehension(Box::new(self.comprehension(*comprehension)?))
            }
        })
    }

    /// Several terms; one that binds what another needs comes before it.
    pub(super) fn values(
        &mut self,
        place: Place,
        nodes: Vec<Node>,
    ) -> Result<Vec<Expr>, Unresolved> {
        let mut exprs: Vec<Option<Expr>> = Vec::new();
        exprs.resize_with(nodes.len(), || None);
        let mut left: Vec<(usize, Node)> = nodes.into_iter().enumerate().collect();
        while !left.is_empty() {
            let ready = left
                .iter()
                .position(|(_, node)| value_outputs(node, &self.bound, &mut Vec::new()).is_some());
            let (index, node) = left.remove(ready.unwrap_or_default());
            let mut expr = self.value(place, node)?;
            // What comes after may go through things, and find none.
            let is_open = |(_, node): &(usize, Node)| !is_bound(node, &self.bound);
            if left.iter().any(is_open) && may_stop(&expr) {
                expr = self.at_once(place, expr);
            }
            if let Some(slot) = exprs.get_mut(index) {
                *slot = Some(expr);
            }
        }
        Ok(exprs.into_iter().flatten().collect())
    }

    pub(super) fn call(&mut self, call: resolved::Call) -> Result<Expr, Unresolved> {
        let place = call.place;
        let mut arguments = self.values(place, call.arguments)?;
        let target = match call.function {
            Function::Target(target) => target,
            Function::Walk => {
                let out = self.fresh();
                let of = arguments.pop().unwrap_or(Expr::Const(Value::Null));
                self.push(place, OpKind::Walk(of, out));
                self.bound.add(out);
                self.found = Some(out);
                return Ok(Expr::Slot(out));
            }
        };
        let is_replaced = self.tree.is_replaced(target.callee());
        if let (Some(comparison), false) = (comparison_of(target), is_replaced)
            && let Ok([left, right]) = <[Expr; 2]>::try_from(std::mem::take(&mut arguments))
        {
            return Ok(Expr::Compare(comparison, Box::new((left, right))));
        }
        if let Target::Builtin(builtin) = target {
            let literals: Vec<Option<&Value>> = arguments.iter().map(Expr::constant).collect();
            self.patterns.prepare(builtin.name, &literals);
        }
        Ok(Expr::Call(Box::new(Call {
            place,
            target,
            arguments,
            is_replaced,
        })))
    }

    pub(super) fn comprehension(
        &mut self,
        comprehension: resolved::Comprehension,
    ) -> Result<Comprehension, Unresolved> {
        let place = comprehension.place;
        let (body, makes) = self.inside(|this| {
            this.body(comprehension.body)?;
            Ok(match comprehension.makes {
                resolved::Makes::Array(head) => Makes::Array(this.head(place, head)?),
                resolved::Makes::Set(head) => Makes::Set(this.head(place, head)?),
                resolved::Makes::Object(key, value) => {
                    Makes::Object(this.head(place, key)?, this.head(place, value)?)
                }
            })
        })?;
        Ok(Comprehension { place, body, makes })
    }

    /// What a head says, in which every variable must have a value by now.
    pub(super) fn head(&mut self, place: Place, node: Node) -> Result<Expr, Unresolved> {
        let mut out = Vec::new();
        if value_outputs(&node, &self.bound, &mut out).is_none() {
            let literal = Literal {
                place,
                is_negated: false,
                kind: LiteralKind::Test(node),
                with: Vec::new(),
            };
            return Err(self.unsafe_in(&[literal], &self.bound));
        }
        self.value(place, node)
    }
}

pub(super) fn is_equality(call: &resolved::Call) -> bool {
    match call.function {
        Function::Target(target) => comparison_of(target) == Some(Comparison::Equal),
        Function::Walk => false,
    }
}

fn comparison_of(target: Target) -> Option<Comparison> {
    let Target::Builtin(builtin) = target else {
        return None;
    };
    Some(match builtin.name {
        "eq" | "equal" => Comparison::Equal,
        "neq" => Comparison::NotEqual,
        "lt" => Comparison::Less,
        "lte" => Comparison::LessOrEqual,
        "gt" => Comparison::Greater,
        "gte" => Comparison::GreaterOrEqual,
        _ => return None,
    })
}
