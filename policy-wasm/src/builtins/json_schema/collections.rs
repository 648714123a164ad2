//! What schemas want of arrays and objects.

use std::collections::BTreeMap;

use super::{
    decimal::plain_json,
    outcome::{Outcome, Path},
    schema::{Id, Others, Schema},
    validate::{Checked, Validator},
};
use crate::value::{Array, Object, Value};

impl<'a> Validator<'a> {
    pub(super) fn array(
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
        let mut known = BTreeMap::new();
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
        outcome.merge(best.unwrap_or_default());
        Ok(())
    }

    pub(super) fn object(
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
