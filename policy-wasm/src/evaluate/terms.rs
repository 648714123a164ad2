//! Gives expressions their values.

use std::cmp::Ordering;

use super::{Evaluation, Flow, Stop, document::Cursor, with::Mock};
use crate::{
    builtins::{CallError, Context},
    front::Place,
    plan::{
        code::{Call, Comparison, Comprehension, Expr, Makes, Target},
        document_at,
    },
    value::Value,
};

impl<'a> Evaluation<'a> {
    /// The value of an expression; `None`: undefined.
    pub(super) fn value(&mut self, expr: &'a Expr, base: usize) -> Result<Option<Value>, Stop> {
        if expr.is_known() {
            return Ok(self.known(expr, base)?.cloned());
        }
        match expr {
            Expr::Const(_) | Expr::Document(_) | Expr::Slot(_) | Expr::Input => Ok(None),
            Expr::At(head, keys) => self.at(head, keys, base),
            Expr::Rule(rule) => self.rule(*rule),
            Expr::Lookup(rule, key) => match self.value(key, base)? {
                Some(key) => self.look_up(*rule, &key),
                None => Ok(None),
            },
            Expr::Data(node) => {
                let cursor = self.node(*node);
                self.document(cursor)
            }
            Expr::Array(items) => match self.values(items, base)? {
                Some(items) => self.made(Value::array(items)),
                None => Ok(None),
            },
            Expr::Set(items) => match self.values(items, base)? {
                Some(items) => self.made_set(items),
                None => Ok(None),
            },
            Expr::Object(fields) => self.object(fields, base),
            Expr::Call(call) => self.call(call, base),
            Expr::Compare(comparison, pair) => {
                let result = self.compare(*comparison, &pair.0, &pair.1, base)?;
                Ok(result.map(Value::Bool))
            }
            Expr::Comprehension(comprehension) => {
                self.deeper(|this| this.comprehension(comprehension, base))
            }
        }
    }

    /// The value of an expression that is known ([`Expr::is_known`]), without a copy.
    pub(super) fn known(&self, expr: &'a Expr, base: usize) -> Result<Option<&Value>, Stop> {
        Ok(match expr {
            Expr::Const(value) | Expr::Document(value) => Some(value),
            Expr::Slot(slot) => self.slots.get(base.saturating_add(*slot)),
            Expr::Input => self.around.input.as_ref(),
            Expr::At(head, keys) => {
                let get = getter(head);
                let mut at = self.known(head, base)?;
                for key in keys {
                    let Some(owner) = at else { break };
                    self.pay(1)?;
                    at = match key {
                        Expr::Const(key) => get(owner, key),
                        key => match self.known(key, base)? {
                            Some(key) => {
                                self.budget().pay_value(key)?;
                                get(owner, key)
                            }
                            None => None,
                        },
                    };
                }
                at
            }
            _ => None,
        })
    }

    /// Whether an expression has a value that is not `false`.
    pub(super) fn is_true(&mut self, expr: &'a Expr, base: usize) -> Result<bool, Stop> {
        let is_true = |value: &Value| value.as_bool() != Some(false);
        if expr.is_known() {
            return Ok(self.known(expr, base)?.is_some_and(is_true));
        }
        Ok(self.value(expr, base)?.as_ref().is_some_and(is_true))
    }

    fn compare(
        &mut self,
        comparison: Comparison,
        left: &'a Expr,
        right: &'a Expr,
        base: usize,
    ) -> Result<Option<bool>, Stop> {
        if left.is_known() && right.is_known() {
            let left = self.known(left, base)?;
            let (Some(left), Some(right)) = (left, self.known(right, base)?) else {
                return Ok(None);
            };
            self.budget().pay_comparison(left, right)?;
            return Ok(Some(compare(comparison, left, right)));
        }
        let Some(left) = self.value(left, base)? else {
            return Ok(None);
        };
        let Some(right) = self.value(right, base)? else {
            return Ok(None);
        };
        self.budget().pay_comparison(&left, &right)?;
        Ok(Some(compare(comparison, &left, &right)))
    }

    fn values(&mut self, exprs: &'a [Expr], base: usize) -> Result<Option<Vec<Value>>, Stop> {
        let mut values = Vec::with_capacity(exprs.len());
        for expr in exprs {
            self.pay(1)?;
            match self.value(expr, base)? {
                Some(value) => values.push(value),
                None => return Ok(None),
            }
        }
        Ok(Some(values))
    }

