//! Holds a document against a schema. What is wrong is said as the reference says it.

use super::{
    decimal::{Decimal, plain_json},
    formats,
    outcome::{Outcome, Path, Problem},
    schema::{Dependency, Id, Schema, Schemas},
};
use crate::{
    budget::Exhausted,
    builtins::{CallError, Context},
    value::{Number, Object, Value},
};

/// 400: schemas that are looked at one in the other.
const DEPTH: u32 = 400;

pub(super) struct Validator<'a> {
    pub(super) context: &'a Context<'a>,
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

pub(super) type Checked = Result<(), CallError>;

impl<'a> Validator<'a> {
    pub(super) fn report(
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
    pub(super) fn apart(
        &mut self,
        id: Id,
        value: &Value,
        path: Path<'_>,
    ) -> Result<Outcome, CallError> {
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
                outcome.merge(best.unwrap_or_default());
            }
        }
        if !schema.one_of.is_empty() {
            let (valid, best) = self.closest(&schema.one_of, value, path, false)?;
            if valid != 1 {
                let message = "Must validate one and only one schema (oneOf)";
                self.report(outcome, path, "number_one_of", message)?;
                if valid == 0 {
                    outcome.merge(best.unwrap_or_default());
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
