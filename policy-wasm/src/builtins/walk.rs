//! `walk`: a value, what is in it, and so on, each with its path.
//! Source: OPA, "Policy Reference", `walk`.

use crate::{
    budget::{Budget, Exhausted},
    value::Value,
};

/// Hands out `[path, value]`, one after another in OPA's order.
pub(crate) struct Walk<'a> {
    budget: &'a Budget,
    /// Not yet handed out.
    first: Option<Value>,
    /// From the outermost collection to the one that is gone through.
    open: Vec<Open>,
    path: Vec<Value>,
    with_paths: bool,
}

/// A collection, and its next part.
struct Open {
    collection: Value,
    next: usize,
}

impl<'a> Walk<'a> {
    /// `with_paths`: without them every path is empty, for a caller that doesn't look at them.
    pub(crate) const fn new(budget: &'a Budget, value: Value, with_paths: bool) -> Self {
        Self {
            budget,
            first: Some(value),
            open: Vec::new(),
            path: Vec::new(),
            with_paths,
        }
    }

    fn advance(&mut self) -> Option<Value> {
        if let Some(value) = self.first.take() {
            return Some(value);
        }
        while let Some(open) = self.open.last_mut() {
            let part = part(&open.collection, open.next);
            open.next = open.next.saturating_add(1);
            if let Some((key, value)) = part {
                self.path.truncate(self.open.len().saturating_sub(1));
                self.path.push(key);
                return Some(value);
            }
            self.open.pop();
        }
        None
    }
}

fn part(collection: &Value, index: usize) -> Option<(Value, Value)> {
    match collection {
        Value::Array(array) => {
            let key = Value::from(u64::try_from(index).ok()?);
            Some((key, array.get(index)?.clone()))
        }
        Value::Object(object) => object[..].get(index).cloned(),
        Value::Set(set) => {
            let member = set[..].get(index)?.clone();
            Some((member.clone(), member))
        }
        _ => None,
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<Value, Exhausted>;

    fn next(&mut self) -> Option<Self::Item> {
        let value = self.advance()?;
        let path = if self.with_paths {
            self.path.clone()
        } else {
            Vec::new()
        };
        let steps = u64::try_from(path.len())
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        if let Err(exhausted) = self.budget.pay(steps) {
            self.open.clear();
            return Some(Err(exhausted));
        }
        if matches!(value, Value::Array(_) | Value::Object(_) | Value::Set(_)) {
            self.open.push(Open {
                collection: value.clone(),
                next: 0,
            });
        }
        Some(Ok(Value::array(vec![Value::array(path), value])))
    }
}

#[cfg(test)]
mod tests {
    use super::Walk;
    use crate::{
        budget::Budget,
        front::{constant, parse_term},
        value::Value,
    };

    fn value_of(text: &str) -> Value {
        constant(&parse_term(text).unwrap()).unwrap()
    }

    fn walked(text: &str, with_paths: bool) -> String {
        let budget = Budget::new(10_000);
        let all: Result<Vec<Value>, _> = Walk::new(&budget, value_of(text), with_paths).collect();
        Value::array(all.unwrap()).to_string()
    }

    #[test]
    fn every_value_has_its_path() {
        assert_eq!(walked("7", true), "[[[], 7]]");
        assert_eq!(
            walked(r#"{"b": [1, {2}], "a": null}"#, true),
            r#"[[[], {"a": null, "b": [1, {2}]}], [["a"], null], [["b"], [1, {2}]], [["b", 0], 1], [["b", 1], {2}], [["b", 1, 2], 2]]"#
        );
        assert_eq!(walked("{[1]: []}", true), "[[[], {[1]: []}], [[[1]], []]]");
    }

    #[test]
    fn paths_can_be_left_out() {
        assert_eq!(
            walked("[[1], 2]", false),
            "[[[], [[1], 2]], [[], [1]], [[], 1], [[], 2]]"
        );
    }

    #[test]
    fn what_doubles_by_sharing_ends_with_the_budget() {
        let mut value = Value::from(1_i64);
        for _ in 0..100 {
            value = Value::array(vec![value.clone(), value]);
        }
        let budget = Budget::new(1_000);
        let walk = Walk::new(&budget, value, true);
        assert!(walk.last().unwrap().is_err());
    }
}
