//! `json.filter` and `json.remove`, and the paths that they share with `json.patch`.
//! Source: OPA, "Policy Reference", objects.

use std::collections::BTreeMap;

use super::{Builtin, CallError, Context, json_patch, operand, tally::Tally};
use crate::value::{Array, Object, Set, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("json.filter", filter),
    Builtin::new("json.patch", json_patch::patch),
    Builtin::new("json.remove", remove),
];

/// 257: one more than a value may nest. What a path names beyond is in no value.
const DEPTH: usize = 257;

/// Paths that begin alike, as one tree.
enum Tree {
    /// A path ends here.
    End,
    /// Paths go on.
    Node(BTreeMap<Value, Self>),
}

/// The steps of a path: `"a/b"`, `"/a/b"` or `["a", "b"]`.
pub(super) fn steps(context: &Context<'_>, path: &Value) -> Result<Vec<Value>, CallError> {
    match path {
        Value::String(text) => {
            context.budget.pay_bytes(text.len().saturating_mul(4))?;
            let text = text.trim_start_matches('/');
            if path.as_str() == Some("") {
                return Ok(Vec::new());
            }
            let unescaped = |step: &str| Value::from(step.replace("~1", "/").replace("~0", "~"));
            Ok(text.split('/').map(unescaped).collect())
        }
        Value::Array(array) => {
            context.budget.pay_bytes(array.len().saturating_mul(24))?;
            Ok(array.to_vec())
        }
        other => Err(CallError::Type(format!(
            "operand 2 must be one of {{set, array}} containing string paths or array of path \
             segments but got {}",
            other.type_name()
        ))),
    }
}

fn tree_of(context: &Context<'_>, arguments: &[Value]) -> Result<BTreeMap<Value, Tree>, CallError> {
    let value = operand::any(arguments, 1)?;
    let paths: &[Value] = match value {
        Value::Array(array) => array,
        Value::Set(set) => set,
        other => return Err(operand::wrong(1, "one of {set, array}", other)),
    };
    let mut tally = Tally::new(context.budget);
    let mut root = BTreeMap::new();
    for path in paths {
        let steps = steps(context, path)?;
        grow(&mut tally, &mut root, steps)?;
    }
    Ok(root)
}

fn grow(
    tally: &mut Tally<'_>,
    root: &mut BTreeMap<Value, Tree>,
    mut steps: Vec<Value>,
) -> Result<(), CallError> {
    let is_cut = steps.len() > DEPTH;
    steps.truncate(DEPTH);
    let Some(last) = steps.pop() else {
        return Ok(());
    };
    let mut node = root;
    for step in steps {
        tally.find(&step, node.len())?;
        tally.add(32)?;
        match node
            .entry(step)
            .or_insert_with(|| Tree::Node(BTreeMap::new()))
        {
            // A shorter path holds already.
            Tree::End => return Ok(()),
            Tree::Node(below) => node = below,
        }
    }
    tally.find(&last, node.len())?;
    tally.add(32)?;
    let end = if is_cut {
        Tree::Node(BTreeMap::new())
    } else {
        Tree::End
    };
    node.insert(last, end);
    Ok(())
}

/// What the paths name among the items of an array, in order: an index is written as a text.
fn by_index(
    tally: &mut Tally<'_>,
    paths: &BTreeMap<Value, Tree>,
) -> Result<BTreeMap<usize, Value>, CallError> {
    let mut places = BTreeMap::new();
    for key in paths.keys() {
        tally.add(64)?;
        let text = key.as_str().unwrap_or_default();
        let is_plain = text == "0" || !text.starts_with(['0', '+']);
        if let Some(index) = text.parse().ok().filter(|_| is_plain) {
            places.insert(index, key.clone());
        }
    }
    Ok(places)
}

fn filter(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let object = operand::object(arguments, 0)?;
    let paths = tree_of(context, arguments)?;
    let mut tally = Tally::new(context.budget);
    let kept = filter_object(&mut tally, object, &paths)?;
    Ok(Some(kept))
}

