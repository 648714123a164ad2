//! What `$ref` can name: the parts of a schema's document, by pointer or by `$id`.
//! Source: RFC 6901; `github.com/xeipuuv/gojsonschema`, `schemaPool.go`.

use std::collections::BTreeMap;

use crate::{
    builtins::{CallError, Context},
    value::Value,
};

/// Documents by their address; the whole has an empty one.
pub(super) struct Documents {
    by_address: BTreeMap<String, Value>,
}

impl Documents {
    /// Finds what has an address of its own, and makes references absolute.
    pub(super) fn new(context: &Context<'_>, root: &Value) -> Result<Self, CallError> {
        context.budget.pay_value(root)?;
        let mut documents = Self {
            by_address: BTreeMap::new(),
        };
        let root = documents.located(context, root, "")?;
        documents.by_address.insert(String::new(), root);
        Ok(documents)
    }

    pub(super) fn root(&self) -> Value {
        self.by_address.get("").cloned().unwrap_or(Value::Null)
    }

    /// Recursion is as deep as the value, which is bounded.
    fn located(
        &mut self,
        context: &Context<'_>,
        value: &Value,
        base: &str,
    ) -> Result<Value, CallError> {
        context.budget.pay(1)?;
        match value {
            Value::Array(items) => {
                let items = items.iter().map(|item| self.located(context, item, base));
                Ok(Value::array(items.collect::<Result<_, _>>()?))
            }
            Value::Object(entries) => self.located_object(context, entries, base),
            other => Ok(other.clone()),
        }
    }

    fn located_object(
        &mut self,
        context: &Context<'_>,
        object: &crate::value::Object,
        base: &str,
    ) -> Result<Value, CallError> {
        let id = object.get_str("id").or_else(|| object.get_str("$id"));
        let id = id.and_then(Value::as_str);
        let address = id.map(|id| absolute(base, id));
        context.budget.pay_bytes(base.len().saturating_add(64))?;
        let base = address.as_deref().unwrap_or(base);
        let mut entries = Vec::with_capacity(object.len());
        for (key, value) in object.iter() {
            let located = match (key.as_str().unwrap_or_default(), value) {
                ("const" | "enum", _) => value.clone(),
                ("$ref", Value::String(reference)) => Value::from(absolute(base, reference)),
                ("properties" | "dependencies" | "patternProperties", Value::Object(children)) => {
                    let children = children
                        .iter()
                        .map(|(key, value)| Ok((key.clone(), self.located(context, value, base)?)));
                    Value::object(children.collect::<Result<_, CallError>>()?)
                }
                _ => self.located(context, value, base)?,
            };
            entries.push((key.clone(), located));
        }
        let located = Value::object(entries);
        if let Some(address) = address {
            if self.by_address.contains_key(&address) {
                return Err(CallError::Builtin(format!(
                    "Reference already exists: \"{address}\""
                )));
            }
            self.by_address.insert(address, located.clone());
        }
        Ok(located)
    }

    /// What a reference names.
    pub(super) fn find(&self, context: &Context<'_>, reference: &str) -> Result<Value, CallError> {
        context
            .budget
            .pay_bytes(reference.len().saturating_mul(4).saturating_add(64))?;
        if let Some(found) = self.by_address.get(reference) {
            return Ok(found.clone());
        }
        let (address, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let Some(document) = self.by_address.get(address) else {
            return Err(CallError::Builtin(if address.contains("://") {
                format!("remote reference loading disabled: {reference}")
            } else {
                format!("Reference {reference} must be canonical")
            }));
        };
        at(document, &decoded(pointer)).cloned()
    }
}

/// A reference, seen from the document that it stands in.
fn absolute(base: &str, reference: &str) -> String {
    let is_absolute = reference.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    });
    let reference = reference.strip_suffix('#').unwrap_or(reference);
    let document = base.split('#').next().unwrap_or_default();
    if is_absolute {
        return reference.to_owned();
    }
    if reference.is_empty() || reference.starts_with('#') {
        return format!("{document}{reference}");
    }
    let path = document
        .find("://")
        .map_or(0, |place| place.saturating_add(3));
    let (scheme, rest) = document.split_at_checked(path).unwrap_or_default();
    let host = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(host).unwrap_or_default();
    if reference.starts_with('/') {
        return format!("{scheme}{host}{reference}");
    }
    let folder = path.rfind('/').map_or(0, |place| place.saturating_add(1));
    let folder = path.get(..folder).filter(|folder| !folder.is_empty());
    match folder {
        Some(folder) => format!("{scheme}{host}{folder}{reference}"),
        None => format!("{scheme}{host}/{reference}"),
    }
}

/// Without percent signs.
fn decoded(pointer: &str) -> String {
    let mut bytes = Vec::with_capacity(pointer.len());
    let mut rest = pointer.as_bytes();
    while let [byte, after @ ..] = rest {
        let code = after
            .get(..2)
            .and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        if let Some(code) = code.filter(|_| *byte == b'%') {
            bytes.push(code);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*byte);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn at<'v>(document: &'v Value, pointer: &str) -> Result<&'v Value, CallError> {
    if pointer.is_empty() {
        return Ok(document);
    }
    // What is no pointer and no document's name is the whole to the reference.
    let Some(steps) = pointer.strip_prefix('/') else {
        return Ok(document);
    };
    let mut current = document;
    for step in steps.split('/') {
        let step = step.replace("~1", "/").replace("~0", "~");
        let found = match current {
            Value::Object(object) => object
                .get_str(&step)
                .ok_or_else(|| format!("Object has no key '{step}'")),
            Value::Array(items) => match step.parse::<usize>() {
                Err(_) => Err(format!("Invalid array index '{step}'")),
                Ok(index) => items.get(index).ok_or_else(|| {
                    let length = items.len();
                    format!("Out of bound array[0,{length}] index '{index}'")
                }),
            },
            _ => Err(format!("Invalid token reference '{step}'")),
        };
        current = found.map_err(CallError::Builtin)?;
    }
    Ok(current)
}
