//! References: what they begin at, what they go through, and what they are compared with.

use super::{
    code::{Expr, OpKind, Pattern, Step},
    emit::Emitter,
    order::{Bound, is_bound},
    resolve::Unresolved,
    resolved::{Node, Root},
};
use crate::{front::Place, value::Value};

impl Emitter<'_> {
    /// Evaluates an expression before what comes after.
    pub(super) fn at_once(&mut self, place: Place, expr: Expr) -> Expr {
        let slot = self.fresh();
        self.bind(place, slot, expr);
        self.bound.add(slot);
        Expr::Slot(slot)
    }

    /// The keys of a reference, which are evaluated before what they are keys of.
    pub(super) fn keys(&mut self, place: Place, nodes: Vec<Node>) -> Result<Vec<Expr>, Unresolved> {
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
    pub(super) fn known_keys(&mut self, place: Place, keys: Vec<Expr>) -> Vec<Expr> {
        let keys = keys.into_iter().map(|key| match key {
            Expr::Const(_) | Expr::Slot(_) => key,
            key => self.at_once(place, key),
        });
        keys.collect()
    }

    pub(super) fn reference(
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

    pub(super) fn data_reference(
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

    pub(super) fn key(&mut self, place: Place, node: Node) -> Result<Expr, Unresolved> {
        let key = self.value(place, node)?;
        Ok(if may_stop(&key) {
            self.at_once(place, key)
        } else {
            key
        })
    }

    pub(super) fn iterate(
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
pub(super) fn may_stop(expr: &Expr) -> bool {
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
