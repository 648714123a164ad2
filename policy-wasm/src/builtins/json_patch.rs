//! `json.patch`: the operations of RFC 6902, as OPA carries them out, on sets too.
//! Source: OPA, "Policy Reference", objects.

use super::{CallError, Context, edit::Edit, json_paths::steps, operand};
use crate::value::{Object, Value};

pub(super) fn patch(
    context: &Context<'_>,
    arguments: &[Value],
) -> Result<Option<Value>, CallError> {
    let mut root = Some(Edit::Kept(operand::any(arguments, 0)?.clone()));
    for operation in operand::array(arguments, 1)?.iter() {
        context.budget.pay(4)?;
        let Value::Object(operation) = operation else {
            return Err(CallError::new(
                "must be an array of JSON-Patch objects, but at least one element is not an object",
            ));
        };
        apply(context, &mut root, operation)?;
    }
    match root {
        Some(root) => Ok(Some(root.render(context)?)),
        None => Err(CallError::new("the document was removed")),
    }
}

fn attribute<'a>(operation: &'a Object, name: &str) -> Result<&'a Value, CallError> {
    let missing = || CallError::Builtin(format!("missing required attribute '{name}'"));
    operation.get_str(name).ok_or_else(missing)
}

fn apply(
    context: &Context<'_>,
    root: &mut Option<Edit>,
    operation: &Object,
) -> Result<(), CallError> {
    let path = attribute(operation, "path")?;
    let name = attribute(operation, "op")?;
    let Value::String(name) = name else {
        let kind = name.type_name();
        return Err(CallError::Builtin(format!(
            "attribute 'op' must be a string but found: {kind}"
        )));
    };
    let path = steps(context, path)?;
    match name.as_ref() {
        "add" => {
            let value = attribute(operation, "value")?;
            insert(context, root, &path, value.clone())
        }
        "remove" => delete(context, root, &path),
        "replace" => {
            delete(context, root, &path)?;
            let value = attribute(operation, "value")?;
            insert(context, root, &path, value.clone())
        }
        "move" => {
            let from = steps(context, attribute(operation, "from")?)?;
            let value = value_at(context, root, &from)?;
            delete(context, root, &from)?;
            insert(context, root, &path, value)
        }
        "copy" => {
            let from = steps(context, attribute(operation, "from")?)?;
            let value = value_at(context, root, &from)?;
            insert(context, root, &path, value)
        }
        "test" => {
            let found = value_at(context, root, &path)?;
            let wanted = attribute(operation, "value")?;
            context.budget.pay_comparison(&found, wanted)?;
            if &found == wanted {
                return Ok(());
            }
            Err(CallError::new("a tested value is not the one in the patch"))
        }
        other => Err(CallError::Builtin(format!("unrecognized op: '{other}'"))),
    }
}

/// What stands at a path, ready to be changed.
fn open_at<'a>(
    context: &Context<'_>,
    root: &'a mut Option<Edit>,
    path: &[Value],
) -> Result<&'a mut Edit, CallError> {
    if path.len() > 256 {
        return Err(crate::budget::Exhausted::Depth.into());
    }
    let mut edit = root
        .as_mut()
        .ok_or_else(|| CallError::new("the document was removed"))?;
    for step in path {
        edit = edit.open(context, step)?;
    }
    Ok(edit)
}

fn value_at(
    context: &Context<'_>,
    root: &mut Option<Edit>,
    path: &[Value],
) -> Result<Value, CallError> {
    open_at(context, root, path)?.render(context)
}

fn insert(
    context: &Context<'_>,
    root: &mut Option<Edit>,
    path: &[Value],
    value: Value,
) -> Result<(), CallError> {
    match path.split_last() {
        None => {
            *root = Some(Edit::Kept(value));
            Ok(())
        }
        Some((last, parents)) => open_at(context, root, parents)?.insert(context, last, value),
    }
}

fn delete(context: &Context<'_>, root: &mut Option<Edit>, path: &[Value]) -> Result<(), CallError> {
    match path.split_last() {
        None => root
            .take()
            .map(|_| ())
            .ok_or_else(|| CallError::new("the document was removed")),
        Some((last, parents)) => open_at(context, root, parents)?.delete(context, last),
    }
}
