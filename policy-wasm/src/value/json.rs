//! Values from and to JSON, and as Rego writes them.

use std::fmt;

use serde_json::{Map, Value as Json};

use super::{Number, Value};

/// Why a text is not JSON that can be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct JsonError(#[from] serde_json::Error);

impl Value {
    /// Reads JSON; a number keeps its digits.
    /// Errors: it is not JSON, or nests deeper than 128.
    pub fn from_json_text(text: &str) -> Result<Self, JsonError> {
        Ok(serde_json::from_str(text)?)
    }

    /// The recursion is as deep as the value, which `serde_json` bounds at 128.
    pub fn from_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(flag) => Self::Bool(*flag),
            Json::Number(number) => number_of(number),
            Json::String(text) => Self::from(text.as_str()),
            Json::Array(items) => Self::array(items.iter().map(Self::from_json).collect()),
            Json::Object(map) => Self::from_map(map),
        }
    }

    /// An object of JSON.
    pub fn from_map(map: &Map<String, Json>) -> Self {
        let entry =
            |(name, value): (&String, &Json)| (Self::from(name.as_str()), Self::from_json(value));
        Self::object(map.iter().map(entry).collect())
    }

    /// As JSON; sets become arrays. `None`: a key is not a text, or a number is beyond JSON's.
    pub fn to_json(&self) -> Option<Json> {
        let list = |items: &[Self]| items.iter().map(Self::to_json).collect::<Option<_>>();
        Some(match self {
            Self::Null => Json::Null,
            Self::Bool(flag) => Json::Bool(*flag),
            Self::Number(number) => Json::Number(serde_json::from_str(&number.to_string()).ok()?),
            Self::String(text) => Json::String(text.to_string()),
            Self::Array(array) => Json::Array(list(array)?),
            Self::Set(set) => Json::Array(list(set)?),
            Self::Object(object) => {
                let entry = |(key, value): &(Self, Self)| {
                    Some((key.as_str()?.to_owned(), value.to_json()?))
                };
                Json::Object(object.iter().map(entry).collect::<Option<_>>()?)
            }
        })
    }

    /// As JSON text; a key that is no text is written as one, sets as arrays. Source: OPA,
    /// `json.marshal`.
    pub fn to_json_text(&self) -> String {
        let mut text = String::new();
        self.write_json(&mut text);
        text
    }

    fn write_json(&self, text: &mut String) {
        match self {
            Self::Array(array) => write_list(text, "[", array, "]", Self::write_json),
            Self::Set(set) => write_list(text, "[", set, "]", Self::write_json),
            Self::Object(object) => {
                write_list(text, "{", object, "}", |(key, value), text| {
                    match key {
                        Self::String(_) => key.write_json(text),
                        other => push_quoted(text, &other.to_json_text()),
                    }
                    text.push(':');
                    value.write_json(text);
                });
            }
            Self::String(content) => push_quoted(text, content),
            scalar => text.push_str(&scalar.to_string()),
        }
    }
}

fn write_list<T>(
    text: &mut String,
    open: &str,
    items: &[T],
    close: &str,
    write: impl Fn(&T, &mut String),
) {
    text.push_str(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write(item, text);
    }
    text.push_str(close);
}

fn push_quoted(text: &mut String, content: &str) {
    text.push_str(&Json::from(content).to_string());
}

fn number_of(number: &serde_json::Number) -> Value {
    if let Some(whole) = number.as_i64() {
        return Value::from(whole);
    }
    let text = number.to_string();
    Number::parse(&text).map_or(Value::Null, Value::Number)
}

/// As Rego writes it.
impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |formatter: &mut fmt::Formatter<'_>, open: &str, items: &[Self], close| {
            formatter.write_str(open)?;
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    formatter.write_str(", ")?;
                }
                item.fmt(formatter)?;
            }
            formatter.write_str(close)
        };
        match self {
            Self::Null => formatter.write_str("null"),
            Self::Bool(flag) => flag.fmt(formatter),
            Self::Number(number) => number.fmt(formatter),
            Self::String(text) => formatter.write_str(&Json::from(text.as_ref()).to_string()),
            Self::Array(array) => list(formatter, "[", array, "]"),
            Self::Set(set) if set.is_empty() => formatter.write_str("set()"),
            Self::Set(set) => list(formatter, "{", set, "}"),
            Self::Object(object) => {
                formatter.write_str("{")?;
                for (index, (key, value)) in object.iter().enumerate() {
                    if index > 0 {
                        formatter.write_str(", ")?;
                    }
                    write!(formatter, "{key}: {value}")?;
                }
                formatter.write_str("}")
            }
        }
    }
}

impl<'de> serde::Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_json(&Json::deserialize(deserializer)?))
    }
}