    pub(super) fn made(&self, value: Value) -> Result<Option<Value>, Stop> {
        Ok(Some(self.budget().made(value)?))
    }

    pub(super) fn made_set(&self, members: Vec<Value>) -> Result<Option<Value>, Stop> {
        self.budget().pay_sorting(&members)?;
        self.made(Value::set(members))
    }

    fn object(&mut self, fields: &'a [(Expr, Expr)], base: usize) -> Result<Option<Value>, Stop> {
        let mut entries = Vec::with_capacity(fields.len());
        for (key, value) in fields {
            self.pay(1)?;
            let Some(key) = self.value(key, base)? else {
                return Ok(None);
            };
            let Some(value) = self.value(value, base)? else {
                return Ok(None);
            };
            self.budget().pay_value(&key)?;
            entries.push((key, value));
        }
        self.made(Value::object(entries))
    }

    fn at(&mut self, head: &'a Expr, keys: &'a [Expr], base: usize) -> Result<Option<Value>, Stop> {
        if let Expr::Data(node) = head {
            let mut cursor = self.node(*node);
            for key in keys {
                let Some(key) = self.value(key, base)? else {
                    return Ok(None);
                };
                let Some(next) = self.step(cursor, &key)? else {
                    return Ok(None);
                };
                cursor = next;
            }
            return self.document(cursor);
        }
        let Some(owner) = self.value(head, base)? else {
            return Ok(None);
        };
        self.at_keys(&owner, keys, getter(head), base)
    }

