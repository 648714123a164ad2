//! Runs the operations of a body.

use super::{Done, Evaluation, Flow, Printed, Stop, document::Cursor};
use crate::{
    front::Place,
    plan::code::{Expr, Op, OpKind, Pattern, Slot, Step},
    value::Value,
};

/// 64 KiB: what one evaluation may print.
const PRINTED_BYTES: usize = 64 * 1024;

impl<'a> Evaluation<'a> {
    /// Runs operations; calls `done` for each way in which all hold.
    pub(super) fn run(
        &mut self,
        ops: &'a [Op],
        base: usize,
        done: Done<'_, 'a>,
    ) -> Result<Flow, Stop> {
        let mut ops = ops;
        while let Some((op, after)) = ops.split_first() {
            self.pay(1)?;
            let holds = match &op.kind {
                OpKind::Test(expr) => self.is_true(expr, base)?,
                OpKind::Let(slot, expr) => match self.value(expr, base)? {
                    Some(value) => {
                        self.set(base, *slot, value);
                        true
                    }
                    None => false,
                },
                OpKind::Match(pattern, expr) => match self.value(expr, base)? {
                    Some(value) => self.matches(pattern, &value, base)?,
                    None => false,
                },
                OpKind::Not(body) => !self.holds(body, base)?,
                OpKind::Every {
                    domain,
                    key,
                    value,
                    body,
                } => self.every(domain, *key, *value, body, base)?,
                OpKind::Print(sets) => {
                    self.print(op.place, sets, base)?;
                    true
                }
                OpKind::Iterate { from, steps, out } => {
                    let Some(from) = self.cursor(from, base)? else {
                        return Ok(self.fails(op));
                    };
                    let rest = Rest {
                        out: *out,
                        ops: after,
                        base,
                    };
                    let flow = self.deeper(|this| this.iterate(from, steps, rest, done))?;
                    return Ok(self.unless_enough(op, flow));
                }
                OpKind::Walk(of, out) => {
                    let Some(of) = self.value(of, base)? else {
                        return Ok(self.fails(op));
                    };
                    let rest = Rest {
                        out: *out,
                        ops: after,
                        base,
                    };
                    let flow = self.deeper(|this| this.walk(&of, rest, done))?;
                    return Ok(self.unless_enough(op, flow));
                }
                OpKind::Enter(with) => {
                    let Some(next) = self.surroundings(with, base)? else {
                        return Ok(self.fails(op));
                    };
                    self.outer.push(std::mem::replace(&mut self.around, next));
                    let flow = self.deeper(|this| this.run(after, base, done));
                    if let Some(outer) = self.outer.pop() {
                        self.around = outer;
                    }
                    return flow;
                }
                OpKind::Leave => {
                    let Some(outer) = self.outer.pop() else {
                        return Ok(Flow::Next);
                    };
                    let inner = std::mem::replace(&mut self.around, outer);
                    let flow = self.deeper(|this| this.run(after, base, done));
                    self.outer.push(std::mem::replace(&mut self.around, inner));
                    return flow;
                }
            };
            if !holds {
                return Ok(self.fails(op));
            }
            ops = after;
        }
        done(self)
    }

    fn fails(&mut self, op: &Op) -> Flow {
        self.note_failed(op);
        Flow::Next
    }

    /// What goes through nothing has failed itself.
    fn unless_enough(&mut self, op: &Op, flow: Flow) -> Flow {
        match flow {
            Flow::Next => self.fails(op),
            Flow::Enough => flow,
        }
    }

    /// Whether a body holds in any way.
    fn holds(&mut self, body: &'a [Op], base: usize) -> Result<bool, Stop> {
        let flow = self.deeper(|this| this.run(body, base, &mut |_| Ok(Flow::Enough)))?;
        Ok(flow == Flow::Enough)
    }

