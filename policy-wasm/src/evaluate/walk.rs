//! `walk`: every value in a value, with its path.

use super::{
    Done, Evaluation, Flow, Stop,
    body::{Rest, item_at, key_at, length},
};
use crate::value::Value;

impl<'a> Evaluation<'a> {
    /// Goes through a value and everything in it, outside first. Source: OPA, `walk`.
    pub(super) fn walk(
        &mut self,
        value: &Value,
        rest: Rest<'a>,
        done: Done<'_, 'a>,
    ) -> Result<Flow, Stop> {
        self.walk_at(&mut Vec::new(), value, rest, done)
    }

    fn walk_at(
        &mut self,
        path: &mut Vec<Value>,
        value: &Value,
        rest: Rest<'a>,
        done: Done<'_, 'a>,
    ) -> Result<Flow, Stop> {
        let levels = u64::try_from(path.len()).unwrap_or(u64::MAX);
        self.pay(levels.saturating_add(2))?;
        let pair = Value::array(vec![Value::array(path.clone()), value.clone()]);
        self.set(rest.base, rest.out, pair);
        if self.run(rest.ops, rest.base, done)? == Flow::Enough {
            return Ok(Flow::Enough);
        }
        for index in 0..length(value) {
            let below = item_at(value, index);
            path.push(key_at(value, index));
            let flow = self.deeper(|this| this.walk_at(path, &below, rest, done));
            path.pop();
            if flow? == Flow::Enough {
                return Ok(Flow::Enough);
            }
        }
        Ok(Flow::Next)
    }
}