    fn at_keys(
        &mut self,
        owner: &Value,
        keys: &'a [Expr],
        get: for<'v> fn(&'v Value, &Value) -> Option<&'v Value>,
        base: usize,
    ) -> Result<Option<Value>, Stop> {
        let mut at = owner;
        let mut keys = keys;
        while let Some((key, after)) = keys.split_first() {
            self.pay(1)?;
            let computed;
            let key = if let Expr::Const(key) = key {
                key
            } else {
                let Some(key) = self.value(key, base)? else {
                    return Ok(None);
                };
                self.budget().pay_value(&key)?;
                computed = key;
                &computed
            };
            if let Value::Set(set) = at {
                return if set.contains(key) {
                    self.at_keys(key, after, get, base)
                } else {
                    Ok(None)
                };
            }
            match get(at, key) {
                Some(below) => at = below,
                None => return Ok(None),
            }
            keys = after;
        }
        Ok(Some(at.clone()))
    }

    fn call(&mut self, call: &'a Call, base: usize) -> Result<Option<Value>, Stop> {
        self.pay(1)?;
        let first = self.arguments.len();
        let mut result = None;
        if self.push_arguments(&call.arguments, base)? {
            result = self.called(call, first)?;
        }
        self.arguments.truncate(first);
        Ok(result)
    }

    /// Puts the arguments of a call behind those of the calls around it; whether all have a value.
    fn push_arguments(&mut self, exprs: &'a [Expr], base: usize) -> Result<bool, Stop> {
        for expr in exprs {
            self.pay(1)?;
            match self.value(expr, base)? {
                Some(value) => self.arguments.push(value),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    fn called(&mut self, call: &'a Call, first: usize) -> Result<Option<Value>, Stop> {
        if call.is_replaced
            && let Some(mock) = self.mock_of(call.target.callee())?
        {
            return match mock {
                Mock::Value(value) => Ok(Some(value)),
                Mock::Rule(path) => {
                    let path: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
                    if let Some(value) = self.at_path(&path)? {
                        return Ok(Some(value));
                    }
                    // In OPA such a call holds where nothing takes its value, and is undefined elsewhere.
                    let path = path.join(".");
                    let message = format!("data.{path} replaces a function and has no value");
                    Err(self.error("eval_conflict_error", call.place, message))
                }
                // What stands for a function does not see what stands for others.
                Mock::Target(target) => {
                    let plain = self.around.without_mocks();
                    let mocked = std::mem::replace(&mut self.around, plain);
                    let result = self.invoke(call.place, target, first);
                    self.around = mocked;
                    result
                }
            };
        }
        self.invoke(call.place, call.target, first)
    }

    fn invoke(
        &mut self,
        place: Place,
        target: Target,
        first: usize,
    ) -> Result<Option<Value>, Stop> {
        let builtin = match target {
            Target::Function(rule) => {
                return self.deeper(|this| this.function(rule, first));
            }
            Target::Builtin(builtin) => builtin,
        };
        let context = Context {
            budget: self.budget(),
            now_ns: self.settings.now_ns,
            patterns: &self.plan().patterns,
        };
        let (code, message) =
            match (builtin.call)(&context, self.arguments.get(first..).unwrap_or_default()) {
                Ok(Some(value)) => return self.made(value),
                Ok(None) => return Ok(None),
                Err(CallError::Exhausted(exhausted)) => return Err(exhausted.into()),
                Err(CallError::Conflict(message)) => {
                    return Err(self.error("eval_conflict_error", place, message));
                }
                Err(CallError::Type(message)) => ("eval_type_error", message),
                Err(CallError::Builtin(message)) => ("eval_builtin_error", message),
            };
        if self.settings.is_strict {
            return Err(self.error(code, place, format!("{}: {message}", builtin.name)));
        }
        Ok(None)
    }

    fn comprehension(
        &mut self,
        comprehension: &'a Comprehension,
        base: usize,
    ) -> Result<Option<Value>, Stop> {
        match &comprehension.makes {
            Makes::Array(head) => {
                let items = self.collected(comprehension, head, base)?;
                self.made(Value::array(items))
            }
            Makes::Set(head) => {
                let members = self.collected(comprehension, head, base)?;
                self.made_set(members)
            }
            Makes::Object(key, value) => {
                let mut entries: Vec<(Value, Value)> = Vec::new();
                self.run(&comprehension.body, base, &mut |this| {
                    let Some(key) = this.value(key, base)? else {
                        return Ok(Flow::Next);
                    };
                    if let Some(value) = this.value(value, base)? {
                        this.pay(1)?;
                        entries.push((key, value));
                    }
                    Ok(Flow::Next)
                })?;
                self.unique_object(comprehension.place, entries)
            }
        }
    }

    fn collected(
        &mut self,
        comprehension: &'a Comprehension,
        head: &'a Expr,
        base: usize,
    ) -> Result<Vec<Value>, Stop> {
        let mut items = Vec::new();
        self.run(&comprehension.body, base, &mut |this| {
            this.pay(1)?;
            items.extend(this.value(head, base)?);
            Ok(Flow::Next)
        })?;
        Ok(items)
    }

    /// An object of entries in which a key may stand twice, but only with one value.
    fn unique_object(
        &self,
        place: Place,
        mut entries: Vec<(Value, Value)>,
    ) -> Result<Option<Value>, Stop> {
        let keys: Vec<Value> = entries.iter().map(|(key, _)| key.clone()).collect();
        self.budget().pay_sorting(&keys)?;
        entries.sort_by(|left, right| left.0.cmp(&right.0));
        let mut unique: Vec<(Value, Value)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            match unique.last() {
                Some((last, kept)) if *last == key => {
                    if !self.equals(kept, &value)? {
                        let message = "object keys must be unique";
                        return Err(self.error("eval_conflict_error", place, message));
                    }
                }
                _ => unique.push((key, value)),
            }
        }
        self.made(Value::object(unique))
    }

    /// Where a reference begins that goes through things.
    pub(super) fn cursor(&mut self, expr: &'a Expr, base: usize) -> Result<Option<Cursor>, Stop> {
        match expr {
            Expr::Data(node) => Ok(Some(self.node(*node))),
            Expr::Document(value) => Ok(Some(Cursor::Document(value.clone()))),
            expr => Ok(self.value(expr, base)?.map(Cursor::Value)),
        }
    }
}

/// How keys are found in what stands at the beginning of a reference.
fn getter(head: &Expr) -> for<'v> fn(&'v Value, &Value) -> Option<&'v Value> {
    match head {
        Expr::Document(_) => document_at,
        _ => Value::get,
    }
}

fn compare(comparison: Comparison, left: &Value, right: &Value) -> bool {
    match comparison {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::Less => left.cmp(right) == Ordering::Less,
        Comparison::LessOrEqual => left.cmp(right) != Ordering::Greater,
        Comparison::Greater => left.cmp(right) == Ordering::Greater,
        Comparison::GreaterOrEqual => left.cmp(right) != Ordering::Less,
    }
}
