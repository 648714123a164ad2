//! The data files of a bundle as one document.

use std::{collections::BTreeMap, sync::Arc};

use plinto_contract::limits::POLICY_VALUE_DEPTH;

use crate::{
    builtins,
    bundle::{DATA_FILE, Error, Source, folder_of, text},
    canonical,
    diagnostics::{Diagnostic, Kind},
    input::is_heavier_than,
    limits::BundleLimits,
    manifest::lies_under,
    value::Value,
};

/// Reads every data file and merges what they hold, each at its folder: `plinto/data.json` is
/// `data.plinto`.
pub(crate) fn document(source: &Source, roots: &[String]) -> Result<Value, Diagnostic> {
    let files = source
        .data_files()
        .map_err(|error| Diagnostic::of_file(Kind::Data, "", error.to_string()))?;
    let mut document = Document::default();
    for (path, text) in files {
        let refuse = |kind, message: String| Diagnostic::of_file(kind, path, message);
        let value = value_of(path, text).map_err(|why| refuse(Kind::Data, why.to_string()))?;
        if let Some(outside) = outside_of(folder_of(path), &value, roots) {
            return Err(refuse(
                Kind::Roots,
                format!("`{outside}` lies outside the manifest's roots"),
            ));
        }
        document
            .add(path, &value)
            .map_err(|why| refuse(Kind::Data, why.to_string()))?;
    }
    Ok(document.value())
}

/// What a data file holds, whether JSON or YAML.
/// Errors: `Json`, `Yaml`; `NoObject` for one at the top that holds something else.
pub(crate) fn value_of(path: &str, text: &str) -> Result<Value, Error> {
    value_in(path, &json_of(path, text, &BundleLimits::default())?)
}

/// The same of a file that has been brought into JSON.
fn value_in(path: &str, json: &str) -> Result<Value, Error> {
    let refuse = |error: String| Error::Json {
        path: path.to_owned(),
        error,
    };
    let value = Value::from_json_text(json).map_err(|error| refuse(error.to_string()))?;
    if is_heavier_than(&value, usize::MAX) {
        return Err(refuse(format!("it nests deeper than {POLICY_VALUE_DEPTH}")));
    }
    if folder_of(path).is_empty() && !matches!(value, Value::Object(_)) {
        return Err(Error::NoObject(path.to_owned()));
    }
    Ok(value)
}

/// A data file in OPA's canonical JSON.
/// Errors: `Json`, `Yaml`.
fn json_of(path: &str, text: &str, limits: &BundleLimits) -> Result<String, Error> {
    let refuse = |error: serde_json::Error| Error::Json {
        path: path.to_owned(),
        error: error.to_string(),
    };
    if extension_of(path) == Some("json") {
        return canonical::rewrite(text, limits.json_depth).map_err(refuse);
    }
    let found = builtins::call_alone("yaml.unmarshal", &[Value::from(text)]);
    let value = found.map_err(|error| Error::Yaml {
        path: path.to_owned(),
        error,
    })?;
    let json = value.unwrap_or(Value::Null).to_json_text();
    canonical::rewrite(&json, limits.json_depth).map_err(refuse)
}

/// Data files as they are packed: one `data.json` a folder, in canonical form.
/// Errors: `NotUtf8`, `Json`, `Yaml`, `NoObject`, `DataConflict`.
pub(crate) fn packed(
    files: &[(&str, &[u8])],
    limits: &BundleLimits,
) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let mut document = Document::default();
    let mut folders: BTreeMap<&str, String> = BTreeMap::new();
    for (path, content) in files {
        let json = json_of(path, text(path, content)?, limits)?;
        let folder = folder_of(path);
        document.add(path, &value_in(path, &json)?)?;
        let json = match folders.remove(folder) {
            // What both have was refused when it was added to the document.
            Some(other) => canonical::merged(&other, &json).unwrap_or(other),
            None => json,
        };
        folders.insert(folder, json);
    }
    let files = folders.into_iter().map(|(folder, json)| {
        let path = match folder {
            "" => DATA_FILE.to_owned(),
            folder => format!("{folder}/{DATA_FILE}"),
        };
        (path, json.into_bytes())
    });
    Ok(files.collect())
}

