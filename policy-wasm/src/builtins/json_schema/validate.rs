//! Holds a document against a schema. What is wrong is said as the reference says it.

use super::{
    decimal::{Decimal, plain_json},
    formats,
    schema::{Dependency, Id, Others, Schema, Schemas},
};
use crate::{
    budget::Exhausted,
    builtins::{CallError, Context},
    value::{Array, Number, Object, Value},
};

/// 400: schemas that are looked at one in the other.
const DEPTH: u32 = 400;

/// Something that is wrong.
struct Problem {
    kind: &'static str,
    field: String,
    description: String,
}

/// What is wrong, and how much is right: the closest of several schemas is the one to complain of.
#[derive(Default)]
struct Outcome {
    problems: Vec<Problem>,
    score: i64,
}

impl Outcome {
    const fn is_valid(&self) -> bool {
        self.problems.is_empty()
    }

    const fn count(&mut self) {
        self.score = self.score.saturating_add(1);
    }

    fn merge(&mut self, other: Self) {
        self.problems.extend(other.problems);
        self.score = self.score.saturating_add(other.score);
    }
}

/// Where a value stands in the document.
#[derive(Clone, Copy)]
struct Path<'p> {
    above: Option<&'p Self>,
    name: &'p str,
}

impl<'p> Path<'p> {
    const fn below(&'p self, name: &'p str) -> Self {
        Self {
            above: Some(self),
            name,
        }
    }

    /// `a.b.0`; the whole is `(Root)`.
    fn field(&self) -> String {
        let mut names = Vec::new();
        let mut current = Some(self);
        while let Some(path) = current {
            if path.above.is_some() || names.is_empty() {
                names.push(path.name);
            }
            current = path.above;
        }
        names.reverse();
        names.join(".")
    }
}

struct Validator<'a> {
    context: &'a Context<'a>,
    schemas: &'a Schemas,
    depth: u32,
}

/// The problems of a document, each as OPA shows it.
pub(super) fn validate(
    context: &Context<'_>,
    schemas: &Schemas,
    document: &Value,
) -> Result<Vec<Value>, CallError> {
    let mut validator = Validator {
        context,
        schemas,
        depth: 0,
    };
    let root = Path {
        above: None,
        name: "(Root)",
    };
    let outcome = validator.apart(0, document, root)?;
    let mut errors = Vec::with_capacity(outcome.problems.len());
    for problem in outcome.problems {
        let error = format!("{}: {}", problem.field, problem.description);
        context.budget.pay_bytes(error.len().saturating_mul(2))?;
        let entries = [
            ("desc", problem.description),
            ("error", error),
            ("field", problem.field),
            ("type", problem.kind.to_owned()),
        ];
        let entries = entries.map(|(name, text)| (Value::from(name), Value::from(text)));
        errors.push(Value::object(entries.to_vec()));
    }
    Ok(errors)
}

type Checked = Result<(), CallError>;

impl<'a> Validator<'a> {
    fn report(
        &self,
        outcome: &mut Outcome,
        path: Path<'_>,
        kind: &'static str,
        description: impl Into<String>,
    ) -> Checked {
        let description = description.into();
        let field = path.field();
        self.context.budget.pay_bytes(
            field
                .len()
                .saturating_add(description.len())
                .saturating_add(128),
        )?;
        outcome.problems.push(Problem {
            kind,
            field,
            description,
        });
        outcome.score = outcome.score.saturating_sub(2);
        Ok(())
    }

    /// What a schema says by itself.
    fn apart(&mut self, id: Id, value: &Value, path: Path<'_>) -> Result<Outcome, CallError> {
        let mut outcome = Outcome::default();
        self.check(id, value, path, &mut outcome)?;
        Ok(outcome)
    }

    fn check(&mut self, id: Id, value: &Value, path: Path<'_>, outcome: &mut Outcome) -> Checked {
        self.context.budget.pay(2)?;
        if self.depth >= DEPTH {
            return Err(Exhausted::Depth.into());
        }
        let schemas: &'a Schemas = self.schemas;
        let Some(schema) = schemas.all.get(id) else {
            return Ok(());
        };
        self.depth = self.depth.saturating_add(1);
        self.schema(schema, value, path, outcome)?;
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }

