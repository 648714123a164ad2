//! Makes a schema ready to be used. What the reference refuses is refused in the same words.

use std::collections::BTreeMap;

use super::{
    decimal::plain_json,
    documents::Documents,
    keywords::{count, error, invalid_type, list, number, text},
    schema::{Dependency, Id, Others, Schema, Schemas},
};
use crate::{
    budget::Exhausted,
    builtins::{CallError, Context},
    value::{Object, Value},
};

/// 300: schemas one in the other.
const DEPTH: u32 = 300;
const TYPES: &[&str] = &[
    "array", "boolean", "integer", "number", "null", "object", "string",
];

/// Which draft of JSON Schema a document follows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Draft {
    Four,
    Six,
    Seven,
    /// It doesn't say: what any of them has.
    Any,
}

struct Compiler<'a> {
    context: &'a Context<'a>,
    documents: Documents,
    schemas: Schemas,
    references: BTreeMap<String, Id>,
    draft: Draft,
    depth: u32,
}

pub(super) fn compile(context: &Context<'_>, root: &Value) -> Result<Schemas, CallError> {
    let draft = draft_of(root)?;
    let documents = Documents::new(context, root)?;
    let root = documents.root();
    let mut compiler = Compiler {
        context,
        documents,
        schemas: Schemas::default(),
        references: BTreeMap::new(),
        draft,
        depth: 0,
    };
    compiler.schema(&root)?;
    Ok(compiler.schemas)
}

fn draft_of(root: &Value) -> Result<Draft, CallError> {
    let object = match root {
        Value::Bool(_) => return Ok(Draft::Any),
        Value::Object(object) => object,
        _ => return Err(CallError::new("schema is invalid")),
    };
    let Some(address) = object.get_str("$schema") else {
        return Ok(Draft::Any);
    };
    let Value::String(address) = address else {
        return Err(CallError::new("$schema must be of type string"));
    };
    Ok(match address.strip_suffix('#').unwrap_or(address) {
        "http://json-schema.org/draft-04/schema" => Draft::Four,
        "http://json-schema.org/draft-06/schema" => Draft::Six,
        "http://json-schema.org/draft-07/schema" => Draft::Seven,
        _ => Draft::Any,
    })
}