fn filtered(tally: &mut Tally<'_>, value: &Value, tree: &Tree) -> Result<Value, CallError> {
    tally.add(32)?;
    let Tree::Node(paths) = tree else {
        return Ok(value.clone());
    };
    match value {
        Value::Object(object) => filter_object(tally, object, paths),
        Value::Array(array) => filter_array(tally, array, paths),
        Value::Set(set) => filter_set(tally, set, paths),
        scalar => Ok(scalar.clone()),
    }
}

fn filter_object(
    tally: &mut Tally<'_>,
    object: &Object,
    paths: &BTreeMap<Value, Tree>,
) -> Result<Value, CallError> {
    let mut kept = Vec::new();
    for (key, tree) in paths {
        tally.find(key, object.len())?;
        if let Some((key, value)) = object.entry(key) {
            kept.push((key.clone(), filtered(tally, value, tree)?));
        }
    }
    Ok(Value::object(kept))
}

fn filter_array(
    tally: &mut Tally<'_>,
    array: &Array,
    paths: &BTreeMap<Value, Tree>,
) -> Result<Value, CallError> {
    let mut kept = Vec::new();
    for (index, key) in by_index(tally, paths)? {
        if let (Some(item), Some(tree)) = (array.get(index), paths.get(&key)) {
            kept.push(filtered(tally, item, tree)?);
        }
    }
    Ok(Value::array(kept))
}

fn filter_set(
    tally: &mut Tally<'_>,
    set: &Set,
    paths: &BTreeMap<Value, Tree>,
) -> Result<Value, CallError> {
    let mut kept = Vec::new();
    for (key, tree) in paths {
        tally.find(key, set.len())?;
        if let Some(member) = set.get(key) {
            kept.push(filtered(tally, member, tree)?);
        }
    }
    set_of_tally(tally, kept)
}

/// A set of what was kept, paid for.
fn set_of_tally(tally: &mut Tally<'_>, members: Vec<Value>) -> Result<Value, CallError> {
    for member in &members {
        tally.find(member, members.len())?;
    }
    Ok(Value::set(members))
}

fn remove(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let object = operand::object(arguments, 0)?;
    let paths = tree_of(context, arguments)?;
    let mut tally = Tally::new(context.budget);
    Ok(Some(remove_from_object(&mut tally, object, &paths)?))
}

/// `None`: nothing is left.
fn removed(
    tally: &mut Tally<'_>,
    value: &Value,
    tree: Option<&Tree>,
) -> Result<Option<Value>, CallError> {
    tally.add(24)?;
    let paths = match tree {
        Some(Tree::End) => return Ok(None),
        Some(Tree::Node(paths)) => paths,
        None => return Ok(Some(value.clone())),
    };
    Ok(Some(match value {
        Value::Object(object) => remove_from_object(tally, object, paths)?,
        Value::Array(array) => remove_from_array(tally, array, paths)?,
        Value::Set(set) => {
            let mut left = Vec::new();
            for member in set.iter() {
                tally.find(member, paths.len())?;
                left.extend(removed(tally, member, paths.get(member))?);
            }
            set_of_tally(tally, left)?
        }
        scalar => scalar.clone(),
    }))
}

fn remove_from_object(
    tally: &mut Tally<'_>,
    object: &Object,
    paths: &BTreeMap<Value, Tree>,
) -> Result<Value, CallError> {
    let mut left = Vec::new();
    for (key, value) in object.iter() {
        tally.find(key, paths.len())?;
        if let Some(value) = removed(tally, value, paths.get(key))? {
            left.push((key.clone(), value));
        }
    }
    Ok(Value::object(left))
}

fn remove_from_array(
    tally: &mut Tally<'_>,
    array: &Array,
    paths: &BTreeMap<Value, Tree>,
) -> Result<Value, CallError> {
    let places = by_index(tally, paths)?;
    let mut left = Vec::new();
    for (index, item) in array.iter().enumerate() {
        let tree = places.get(&index).and_then(|key| paths.get(key));
        left.extend(removed(tally, item, tree)?);
    }
    Ok(Value::array(left))
}