    fn schema(
        &mut self,
        schema: &'a Schema,
        value: &Value,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) -> Checked {
        if let Some(pass) = schema.pass {
            if !pass {
                self.report(outcome, path, "false", "False always fails validation")?;
            }
            return Ok(());
        }
        if let Some(reference) = schema.reference {
            return self.check(reference, value, path, outcome);
        }
        if let Err(given) = type_of(schema, value) {
            let expected = match schema.types.as_slice() {
                [expected] => (*expected).to_owned(),
                several => format!("[{}]", several.join(",")),
            };
            let message = format!("Invalid type. Expected: {expected}, given: {given}");
            return self.report(outcome, path, "invalid_type", message);
        }
        self.combinations(schema, value, path, outcome)?;
        match value {
            Value::Array(items) => {
                self.array(schema, items, path, outcome)?;
                self.common(schema, value, path, outcome)?;
            }
            Value::Object(object) => {
                self.object(schema, object, path, outcome)?;
                self.common(schema, value, path, outcome)?;
                for (name, id) in &schema.object.properties {
                    self.context.budget.pay(1)?;
                    if let Some(value) = object.get(name) {
                        let name = name.as_str().unwrap_or_default();
                        self.check(*id, value, path.below(name), outcome)?;
                    }
                }
            }
            Value::Number(number) => {
                self.number(schema, number, path, outcome)?;
                self.common(schema, value, path, outcome)?;
            }
            _ => {
                self.common(schema, value, path, outcome)?;
                if let Value::String(text) = value {
                    self.text(schema, text, path, outcome)?;
                }
            }
        }
        outcome.count();
        Ok(())
    }

    fn closest(
        &mut self,
        ids: &[Id],
        value: &Value,
        path: Path<'_>,
        stops: bool,
    ) -> Result<(usize, Option<Outcome>), CallError> {
        let mut valid = 0_usize;
        let mut best: Option<Outcome> = None;
        for id in ids {
            let found = self.apart(*id, value, path)?;
            if found.is_valid() {
                valid = valid.saturating_add(1);
                if stops {
                    break;
                }
            } else if valid == 0 && best.as_ref().is_none_or(|best| found.score > best.score) {
                best = Some(found);
            }
        }
        Ok((valid, best))
    }

    fn combinations(
        &mut self,
        schema: &'a Schema,
        value: &Value,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) -> Checked {
        if !schema.any_of.is_empty() {
            let (valid, best) = self.closest(&schema.any_of, value, path, true)?;
            if valid == 0 {
                let message = "Must validate at least one schema (anyOf)";
                self.report(outcome, path, "number_any_of", message)?;
                best.into_iter().for_each(|best| outcome.merge(best));
            }
        }
        if !schema.one_of.is_empty() {
            let (valid, best) = self.closest(&schema.one_of, value, path, false)?;
            if valid != 1 {
                let message = "Must validate one and only one schema (oneOf)";
                self.report(outcome, path, "number_one_of", message)?;
                if valid == 0 {
                    best.into_iter().for_each(|best| outcome.merge(best));
                }
            }
        }
        self.all_of(schema, value, path, outcome)?;
        if let Some(id) = schema.not
            && self.apart(id, value, path)?.is_valid()
        {
            self.report(
                outcome,
                path,
                "number_not",
                "Must not validate the schema (not)",
            )?;
        }
        if let Value::Object(object) = value {
            self.dependencies(schema, object, value, path, outcome)?;
        }
        self.condition(schema, value, path, outcome)?;
        outcome.count();
        Ok(())
    }

    fn all_of(
        &mut self,
        schema: &'a Schema,
        value: &Value,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) -> Checked {
        let mut are_valid = true;
        for id in &schema.all_of {
            let found = self.apart(*id, value, path)?;
            are_valid &= found.is_valid();
            outcome.merge(found);
        }
        if are_valid {
            return Ok(());
        }
        self.report(
            outcome,
            path,
            "number_all_of",
            "Must validate all the schemas (allOf)",
        )
    }