impl Compiler<'_> {
    fn add(&mut self) -> Result<Id, CallError> {
        self.context.budget.pay(8)?;
        let id = self.schemas.all.len();
        self.schemas.all.push(Schema::default());
        Ok(id)
    }

    fn schema(&mut self, value: &Value) -> Result<Id, CallError> {
        let id = self.add()?;
        self.fill(id, value)?;
        Ok(id)
    }

    fn fill(&mut self, id: Id, value: &Value) -> Result<(), CallError> {
        if self.depth >= DEPTH {
            return Err(Exhausted::Depth.into());
        }
        self.depth = self.depth.saturating_add(1);
        let schema = self.read(value)?;
        self.depth = self.depth.saturating_sub(1);
        if let Some(slot) = self.schemas.all.get_mut(id) {
            *slot = schema;
        }
        Ok(())
    }

    fn read(&mut self, value: &Value) -> Result<Schema, CallError> {
        let mut schema = Schema::default();
        if let (Value::Bool(flag), true) = (value, self.draft >= Draft::Six) {
            schema.pass = Some(*flag);
            return Ok(schema);
        }
        let Value::Object(object) = value else {
            return Err(error(
                "Expected: Valid Schema, given: Invalid JSON".to_owned(),
            ));
        };
        self.general(object)?;
        if self.reference(&mut schema, object)? {
            return Ok(schema);
        }
        types(&mut schema, object)?;
        self.properties(&mut schema, object)?;
        self.items(&mut schema, object)?;
        self.numbers(&mut schema, object)?;
        self.texts(&mut schema, object)?;
        sizes(&mut schema, object)?;
        self.values(&mut schema, object)?;
        self.combinations(&mut schema, object)?;
        Ok(schema)
    }

    fn general(&mut self, object: &Object) -> Result<(), CallError> {
        let id = match self.draft {
            Draft::Four => "id",
            Draft::Any if object.get_str("id").is_some() => "id",
            _ => "$id",
        };
        text(object, id)?;
        let wrong = || invalid_type("Array Of Schemas", "definitions");
        match object.get_str("definitions") {
            None => {}
            Some(Value::Object(definitions)) => {
                for (_, definition) in definitions.iter() {
                    let (Value::Bool(_) | Value::Object(_)) = definition else {
                        return Err(wrong());
                    };
                    self.schema(definition)?;
                }
            }
            Some(_) => return Err(wrong()),
        }
        text(object, "title")?;
        text(object, "description")?;
        Ok(())
    }

    /// Whether the schema is nothing but a reference.
    fn reference(&mut self, schema: &mut Schema, object: &Object) -> Result<bool, CallError> {
        let Some(reference) = text(object, "$ref")? else {
            return Ok(false);
        };
        if let Some(id) = self.references.get(reference) {
            schema.reference = Some(*id);
            return Ok(false);
        }
        let id = self.add()?;
        self.references.insert(reference.to_owned(), id);
        let found = self.documents.find(self.context, reference)?;
        let (Value::Bool(_) | Value::Object(_)) = found else {
            return Err(error("Valid Schema must be of type object".to_owned()));
        };
        self.fill(id, &found)?;
        schema.reference = Some(id);
        Ok(true)
    }

    fn properties(&mut self, schema: &mut Schema, object: &Object) -> Result<(), CallError> {
        match object.get_str("properties") {
            None => {}
            Some(Value::Object(properties)) => {
                for (name, property) in properties.iter() {
                    let id = self.schema(property)?;
                    schema.object.properties.push((name.clone(), id));
                }
            }
            Some(_) => return Err(error("Properties must be of type object".to_owned())),
        }
        schema.object.others = self.others(object, "additionalProperties")?;
        match object.get_str("patternProperties") {
            None => {}
            Some(Value::Object(patterns)) => {
                for (pattern, property) in patterns.iter() {
                    let pattern = pattern.as_str().unwrap_or_default();
                    let program =
                        self.pattern(pattern, || format!("Invalid regex pattern '{pattern}'"))?;
                    let id = self.schema(property)?;
                    schema.object.patterns.push((program, id));
                }
            }
            Some(_) => return Err(invalid_type("Valid Schema", "patternProperties")),
        }
        if let Some(names) = object
            .get_str("propertyNames")
            .filter(|_| self.draft >= Draft::Six)
        {
            let (Value::Bool(_) | Value::Object(_)) = names else {
                return Err(invalid_type("Valid Schema", "patternProperties"));
            };
            schema.object.names = Some(self.schema(names)?);
        }
        self.dependencies(schema, object)
    }

    fn others(&mut self, object: &Object, key: &str) -> Result<Option<Others>, CallError> {
        Ok(match object.get_str(key) {
            None => None,
            Some(Value::Bool(flag)) => Some(Others::Allowed(*flag)),
            Some(value @ Value::Object(_)) => Some(Others::Like(self.schema(value)?)),
            Some(_) => return Err(invalid_type("boolean/Valid Schema", key)),
        })
    }

    fn dependencies(&mut self, schema: &mut Schema, object: &Object) -> Result<(), CallError> {
        let dependencies = match object.get_str("dependencies") {
            None => return Ok(()),
            Some(Value::Object(dependencies)) => dependencies,
            Some(_) => return Err(error("dependencies must be of type object".to_owned())),
        };
        let wrong = || error("Dependency must be of type Schema Or Array Of Strings".to_owned());
        for (name, dependency) in dependencies.iter() {
            let dependency = match dependency {
                Value::Array(names) => {
                    let names = names.iter().map(|name| name.as_str().map(str::to_owned));
                    Dependency::Names(names.collect::<Option<_>>().ok_or_else(wrong)?)
                }
                Value::Bool(_) | Value::Object(_) => Dependency::Schema(self.schema(dependency)?),
                _ => return Err(wrong()),
            };
            schema.object.dependencies.push((name.clone(), dependency));
        }
        Ok(())
    }

    fn items(&mut self, schema: &mut Schema, object: &Object) -> Result<(), CallError> {
        let wrong = || invalid_type("Valid Schema/Array Of Schemas", "items");
        match object.get_str("items") {
            None => {}
            Some(Value::Array(items)) => {
                for item in items.iter() {
                    let (Value::Bool(_) | Value::Object(_)) = item else {
                        return Err(wrong());
                    };
                    let id = self.schema(item)?;
                    schema.array.items.push(id);
                }
            }
            Some(item @ (Value::Bool(_) | Value::Object(_))) => {
                schema.array.every = Some(self.schema(item)?);
            }
            Some(_) => return Err(wrong()),
        }
        schema.array.others = self.others(object, "additionalItems")?;
        Ok(())
    }

    fn numbers(&mut self, schema: &mut Schema, object: &Object) -> Result<(), CallError> {
        if let Some(multiple) = object.get_str("multipleOf") {
            let Value::Number(_) = multiple else {
                return Err(invalid_type("Number", "multipleOf"));
            };
            let multiple = number(object, "multipleOf")?;
            if multiple
                .as_ref()
                .is_some_and(|multiple| !multiple.is_positive())
            {
                return Err(error(
                    "multipleOf must be strictly greater than 0".to_owned(),
                ));
            }
            schema.number.multiple_of = multiple;
        }
        schema.number.least = number(object, "minimum")?;
        if self.is_exclusive(object, "exclusiveMinimum", "minimum")? {
            schema.number.above = schema.number.least.take();
        } else if let Some(Value::Number(_)) = object.get_str("exclusiveMinimum") {
            schema.number.above = number(object, "exclusiveMinimum")?;
        }
        schema.number.most = number(object, "maximum")?;
        if self.is_exclusive(object, "exclusiveMaximum", "maximum")? {
            schema.number.below = schema.number.most.take();
        } else if let Some(Value::Number(_)) = object.get_str("exclusiveMaximum") {
            schema.number.below = number(object, "exclusiveMaximum")?;
        }
        Ok(())
    }

    /// Whether the limit itself is left out, as draft 4 says it.
    fn is_exclusive(&self, object: &Object, key: &str, limit: &str) -> Result<bool, CallError> {
        let takes_bool = matches!(self.draft, Draft::Four | Draft::Any);
        let takes_number = self.draft != Draft::Four;
        match object.get_str(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) if takes_bool => {
                if object.get_str(limit).is_none() {
                    return Err(error(format!("{key} cannot be used without {limit}")));
                }
                Ok(*flag)
            }
            Some(Value::Number(_)) if takes_number => Ok(false),
            Some(_) => Err(invalid_type(
                match self.draft {
                    Draft::Four => "boolean",
                    Draft::Any => "boolean/number",
                    Draft::Six | Draft::Seven => "number",
                },
                key,
            )),
        }
    }

    fn texts(&mut self, schema: &mut Schema, object: &Object) -> Result<(), CallError> {
        schema.text.least = count(object, "minLength")?;
        schema.text.most = count(object, "maxLength")?;
        if is_more(schema.text.least, schema.text.most) {
            return Err(error(
                "minLength cannot be greater than maxLength".to_owned(),
            ));
        }
        if let Some(pattern) = text(object, "pattern")? {
            let program = self.pattern(pattern, || "pattern must be a valid regex".to_owned())?;
            schema.text.pattern = Some((pattern.to_owned(), program));
        }
        schema.format = text(object, "format")?.map(str::to_owned);
        Ok(())
    }

    fn pattern(
        &self,
        pattern: &str,
        message: impl FnOnce() -> String,
    ) -> Result<std::sync::Arc<crate::builtins::regex::Program>, CallError> {
        match self.context.patterns.regex(pattern, self.context.budget) {
            Ok(program) => Ok(program),
            Err(why) => match CallError::from(why) {
                CallError::Exhausted(exhausted) => Err(exhausted.into()),
                _ => Err(error(message())),
            },
        }
    }

    fn values(&mut self, schema: &mut Schema, object: &Object) -> Result<(), CallError> {
        if let Some(contains) = object
            .get_str("contains")
            .filter(|_| self.draft >= Draft::Six)
        {
            schema.array.contains = Some(self.schema(contains)?);
        }
        if let Some(constant) = object.get_str("const").filter(|_| self.draft >= Draft::Six) {
            self.context.budget.pay_value(constant)?;
            schema.constant = Some(plain_json(constant));
        }
        let Some(choices) = list(object, "enum")? else {
            return Ok(());
        };
        let mut texts: Vec<String> = Vec::new();
        let mut known = std::collections::BTreeSet::new();
        for choice in choices {
            self.context.budget.pay_value(choice)?;
            self.context.budget.pay(2)?;
            let text = plain_json(choice);
            if !known.insert(text.clone()) {
                return Err(error("enum items must be unique".to_owned()));
            }
            texts.push(text);
        }
        schema.choices = Some(texts);
        Ok(())
    }

    fn several(&mut self, object: &Object, key: &str) -> Result<Vec<Id>, CallError> {
        let schemas = list(object, key)?.unwrap_or_default();
        schemas.iter().map(|schema| self.schema(schema)).collect()
    }

    fn single(&mut self, object: &Object, key: &str) -> Result<Option<Id>, CallError> {
        match object.get_str(key) {
            None => Ok(None),
            Some(schema @ (Value::Bool(_) | Value::Object(_))) => self.schema(schema).map(Some),
            Some(_) => Err(error(format!("{key} must be of an object"))),
        }
    }

    fn combinations(&mut self, schema: &mut Schema, object: &Object) -> Result<(), CallError> {
        schema.one_of = self.several(object, "oneOf")?;
        schema.any_of = self.several(object, "anyOf")?;
        schema.all_of = self.several(object, "allOf")?;
        schema.not = self.single(object, "not")?;
        if self.draft >= Draft::Seven {
            schema.condition = self.single(object, "if")?;
            schema.then = self.single(object, "then")?;
            schema.otherwise = self.single(object, "else")?;
        }
        Ok(())
    }
}

