//! The data files of a bundle as one document.

use plinto_contract::limits::POLICY_VALUE_DEPTH;

use crate::{
    bundle::{Source, lies_under},
    diagnostics::{Diagnostic, Kind},
    input::is_heavier_than,
    value::Value,
};

/// Reads every data file and merges what they hold, each at its folder: `plinto/data.json` is
/// `data.plinto`.
pub(crate) fn document(source: &Source, roots: &[String]) -> Result<Value, Diagnostic> {
    let files = source
        .data_files()
        .map_err(|error| Diagnostic::of_file(Kind::Data, "", error.to_string()))?;
    let mut document = Value::empty_object();
    for (path, text) in files {
        let refuse = |kind, message: String| Diagnostic::of_file(kind, path, message);
        let value = Value::from_json_text(text)
            .map_err(|error| refuse(Kind::Data, format!("is not usable: {error}")))?;
        if is_heavier_than(&value, usize::MAX) {
            let message = format!("nests deeper than {POLICY_VALUE_DEPTH}");
            return Err(refuse(Kind::Data, message));
        }
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if folder.is_empty() && !matches!(value, Value::Object(_)) {
            return Err(refuse(
                Kind::Data,
                "the topmost data file must hold an object".to_owned(),
            ));
        }
        if let Some(outside) = outside_of(folder, &value, roots) {
            return Err(refuse(
                Kind::Roots,
                format!("`{outside}` lies outside the manifest's roots"),
            ));
        }
        document = merged(document, &mount(folder, value), "data").map_err(|place| {
            let message = format!("`{place}` is in another data file, too");
            refuse(Kind::Data, message)
        })?;
    }
    Ok(document)
}

/// A data path below `path` that no root covers.
fn outside_of(path: &str, value: &Value, roots: &[String]) -> Option<String> {
    if roots.iter().any(|root| lies_under(path, root)) {
        return None;
    }
    let is_above_a_root = path.is_empty() || roots.iter().any(|root| lies_under(root, path));
    match value {
        Value::Object(members) if is_above_a_root => members.iter().find_map(|(name, value)| {
            let name = name.as_str()?;
            let below = if path.is_empty() {
                name.to_string()
            } else {
                format!("{path}/{name}")
            };
            outside_of(&below, value, roots)
        }),
        _ => Some(path.to_owned()),
    }
}

fn mount(folder: &str, value: Value) -> Value {
    folder
        .rsplit('/')
        .filter(|name| !name.is_empty())
        .fold(value, |value, name| {
            Value::object(vec![(Value::from(name), value)])
        })
}

/// Both in one; objects are merged. Errors: the path of what is in both and no object.
fn merged(left: Value, right: &Value, path: &str) -> Result<Value, String> {
    let (Value::Object(left), Value::Object(right)) = (&left, right) else {
        return Err(path.to_owned());
    };
    let mut entries: Vec<(Value, Value)> = left.to_vec();
    for (key, value) in right.iter() {
        let value = match left.get(key) {
            Some(known) => {
                let name = key.as_str().unwrap_or_default();
                merged(known.clone(), value, &format!("{path}.{name}"))?
            }
            None => value.clone(),
        };
        entries.push((key.clone(), value));
    }
    Ok(Value::object(entries))
}
