//! `graph.reachable` and `graph.reachable_paths`. Source: OPA, "Policy Reference", graph.

use std::collections::BTreeSet;

use super::{
    Builtin, CallError, Context, operand,
    tally::{Tally, set_of},
};
use crate::value::{Object, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("graph.reachable", reachable),
    Builtin::new("graph.reachable_paths", reachable_paths),
];

/// The nodes that are named in an array or a set.
fn nodes_of(value: &Value) -> &[Value] {
    match value {
        Value::Array(array) => array,
        Value::Set(set) => set,
        _ => &[],
    }
}

fn initial(arguments: &[Value]) -> Result<&[Value], CallError> {
    let value = operand::any(arguments, 1)?;
    match value {
        Value::Array(_) | Value::Set(_) => Ok(nodes_of(value)),
        other => Err(operand::wrong(1, "{array, set}", other)),
    }
}

/// The nodes that a node leads to, if it is in the graph.
fn edges<'a>(
    tally: &mut Tally<'_>,
    graph: &'a Object,
    node: &Value,
) -> Result<Option<&'a [Value]>, CallError> {
    tally.find(node, graph.len())?;
    Ok(graph.get(node).map(nodes_of))
}

fn reachable(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let graph = operand::object(arguments, 0)?;
    let mut tally = Tally::new(context.budget);
    let mut reached = BTreeSet::new();
    let mut waiting = vec![initial(arguments)?];
    while let Some(nodes) = waiting.pop() {
        for node in nodes {
            let Some(edges) = edges(&mut tally, graph, node)? else {
                continue;
            };
            tally.find(node, reached.len())?;
            if reached.insert(node) {
                waiting.push(edges);
            }
        }
    }
    context.budget.pay_bytes(reached.len().saturating_mul(24))?;
    let members = reached.into_iter().cloned().collect();
    Ok(Some(set_of(context.budget, members)?))
}

/// Paths that are followed, and those that ended.
struct Paths<'a, 'b> {
    tally: Tally<'b>,
    graph: &'a Object,
    path: Vec<&'a Value>,
    on_path: BTreeSet<&'a Value>,
    /// For each node of the path after the first: where it leads that was not yet followed.
    open: Vec<std::slice::Iter<'a, Value>>,
    ended: Vec<Value>,
}

fn reachable_paths(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let graph = operand::object(arguments, 0)?;
    let mut paths = Paths {
        tally: Tally::new(context.budget),
        graph,
        path: Vec::new(),
        on_path: BTreeSet::new(),
        open: Vec::new(),
        ended: Vec::new(),
    };
    for node in initial(arguments)? {
        let Some(next) = edges(&mut paths.tally, graph, node)? else {
            continue;
        };
        paths.path.push(node);
        if next.is_empty() {
            paths.end()?;
        } else {
            paths.on_path.insert(node);
            for node in next {
                paths.follow(node)?;
            }
        }
        paths.path.clear();
        paths.on_path.clear();
    }
    let ended = paths.ended;
    Ok(Some(set_of(context.budget, ended)?))
}

impl<'a> Paths<'a, '_> {
    /// Every way from a node on.
    fn follow(&mut self, node: &'a Value) -> Result<(), CallError> {
        self.enter(node)?;
        while let Some(next) = self.open.last_mut() {
            let Some(node) = next.next() else {
                self.open.pop();
                self.leave();
                continue;
            };
            self.tally.find(node, self.on_path.len())?;
            if self.on_path.contains(node) {
                self.end()?;
            } else {
                self.enter(node)?;
            }
        }
        Ok(())
    }

    fn enter(&mut self, node: &'a Value) -> Result<(), CallError> {
        let Some(next) = edges(&mut self.tally, self.graph, node)? else {
            return self.end();
        };
        self.path.push(node);
        if next.is_empty() {
            self.end()?;
            self.path.pop();
        } else {
            self.tally.find(node, self.on_path.len())?;
            self.on_path.insert(node);
            self.open.push(next.iter());
        }
        Ok(())
    }

    fn leave(&mut self) {
        let Some(node) = self.path.pop() else {
            return;
        };
        // The first node may lead to itself, and stays on the path then.
        if self.path.len() > 1 || self.path.first() != Some(&node) {
            self.on_path.remove(node);
        }
    }

    fn end(&mut self) -> Result<(), CallError> {
        let nodes = u64::try_from(self.path.len()).unwrap_or(u64::MAX);
        self.tally
            .add(nodes.saturating_mul(24).saturating_add(32))?;
        let path = self.path.iter().map(|node| (*node).clone()).collect();
        self.ended.push(Value::array(path));
        Ok(())
    }
}