    fn dependencies(
        &mut self,
        schema: &'a Schema,
        object: &Object,
        value: &Value,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) -> Checked {
        for (name, dependency) in &schema.object.dependencies {
            self.context.budget.pay(1)?;
            if object.get(name).is_none() {
                continue;
            }
            match dependency {
                Dependency::Schema(id) => self.check(*id, value, path, outcome)?,
                Dependency::Names(names) => {
                    for name in names {
                        self.context.budget.pay(1)?;
                        if object.get_str(name).is_none() {
                            let message = format!("Has a dependency on {name}");
                            self.report(outcome, path, "missing_dependency", message)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn condition(
        &mut self,
        schema: &'a Schema,
        value: &Value,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) -> Checked {
        let Some(condition) = schema.condition else {
            return Ok(());
        };
        let holds = self.apart(condition, value, path)?.is_valid();
        let (branch, kind, message) = if holds {
            let message = "Must validate \"then\" as \"if\" was valid";
            (schema.then, "condition_then", message)
        } else {
            let message = "Must validate \"else\" as \"if\" was not valid";
            (schema.otherwise, "condition_else", message)
        };
        let Some(branch) = branch else {
            return Ok(());
        };
        let found = self.apart(branch, value, path)?;
        if !found.is_valid() {
            self.report(outcome, path, kind, message)?;
            outcome.merge(found);
        }
        Ok(())
    }

    fn common(
        &mut self,
        schema: &Schema,
        value: &Value,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) -> Checked {
        if schema.constant.is_some() || schema.choices.is_some() {
            self.context.budget.pay_value(value)?;
            let text = plain_json(value);
            if let Some(constant) = schema
                .constant
                .as_ref()
                .filter(|constant| **constant != text)
            {
                let message = format!("{} does not match: {constant}", path.field());
                self.report(outcome, path, "const", message)?;
            }
            if let Some(choices) = &schema.choices {
                self.context
                    .budget
                    .pay_bytes(choices.len().saturating_mul(4))?;
                if !choices.contains(&text) {
                    let bytes = choices
                        .iter()
                        .map(String::len)
                        .fold(0, usize::saturating_add);
                    self.context.budget.pay_bytes(bytes)?;
                    let choices = choices.join(", ");
                    let field = path.field();
                    let message = format!("{field} must be one of the following: {choices}");
                    self.report(outcome, path, "enum", message)?;
                }
            }
        }
        if let (Some(format), Value::String(text)) = (&schema.format, value)
            && !formats::holds(self.context, format, text)?
        {
            let message = format!("Does not match format '{format}'");
            self.report(outcome, path, "format", message)?;
        }
        outcome.count();
        Ok(())
    }

    fn number(
        &mut self,
        schema: &Schema,
        number: &Number,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) -> Checked {
        let limits = &schema.number;
        self.context.budget.pay_bytes(
            usize::try_from(number.extra_bytes())
                .unwrap_or(usize::MAX)
                .saturating_mul(8),
        )?;
        let number = Decimal::new(number);
        if let Some(by) = &limits.multiple_of
            && !number.is_multiple_of(by)
        {
            let message = format!("Must be a multiple of {}", by.text());
            self.report(outcome, path, "multiple_of", message)?;
        }
        if let Some(most) = &limits.most
            && number.compare(most).is_gt()
        {
            let message = format!("Must be less than or equal to {}", most.text());
            self.report(outcome, path, "number_lte", message)?;
        }
        if let Some(below) = &limits.below
            && number.compare(below).is_ge()
        {
            let message = format!("Must be less than {}", below.text());
            self.report(outcome, path, "number_lt", message)?;
        }
        if let Some(least) = &limits.least
            && number.compare(least).is_lt()
        {
            let message = format!("Must be greater than or equal to {}", least.text());
            self.report(outcome, path, "number_gte", message)?;
        }
        if let Some(above) = &limits.above
            && number.compare(above).is_le()
        {
            let message = format!("Must be greater than {}", above.text());
            self.report(outcome, path, "number_gt", message)?;
        }
        outcome.count();
        Ok(())
    }

    fn text(
        &mut self,
        schema: &Schema,
        text: &str,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) -> Checked {
        self.context.budget.pay_bytes(text.len())?;
        let length = text.chars().count();
        if let Some(least) = schema.text.least.filter(|least| length < *least) {
            let message = format!("String length must be greater than or equal to {least}");
            self.report(outcome, path, "string_gte", message)?;
        }
        if let Some(most) = schema.text.most.filter(|most| length > *most) {
            let message = format!("String length must be less than or equal to {most}");
            self.report(outcome, path, "string_lte", message)?;
        }
        if let Some((pattern, program)) = &schema.text.pattern
            && !program.matches(self.context, text)?
        {
            let message = format!("Does not match pattern '{pattern}'");
            self.report(outcome, path, "pattern", message)?;
        }
        outcome.count();
        Ok(())
    }

    fn array(
        &mut self,
        schema: &'a Schema,
        items: &Array,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) -> Checked {
        let limits = &schema.array;
        for (index, item) in items.iter().enumerate() {
            let id = match (limits.every, limits.items.get(index), &limits.others) {
                (Some(id), _, _) => id,
                (None, Some(id), _) => *id,
                (None, None, Some(Others::Like(id))) if !limits.items.is_empty() => *id,
                _ => break,
            };
            let name = index.to_string();
            let found = self.apart(id, item, path.below(&name))?;
            outcome.merge(found);
        }
        let has_more = limits.every.is_none() && (1..items.len()).contains(&limits.items.len());
        if let Some(Others::Allowed(false)) = limits.others
            && has_more
        {
            let message = "No additional items allowed on array";
            self.report(outcome, path, "array_no_additional_items", message)?;
        }
        if let Some(least) = limits.least.filter(|least| items.len() < *least) {
            let message = format!("Array must have at least {least} items");
            self.report(outcome, path, "array_min_items", message)?;
        }
        if let Some(most) = limits.most.filter(|most| items.len() > *most) {
            let message = format!("Array must have at most {most} items");
            self.report(outcome, path, "array_max_items", message)?;
        }
        if limits.are_unique {
            self.unique(items, path, outcome)?;
        }
        if let Some(contains) = limits.contains {
            self.contains(contains, items, path, outcome)?;
        }
        outcome.count();
        Ok(())
    }

    fn unique(&mut self, items: &Array, path: Path<'_>, outcome: &mut Outcome) -> Checked {
        let mut known = std::collections::BTreeMap::new();
        for (index, item) in items.iter().enumerate() {
            self.context.budget.pay_value(item)?;
            self.context.budget.pay(2)?;
            if let Some(before) = known.insert(plain_json(item), index) {
                let message = format!("array items[{before},{index}] must be unique");
                self.report(outcome, path, "unique", message)?;
            }
        }
        Ok(())
    }

    fn contains(
        &mut self,
        id: Id,
        items: &Array,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) -> Checked {
        let mut best: Option<Outcome> = None;
        for (index, item) in items.iter().enumerate() {
            let name = index.to_string();
            let found = self.apart(id, item, path.below(&name))?;
            if found.is_valid() {
                return Ok(());
            }
            if best.as_ref().is_none_or(|best| found.score > best.score) {
                best = Some(found);
            }
        }
        self.report(
            outcome,
            path,
            "contains",
            "At least one of the items must match",
        )?;
        best.into_iter().for_each(|best| outcome.merge(best));
        Ok(())
    }

    fn object(
        &mut self,
        schema: &'a Schema,
        object: &Object,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) -> Checked {
        let limits = &schema.object;
        if let Some(least) = limits.least.filter(|least| object.len() < *least) {
            let message = format!("Must have at least {least} properties");
            self.report(outcome, path, "array_min_properties", message)?;
        }
        if let Some(most) = limits.most.filter(|most| object.len() > *most) {
            let message = format!("Must have at most {most} properties");
            self.report(outcome, path, "array_max_properties", message)?;
        }
        for name in &limits.required {
            self.context.budget.pay(1)?;
            if object.get_str(name).is_some() {
                outcome.count();
            } else {
                self.report(outcome, path, "required", format!("{name} is required"))?;
            }
        }
        for (key, value) in object.iter() {
            self.property(schema, key, value, path, outcome)?;
        }
        if let Some(names) = limits.names {
            for (key, _) in object.iter() {
                let found = self.apart(names, key, path)?;
                if !found.is_valid() {
                    let name = key.as_str().unwrap_or_default();
                    let message = format!("Property name of \"{name}\" does not match");
                    self.report(outcome, path, "invalid_property_name", message)?;
                    outcome.merge(found);
                }
            }
        }
        outcome.count();
        Ok(())
    }

    /// A property's patterns, and what holds for those that are not described.
    fn property(
        &mut self,
        schema: &'a Schema,
        key: &Value,
        value: &Value,
        path: Path<'_>,
        outcome: &mut Outcome,
    ) -> Checked {
        let limits = &schema.object;
        let name = key.as_str().unwrap_or_default();
        self.context.budget.pay(1)?;
        let mut is_described = false;
        for (program, id) in &limits.patterns {
            if program.matches(self.context, name)? {
                is_described = true;
                let found = self.apart(*id, value, path.below(name))?;
                outcome.merge(found);
            }
        }
        if is_described {
            outcome.count();
        }
        let known = limits
            .properties
            .binary_search_by(|(known, _)| known.cmp(key));
        if is_described || known.is_ok() {
            return Ok(());
        }
        match limits.others {
            Some(Others::Allowed(false)) => {
                let message = format!("Additional property {name} is not allowed");
                self.report(outcome, path, "additional_property_not_allowed", message)
            }
            Some(Others::Like(id)) => {
                let found = self.apart(id, value, path.below(name))?;
                outcome.merge(found);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Errors: the type that the value has and may not have.
fn type_of(schema: &Schema, value: &Value) -> Result<(), &'static str> {
    if schema.types.is_empty() {
        return Ok(());
    }
    let name = match value {
        Value::Number(number) if Decimal::new(number).is_whole() => "integer",
        other => other.type_name(),
    };
    let is_wanted = |wanted: &str| schema.types.contains(&wanted);
    if is_wanted(name) || name == "integer" && is_wanted("number") {
        return Ok(());
    }
    Err(name)
}
