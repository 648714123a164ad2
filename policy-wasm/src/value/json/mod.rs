//! Values from and to JSON.

mod reader;
#[cfg(test)]
mod tests;
mod writer;

use serde::Deserialize;
use serde_json::{Map, Value as Json, value::RawValue};

use super::{Number, Value};
pub use reader::JsonError;
pub(crate) use reader::is_json;
pub(crate) use writer::{Indent, write_json};

impl Value {
    /// Reads JSON; a number keeps its text, and of a name that occurs twice the last value counts.
    /// Errors: it is not JSON, nests deeper than 128, or a number is beyond 10^30103.
    pub fn from_json_text(text: &str) -> Result<Self, JsonError> {
        reader::read(text)
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

    /// The same with line breaks, two spaces for each level; each line but the first begins with
    /// `prefix`.
    pub fn to_json_pretty(&self, prefix: &str) -> String {
        let mut free = |_| Ok::<(), std::convert::Infallible>(());
        let indent = Indent { prefix, step: "  " };
        match write_json(self, Some(indent), &mut free) {
            Ok(text) => text,
        }
    }

    /// As JSON text; a key that is no text is written as one, sets as arrays. Source: OPA,
    /// `json.marshal`.
    pub fn to_json_text(&self) -> String {
        let mut free = |_| Ok::<(), std::convert::Infallible>(());
        match write_json(self, None, &mut free) {
            Ok(text) => text,
        }
    }
}

fn number_of(number: &serde_json::Number) -> Value {
    if let Some(whole) = number.as_i64() {
        return Value::from(whole);
    }
    let text = number.to_string();
    Number::parse(&text).map_or(Value::Null, Value::Number)
}

/// From `serde_json`'s deserializers only.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_json_text(json.get()).map_err(serde::de::Error::custom)
    }
}