fn is_more(least: Option<usize>, most: Option<usize>) -> bool {
    least.zip(most).is_some_and(|(least, most)| least > most)
}

/// How large collections may be.
fn sizes(schema: &mut Schema, object: &Object) -> Result<(), CallError> {
    schema.object.least = count(object, "minProperties")?;
    schema.object.most = count(object, "maxProperties")?;
    if is_more(schema.object.least, schema.object.most) {
        return Err(error(
            "minProperties cannot be greater than maxProperties".to_owned(),
        ));
    }
    for name in list(object, "required")?.unwrap_or_default() {
        let name = name
            .as_str()
            .ok_or_else(|| invalid_type("string", "required"))?;
        schema.object.required.push(name.to_owned());
    }
    let mut names: Vec<&String> = schema.object.required.iter().collect();
    names.sort_unstable();
    if !names.is_sorted_by(|one, other| one < other) {
        return Err(error("required items must be unique".to_owned()));
    }
    schema.array.least = count(object, "minItems")?;
    schema.array.most = count(object, "maxItems")?;
    match object.get_str("uniqueItems") {
        None => {}
        Some(Value::Bool(flag)) => schema.array.are_unique = *flag,
        Some(_) => return Err(error("uniqueItems must be of a boolean".to_owned())),
    }
    Ok(())
}

fn types(schema: &mut Schema, object: &Object) -> Result<(), CallError> {
    let wrong = || invalid_type("type", "string/Array Of Strings");
    let names = match object.get_str("type") {
        None => return Ok(()),
        Some(Value::Array(names)) => names.to_vec(),
        Some(name @ Value::String(_)) => vec![name.clone()],
        Some(_) => return Err(wrong()),
    };
    for name in names {
        let name = name.as_str().ok_or_else(wrong)?;
        let Some(known) = TYPES.iter().find(|known| **known == name) else {
            return Err(error(format!(
                "has a primitive type that is NOT VALID -- given: /{name}/ Expected valid \
                 values are:[{}]",
                TYPES.join(" ")
            )));
        };
        if schema.types.contains(known) {
            return Err(error(format!("{name} type is duplicated")));
        }
        schema.types.push(known);
    }
    Ok(())
}
