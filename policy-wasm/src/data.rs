//! The data files of a bundle as one document.

use plinto_contract::limits::POLICY_VALUE_DEPTH;
use regorus::{Rc, Value, value::Object};

use crate::{
    bundle::{Source, lies_under},
    diagnostics::{Diagnostic, Kind},
    input::is_heavier_than,
};

/// Reads every data file and mounts it at its folder: `plinto/data.json` is `data.plinto`.
pub(crate) fn documents(
    source: &Source,
    roots: &[String],
) -> Result<Vec<(String, Value)>, Diagnostic> {
    let files = source
        .data_files()
        .map_err(|error| Diagnostic::of_file(Kind::Data, "", error.to_string()))?;
    let mut documents = Vec::new();
    for (path, text) in files {
        let refuse = |kind, message: String| Diagnostic::of_file(kind, path, message);
        let value = Value::from_json_str(text)
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
        documents.push((path.to_owned(), mount(folder, value)));
    }
    Ok(documents)
}

/// A data path below `path` that no root covers.
fn outside_of(path: &str, value: &Value, roots: &[String]) -> Option<String> {
    if roots.iter().any(|root| lies_under(path, root)) {
        return None;
    }
    let is_above_a_root = path.is_empty() || roots.iter().any(|root| lies_under(root, path));
    match value {
        Value::Object(members) if is_above_a_root => {
            members.iter_sorted().find_map(|(name, value)| {
                let name = name.as_string().ok()?;
                let below = if path.is_empty() {
                    name.to_string()
                } else {
                    format!("{path}/{name}")
                };
                outside_of(&below, value, roots)
            })
        }
        _ => Some(path.to_owned()),
    }
}

fn mount(folder: &str, value: Value) -> Value {
    folder
        .rsplit('/')
        .filter(|name| !name.is_empty())
        .fold(value, |value, name| {
            let members: Object = [(Value::from(name), value)].into_iter().collect();
            Value::Object(Rc::new(members))
        })
}

/// The value at a data path, if there is one.
pub(crate) fn lookup<'a>(data: &'a Value, path: &[impl AsRef<str>]) -> Option<&'a Value> {
    path.iter().try_fold(data, |value, name| {
        value.as_object().ok()?.get(&Value::from(name.as_ref()))
    })
}
