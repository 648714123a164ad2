//! From resolved terms to operations.
//!
//! What goes through things (a reference with a variable that has no value yet, `walk`) becomes an
//! operation before the one that uses it. What a negation needs is evaluated before it, so that the
//! body fails where it is undefined. Source: OPA, `ast/compile.go`, the stages that rewrite terms.

use super::{
    code::{
        Call, Comparison, Comprehension, Expr, Makes, Op, OpKind, Pattern, Replacement, Slot, Step,
        Target, With,
    },
    expand::has_reference,
    order::{Bound, is_bound, is_ready, missing, order, value_outputs},
    pieces::{Piece, piece_outputs, pieces},
    resolve::Unresolved,
    resolved::{self, Function, Literal, LiteralKind, Node, Root},
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
    fn fresh(&mut self) -> Slot {
        self.names.push("_".to_owned());
        self.names.len().saturating_sub(1)
    }

    fn push(&mut self, place: Place, kind: OpKind) {
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

    fn unsafe_in(&self, literals: &[Literal], bound: &Bound) -> Unresolved {
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
    fn inside<T>(
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

    fn literal(&mut self, literal: Literal) -> Result<(), Unresolved> {
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

    fn with(&mut self, place: Place, with: resolved::With) -> Result<With, Unresolved> {
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
    fn held(&mut self, place: Place, node: Node) -> Result<Expr, Unresolved> {
        let node = self.lifted(place, node)?;
        self.value(place, node)
    }

    fn kind(&mut self, place: Place, kind: LiteralKind) -> Result<(), Unresolved> {
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

    fn unify(&mut self, place: Place, left: Node, right: Node) -> Result<(), Unresolved> {
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
    fn ordered(&self, pieces: Vec<Piece>) -> Vec<Piece> {
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

    fn equation(&mut self, place: Place, left: Node, right: Node) -> Result<(), Unresolved> {
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
    fn parts(&mut self, place: Place, node: Node) -> Result<Node, Unresolved> {
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

    fn part(&mut self, place: Place, node: Node) -> Result<Node, Unresolved> {
        let is_dynamic = matches!(node, Node::Ref(..) | Node::Comprehension(_));
        let mut out = Vec::new();
        if is_dynamic && value_outputs(&node, &self.bound, &mut out).is_some() {
            return self.lifted(place, node);
        }
        self.parts(place, node)
    }

    /// Gives a slot its value; what was just found goes there at once.
    fn bind(&mut self, place: Place, slot: Slot, value: Expr) {
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

    /// A negation, before it what it needs to be asked at all.
    fn negation(&mut self, place: Place, kind: LiteralKind) -> Result<(), Unresolved> {
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
    fn asked(&mut self, place: Place, node: Node) -> Result<Node, Unresolved> {
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
    fn side(&mut self, place: Place, node: Node) -> Result<Node, Unresolved> {
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
    fn lifted(&mut self, place: Place, node: Node) -> Result<Node, Unresolved> {
        if matches!(node, Node::Const(_) | Node::Var(_)) {
            return Ok(node);
        }
        let value = self.value(place, node)?;
        let slot = self.fresh();
        self.bind(place, slot, value);
        self.bound.add(slot);
        Ok(Node::Var(slot))
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
    fn values(&mut self, place: Place, nodes: Vec<Node>) -> Result<Vec<Expr>, Unresolved> {
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

    fn call(&mut self, call: resolved::Call) -> Result<Expr, Unresolved> {
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

    fn comprehension(
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

    /// Evaluates an expression before what comes after.
    fn at_once(&mut self, place: Place, expr: Expr) -> Expr {
        let slot = self.fresh();
        self.bind(place, slot, expr);
        self.bound.add(slot);
        Expr::Slot(slot)
    }

    /// The keys of a reference, which are evaluated before what they are keys of.
    fn keys(&mut self, place: Place, nodes: Vec<Node>) -> Result<Vec<Expr>, Unresolved> {
        let keys = self.values(place, nodes)?.into_iter();
        let keys = keys.map(|key| {
            if may_stop(&key) {
                self.at_once(place, key)
            } else {
                key
            }
        });
        Ok(keys.collect())
    }

    /// The same, where evaluating the head may be an error: it isn't if a key is undefined.
    fn known_keys(&mut self, place: Place, keys: Vec<Expr>) -> Vec<Expr> {
        let keys = keys.into_iter().map(|key| match key {
            Expr::Const(_) | Expr::Slot(_) => key,
            key => self.at_once(place, key),
        });
        keys.collect()
    }

    fn reference(
        &mut self,
        place: Place,
        root: Root,
        mut steps: Vec<Node>,
    ) -> Result<Expr, Unresolved> {
        let is_open = |step: &Node, bound: &Bound| !is_bound(step, bound);
        let open = steps.iter().position(|step| is_open(step, &self.bound));
        let rest = open.map(|open| steps.split_off(open));
        let head = match root {
            Root::Input => Expr::Input,
            Root::Term(head) => self.value(place, head)?,
            Root::Data => return self.data_reference(place, steps, rest),
        };
        let steps = self.keys(place, steps)?;
        let from = at(head, steps);
        match rest {
            None => Ok(from),
            Some(rest) => self.iterate(place, from, Vec::new(), rest),
        }
    }

    fn data_reference(
        &mut self,
        place: Place,
        steps: Vec<Node>,
        rest: Option<Vec<Node>>,
    ) -> Result<Expr, Unresolved> {
        let (from, taken) = self.tree.resolve(&steps);
        let steps = self.keys(place, steps.into_iter().skip(taken).collect())?;
        let steps = match from {
            Expr::Const(_) => steps,
            _ => self.known_keys(place, steps),
        };
        let from = match from {
            Expr::Const(value) if !steps.is_empty() || rest.is_some() => Expr::Document(value),
            from => from,
        };
        let from = match from {
            Expr::Rule(rule) if !steps.is_empty() && self.tree.is_partial(rule) => {
                let mut steps = steps.into_iter();
                let key = steps.next().unwrap_or(Expr::Const(Value::Null));
                at(Expr::Lookup(rule, Box::new(key)), steps.collect())
            }
            Expr::Data(_) if rest.is_some() => {
                let keys = steps.into_iter().map(Step::Key).collect();
                return self.iterate(place, from, keys, rest.unwrap_or_default());
            }
            from => at(from, steps),
        };
        match rest {
            None => Ok(from),
            Some(rest) => self.iterate(place, from, Vec::new(), rest),
        }
    }

    fn key(&mut self, place: Place, node: Node) -> Result<Expr, Unresolved> {
        let key = self.value(place, node)?;
        Ok(if may_stop(&key) {
            self.at_once(place, key)
        } else {
            key
        })
    }

    fn iterate(
        &mut self,
        place: Place,
        from: Expr,
        mut steps: Vec<Step>,
        rest: Vec<Node>,
    ) -> Result<Expr, Unresolved> {
        let mut open = Vec::with_capacity(rest.len());
        for step in rest {
            let is_known = is_bound(&step, &self.bound);
            open.push(match step {
                Node::Const(_) | Node::Var(_) => step,
                step if is_known => self.lifted(place, step)?,
                step => step,
            });
        }
        for step in open {
            let step = if is_bound(&step, &self.bound) {
                Step::Key(self.key(place, step)?)
            } else {
                Step::Each(self.pattern(place, step)?)
            };
            steps.push(step);
        }
        let out = self.fresh();
        self.push(place, OpKind::Iterate { from, steps, out });
        self.bound.add(out);
        self.found = Some(out);
        Ok(Expr::Slot(out))
    }

    /// A pattern; what it binds is bound from here on.
    pub(super) fn pattern(&mut self, place: Place, node: Node) -> Result<Pattern, Unresolved> {
        if is_bound(&node, &self.bound) {
            return Ok(Pattern::Equal(self.value(place, node)?));
        }
        Ok(match node {
            Node::Var(slot) => {
                self.bound.add(slot);
                if self.names.get(slot).is_some_and(|name| name == "_") {
                    Pattern::Any
                } else {
                    Pattern::Bind(slot)
                }
            }
            Node::Array(items) => {
                let items = items.into_iter().map(|item| self.pattern(place, item));
                Pattern::Array(items.collect::<Result<_, _>>()?)
            }
            Node::Object(fields) => {
                let fields = fields
                    .into_iter()
                    .map(|(key, value)| Ok((self.value(place, key)?, self.pattern(place, value)?)));
                Pattern::Object(fields.collect::<Result<_, _>>()?)
            }
            node => Pattern::Equal(self.value(place, node)?),
        })
    }
}

fn at(head: Expr, mut steps: Vec<Expr>) -> Expr {
    if steps.is_empty() {
        return head;
    }
    match head {
        Expr::At(head, mut path) => {
            path.append(&mut steps);
            Expr::At(head, path)
        }
        head => Expr::At(Box::new(head), steps),
    }
}

/// Whether evaluating it may be an error.
fn may_stop(expr: &Expr) -> bool {
    match expr {
        Expr::Const(_) | Expr::Document(_) | Expr::Slot(_) | Expr::Input => false,
        Expr::Rule(_)
        | Expr::Lookup(..)
        | Expr::Data(_)
        | Expr::Call(_)
        | Expr::Comprehension(_) => true,
        Expr::At(head, keys) => may_stop(head) || keys.iter().any(may_stop),
        Expr::Array(items) | Expr::Set(items) => items.iter().any(may_stop),
        Expr::Object(fields) => fields
            .iter()
            .any(|(key, value)| may_stop(key) || may_stop(value)),
        Expr::Compare(_, pair) => may_stop(&pair.0) || may_stop(&pair.1),
    }
}

fn is_equality(call: &resolved::Call) -> bool {
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