    fn every(
        &mut self,
        domain: &'a Expr,
        key: Option<Slot>,
        value: Slot,
        body: &'a [Op],
        base: usize,
    ) -> Result<bool, Stop> {
        let Some(domain) = self.value(domain, base)? else {
            return Ok(false);
        };
        if domain.size().depth == 0 {
            return Ok(false);
        }
        for index in 0..length(&domain) {
            self.pay(1)?;
            if let Some(key) = key {
                self.set(base, key, key_at(&domain, index));
            }
            self.set(base, value, item_at(&domain, index));
            if !self.holds(body, base)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn print(&mut self, place: Place, sets: &'a [Expr], base: usize) -> Result<(), Stop> {
        if !self.settings.hears_prints {
            return Ok(());
        }
        let mut text = String::new();
        for (index, set) in sets.iter().enumerate() {
            if index > 0 {
                text.push(' ');
            }
            let value = self.value(set, base)?;
            let value = value.as_ref().and_then(|value| value.as_set()?.first());
            match value {
                None => text.push_str("<undefined>"),
                Some(Value::String(said)) => {
                    self.budget().pay_bytes(said.len())?;
                    text.push_str(said);
                }
                Some(value) => {
                    self.budget().pay_value(value)?;
                    text.push_str(&value.to_string());
                }
            }
        }
        self.printed_bytes = self.printed_bytes.saturating_add(text.len());
        if self.printed_bytes <= PRINTED_BYTES {
            self.printed.push(Printed {
                module: self.module,
                place,
                text,
            });
        }
        Ok(())
    }

    /// Goes through what the steps of a reference find.
    fn iterate(
        &mut self,
        from: Cursor,
        steps: &'a [Step],
        rest: Rest<'a>,
        done: Done<'_, 'a>,
    ) -> Result<Flow, Stop> {
        let mut from = from;
        let mut steps = steps;
        while let Some((step, after)) = steps.split_first() {
            match step {
                Step::Key(key) => {
                    let Some(key) = self.value(key, rest.base)? else {
                        return Ok(Flow::Next);
                    };
                    let Some(next) = self.step(from, &key)? else {
                        return Ok(Flow::Next);
                    };
                    from = next;
                    steps = after;
                }
                Step::Each(pattern) => return self.each(&from, pattern, after, rest, done),
            }
        }
        let Some(found) = self.document(from)? else {
            return Ok(Flow::Next);
        };
        self.set(rest.base, rest.out, found);
        self.run(rest.ops, rest.base, done)
    }

    fn each(
        &mut self,
        from: &Cursor,
        pattern: &'a Pattern,
        after: &'a [Step],
        rest: Rest<'a>,
        done: Done<'_, 'a>,
    ) -> Result<Flow, Stop> {
        let (Cursor::Value(value) | Cursor::Document(value)) = from else {
            for name in self.names_in(from)? {
                self.pay(1)?;
                let key = Value::String(name);
                if !self.matches(pattern, &key, rest.base)? {
                    continue;
                }
                let Some(next) = self.step(from.clone(), &key)? else {
                    continue;
                };
                let flow = self.deeper(|this| this.iterate(next, after, rest, done))?;
                if flow == Flow::Enough {
                    return Ok(flow);
                }
            }
            return Ok(Flow::Next);
        };
        for index in 0..length(value) {
            self.pay(1)?;
            // A key is made only for who looks at it.
            let is_any = matches!(pattern, Pattern::Any);
            if !is_any && !self.matches(pattern, &key_at(value, index), rest.base)? {
                continue;
            }
            let item = item_at(value, index);
            let flow = if after.is_empty() {
                self.set(rest.base, rest.out, item);
                self.run(rest.ops, rest.base, done)?
            } else {
                let next = match from {
                    Cursor::Value(_) => Cursor::Value(item),
                    _ => Cursor::Document(item),
                };
                self.deeper(|this| this.iterate(next, after, rest, done))?
            };
            if flow == Flow::Enough {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// Whether a value is like a pattern; binds what that binds.
    pub(super) fn matches(
        &mut self,
        pattern: &'a Pattern,
        value: &Value,
        base: usize,
    ) -> Result<bool, Stop> {
        match pattern {
            Pattern::Any => Ok(true),
            Pattern::Bind(slot) => {
                self.set(base, *slot, value.clone());
                Ok(true)
            }
            Pattern::Equal(expr) if expr.is_known() => match self.known(expr, base)? {
                Some(wanted) => self.equals(wanted, value),
                None => Ok(false),
            },
            Pattern::Equal(expr) => match self.value(expr, base)? {
                Some(wanted) => self.equals(&wanted, value),
                None => Ok(false),
            },
            Pattern::Array(patterns) => {
                let Value::Array(items) = value else {
                    return Ok(false);
                };
                if items.len() != patterns.len() {
                    return Ok(false);
                }
                self.pay_each(patterns.len())?;
                for (pattern, item) in patterns.iter().zip(items.iter()) {
                    if !self.matches(pattern, item, base)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Pattern::Object(fields) => {
                let Value::Object(object) = value else {
                    return Ok(false);
                };
                if object.len() != fields.len() {
                    return Ok(false);
                }
                self.pay_each(fields.len())?;
                for (key, pattern) in fields {
                    let Some(key) = self.value(key, base)? else {
                        return Ok(false);
                    };
                    let Some(item) = object.get(&key) else {
                        return Ok(false);
                    };
                    if !self.matches(pattern, item, base)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }
}

/// Where what was found goes, and what runs then.
#[derive(Clone, Copy)]
pub(super) struct Rest<'a> {
    pub(super) out: Slot,
    pub(super) ops: &'a [Op],
    pub(super) base: usize,
}

/// How many values a collection holds; none if it is no collection.
pub(super) fn length(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Set(members) => members.len(),
        Value::Object(entries) => entries.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The key at a place of a collection.
pub(super) fn key_at(value: &Value, index: usize) -> Value {
    let key = match value {
        Value::Array(_) => u64::try_from(index).ok().map(Value::from),
        Value::Set(members) => (***members).get(index).cloned(),
        Value::Object(entries) => (***entries).get(index).map(|(key, _)| key.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    key.unwrap_or(Value::Null)
}

/// The value at a place of a collection.
pub(super) fn item_at(value: &Value, index: usize) -> Value {
    let item = match value {
        Value::Array(items) => items.get(index),
        Value::Set(members) => (***members).get(index),
        Value::Object(entries) => (***entries).get(index).map(|(_, item)| item),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    item.cloned().unwrap_or(Value::Null)
}
