//! What a block says, name by name.

use super::{Annotations, Scope, Wrong};
use crate::{
    front::{
        ast::{Place, Term, TermKind},
        constant, parse_term,
    },
    value::{Object, Value},
};

/// Reads the names of a block; those that say nothing to OPA are passed over.
pub(super) fn read(place: Place, given: &[(Value, Value)]) -> Result<Annotations, Wrong> {
    let mut annotations = Annotations {
        place,
        scope: None,
        is_entrypoint: false,
        members: Vec::new(),
    };
    for (name, value) in given {
        let Some(name) = name.as_str() else { continue };
        if *value != Value::Null {
            annotations
                .take(name, value)
                .map_err(|why| Wrong::new(place, format!("the annotation `{name}` {why}")))?;
        }
    }
    Ok(annotations)
}

type Read = Result<Value, String>;

impl Annotations {
    fn take(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let read = match name {
            "scope" => {
                let given = text(value)?;
                self.scope = Some(scope(&given)?);
                return Ok(());
            }
            "entrypoint" => {
                self.is_entrypoint = flag(value)?;
                Value::from(self.is_entrypoint)
            }
            "title" | "description" => Value::from(text(value)?.as_str()),
            "organizations" => each(value, |one| Ok(Value::from(text(one)?.as_str())))?,
            "related_resources" => each(value, resource)?,
            "authors" => each(value, author)?,
            "schemas" => each(value, schema)?,
            "custom" | "labels" => {
                value.as_object().ok_or("must be names with values")?;
                value.clone()
            }
            "compile" => {
                value.as_object().ok_or("must be names with values")?;
                return Ok(());
            }
            _ => return Ok(()),
        };
        if !is_empty(&read) {
            self.members.push((Value::from(name), read));
        }
        Ok(())
    }
}

/// What OPA doesn't show.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => !flag,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

fn scope(given: &str) -> Result<Scope, String> {
    let mut all = Scope::ALL.into_iter();
    all.find(|scope| scope.as_str() == given)
        .ok_or_else(|| format!("is `{given}`; use `rule`, `document`, `package` or `subpackages`"))
}

/// A text; numbers and booleans count as written.
fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.to_string()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        Value::Null => Ok(String::new()),
        _ => Err(format!("must be a text, not an {}", value.type_name())),
    }
}

/// A boolean, in the older words of YAML too.
fn flag(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::String(text)
            if matches!(
                &**text,
                "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON"
            ) =>
        {
            Ok(true)
        }
        Value::String(text)
            if matches!(
                &**text,
                "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF"
            ) =>
        {
            Ok(false)
        }
        _ => Err("must be `true` or `false`".to_owned()),
    }
}

fn each(value: &Value, read: impl Fn(&Value) -> Read) -> Read {
    let Value::Array(items) = value else {
        return Err("must be a list".to_owned());
    };
    let items = items.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Value::array(items))
}

/// A member's text without white space around it; empty if there is none.
fn member(object: &Object, name: &str) -> String {
    let text = object.get_str(name).and_then(Value::as_str);
    text.unwrap_or_default().trim().to_owned()
}

/// An object of those members that say something.
fn shown(members: [(&str, String); 2]) -> Value {
    let members = members.into_iter().filter(|(_, text)| !text.is_empty());
    let members = members.map(|(name, text)| (Value::from(name), Value::from(text.as_str())));
    Value::object(members.collect())
}

/// An address, or one with a description.
fn resource(value: &Value) -> Read {
    let (reference, description) = match value {
        Value::String(text) => (text.to_string(), String::new()),
        Value::Object(object) => (member(object, "ref"), member(object, "description")),
        _ => return Err("must hold addresses, or objects with `ref`".to_owned()),
    };
    if reference.is_empty() {
        return Err("has an entry without an address; give it a `ref`".to_owned());
    }
    Ok(shown([("ref", reference), ("description", description)]))
}

/// `A Name <mail@example.com>`, or an object with `name` and `email`.
fn author(value: &Value) -> Read {
    let (name, email) = match value {
        Value::String(text) => named(text),
        Value::Object(object) => (member(object, "name"), member(object, "email")),
        _ => return Err("must hold names, or objects with `name` and `email`".to_owned()),
    };
    if name.is_empty() && email.is_empty() {
        return Err("has an author without a name; give a `name` or an `email`".to_owned());
    }
    Ok(shown([("name", name), ("email", email)]))
}

fn named(text: &str) -> (String, String) {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let email = words
        .last()
        .and_then(|word| word.strip_prefix('<')?.strip_suffix('>'));
    let email = email.map(str::to_owned);
    if email.is_some() {
        words.pop();
    }
    (words.join(" "), email.unwrap_or_default())
}

/// `input.a: schema.b`, or a schema itself.
fn schema(value: &Value) -> Read {
    let wrong = || "must hold entries like `input: schema.name`".to_owned();
    let Some([(path, schema)]) = value.as_object().map(|object| &***object) else {
        return Err(wrong());
    };
    let path = path.as_str().and_then(path_of).ok_or_else(wrong)?;
    let (name, schema) = match schema {
        Value::String(text) => {
            let names = path_of(text).filter(|names| names.first() == Some(&Value::from("schema")));
            ("schema", Value::array(names.ok_or_else(wrong)?))
        }
        Value::Object(_) => ("definition", schema.clone()),
        _ => return Err(wrong()),
    };
    Ok(Value::object(vec![
        (Value::from("path"), Value::array(path)),
        (Value::from(name), schema),
    ]))
}

/// The names of a reference as it is written in Rego.
fn path_of(text: &str) -> Option<Vec<Value>> {
    let Term { kind, .. } = parse_term(text).ok()?;
    match kind {
        TermKind::Var(name) => Some(vec![Value::from(name.as_str())]),
        TermKind::Ref(head, steps) => {
            let head = Value::from(head.name()?);
            let steps = steps.iter().map(constant);
            [Some(head)].into_iter().chain(steps).collect()
        }
        _ => None,
    }
}