/// A data path below `path` that no root covers.
pub(crate) fn outside_of(path: &str, value: &Value, roots: &[String]) -> Option<String> {
    if roots.iter().any(|root| lies_under(path, root)) {
        return None;
    }
    let is_above_a_root = path.is_empty() || roots.iter().any(|root| lies_under(root, path));
    match value {
        Value::Object(members) if is_above_a_root => members.iter().find_map(|(name, value)| {
            let name = name.as_str()?;
            let below = if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}/{name}")
            };
            outside_of(&below, value, roots)
        }),
        _ => Some(path.to_owned()),
    }
}

/// What data files say together, and which of them says what.
#[derive(Debug, Default)]
pub(crate) struct Document {
    files: Vec<String>,
    members: BTreeMap<Arc<str>, Part>,
}

/// What stands at a path.
#[derive(Debug)]
enum Part {
    /// From the file of this index.
    Value(Value, usize),
    /// From several, or from one below it.
    Members(BTreeMap<Arc<str>, Part>, usize),
}

impl Document {
    /// Adds what a file holds, at its folder.
    /// Errors: `NoObject`, `DataConflict`.
    pub(crate) fn add(&mut self, path: &str, value: &Value) -> Result<(), Error> {
        let file = self.files.len();
        self.files.push(path.to_owned());
        let mut names: Vec<&str> = folder_of(path).split('/').collect();
        names.retain(|name| !name.is_empty());
        let mut place = vec!["data".to_owned()];
        let added = if names.is_empty() {
            let Some(object) = value.as_object() else {
                return Err(Error::NoObject(path.to_owned()));
            };
            add_all(&mut self.members, object.iter(), file, &mut place)
        } else {
            let mounted = names.iter().rev().fold(value.clone(), |value, name| {
                Value::object(vec![(Value::from(*name), value)])
            });
            let members = mounted.as_object().map(|object| object.iter());
            add_all(
                &mut self.members,
                members.into_iter().flatten(),
                file,
                &mut place,
            )
        };
        added.map_err(|first| Error::DataConflict {
            place: place.join("."),
            first: self.files.get(first).cloned().unwrap_or_default(),
            second: path.to_owned(),
        })
    }

    /// All of it.
    pub(crate) fn value(self) -> Value {
        object_of(self.members)
    }
}

/// Errors: the file that says something else; `place` is then where.
fn add_all<'a>(
    members: &mut BTreeMap<Arc<str>, Part>,
    added: impl Iterator<Item = &'a (Value, Value)>,
    file: usize,
    place: &mut Vec<String>,
) -> Result<(), usize> {
    for (name, value) in added {
        let Value::String(name) = name else { continue };
        match members.get_mut(name) {
            None => {
                members.insert(Arc::clone(name), Part::Value(value.clone(), file));
            }
            Some(part) => {
                place.push(name.to_string());
                part.add(value, file, place)?;
                place.pop();
            }
        }
    }
    Ok(())
}

impl Part {
    fn add(&mut self, value: &Value, file: usize, place: &mut Vec<String>) -> Result<(), usize> {
        let (Self::Value(_, first) | Self::Members(_, first)) = *self;
        let Value::Object(added) = value else {
            return Err(first);
        };
        if let Self::Value(known, _) = self {
            let Value::Object(known) = known else {
                return Err(first);
            };
            let mut members = BTreeMap::new();
            add_all(&mut members, known.iter(), first, place)?;
            *self = Self::Members(members, first);
        }
        match self {
            Self::Members(members, _) => add_all(members, added.iter(), file, place),
            Self::Value(..) => Err(first),
        }
    }

    fn value(self) -> Value {
        match self {
            Self::Value(value, _) => value,
            Self::Members(members, _) => object_of(members),
        }
    }
}

fn object_of(members: BTreeMap<Arc<str>, Part>) -> Value {
    let members = members.into_iter();
    Value::object(
        members
            .map(|(name, part)| (Value::String(name), part.value()))
            .collect(),
    )
}

/// What a file's name ends with, behind its last dot. OPA takes it as it is written.
pub(crate) fn extension_of(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, extension)| extension)
}
