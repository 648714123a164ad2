//! Evaluates rules and functions.

use super::{Evaluation, Flow, Stop, built::Built, document::found};
use crate::{
    front::Place,
    plan::code::{Complete, Definition, Member, MemberBody, MemberValue, Rule, RuleId, RuleKind},
    value::Value,
};

/// 2: keys that a set is asked for before it is evaluated whole.
const LOOK_UPS: u32 = 2;

/// Where the arguments of a rule without parameters are: none is read.
const NO_ARGUMENTS: usize = 0;

impl<'a> Evaluation<'a> {
    /// The value of a rule, evaluated once as long as nothing is replaced.
    pub(super) fn rule(&mut self, id: RuleId) -> Result<Option<Value>, Stop> {
        self.pay(1)?;
        if let Some(known) = self.around.values.get(&id) {
            return Ok(known.clone());
        }
        let plan = self.plan();
        let Some(rule) = plan.rules.get(id) else {
            return Ok(None);
        };
        let value = self.deeper(|this| match &rule.kind {
            RuleKind::Complete(complete) => this.complete(complete, NO_ARGUMENTS),
            RuleKind::Partial(members) => this.partial(members),
            RuleKind::Function(_) => Ok(None),
        })?;
        self.around.values.insert(id, value.clone());
        Ok(value)
    }

    /// The value of a function. `first`: where its arguments are.
    pub(super) fn function(&mut self, id: RuleId, first: usize) -> Result<Option<Value>, Stop> {
        let plan = self.plan();
        match plan.rules.get(id).map(|rule| &rule.kind) {
            Some(RuleKind::Function(complete)) => self.complete(complete, first),
            _ => Ok(None),
        }
    }

    fn complete(&mut self, complete: &'a Complete, first: usize) -> Result<Option<Value>, Stop> {
        let module = self.module;
        let mut value = None;
        for definition in &complete.definitions {
            self.pay(1)?;
            self.definition(definition, first, complete.is_uniform, &mut value)?;
            if complete.is_uniform && value.is_some() {
                break;
            }
        }
        if value.is_none()
            && let Some(default) = &complete.default
        {
            self.definition(default, first, true, &mut value)?;
        }
        self.module = module;
        Ok(value)
    }

    fn definition(
        &mut self,
        definition: &'a Definition,
        first: usize,
        is_first_enough: bool,
        value: &mut Option<Value>,
    ) -> Result<(), Stop> {
        self.module = definition.module;
        self.framed(definition.slots, |this, base| {
            for (pattern, at) in definition.parameters.iter().zip(first..) {
                let argument = this.arguments.get(at).cloned().unwrap_or(Value::Null);
                if !this.matches(pattern, &argument, base)? {
                    return Ok(());
                }
            }
            for branch in &definition.branches {
                let mut holds = false;
                this.run(&branch.body, base, &mut |this| {
                    let Some(found) = this.value(&branch.value, base)? else {
                        return Ok(Flow::Next);
                    };
                    holds = true;
                    this.agree(definition.place, value, found)?;
                    // Another way to hold may be an error, unless no other value is possible.
                    Ok(if is_first_enough {
                        Flow::Enough
                    } else {
                        Flow::Next
                    })
                })?;
                if holds {
                    break;
                }
            }
            Ok(())
        })
    }

    fn agree(&self, place: Place, value: &mut Option<Value>, found: Value) -> Result<(), Stop> {
        match value {
            None => *value = Some(found),
            Some(value) if self.equals(value, &found)? => {}
            Some(_) => {
                let message = "complete rules must not produce multiple outputs";
                return Err(self.error("eval_conflict_error", place, message));
            }
        }
        Ok(())
    }

    fn partial(&mut self, members: &'a [Member]) -> Result<Option<Value>, Stop> {
        let mut built = None;
        for member in members {
            self.pay(1)?;
            if let Some(empty) = &member.empty {
                self.add_empty(&mut built, empty)?;
            }
            self.member(member, &member.all, None, &mut built)?;
        }
        match built {
            Some(built) => self.built(built),
            None if members.iter().any(Member::is_of_set) => self.made(Value::set(Vec::new())),
            None => self.made(Value::empty_object()),
        }
    }

    /// What a partial rule has at one key.
    pub(super) fn look_up(&mut self, id: RuleId, key: &Value) -> Result<Option<Value>, Stop> {
        self.pay(1)?;
        self.budget().pay_value(key)?;
        let plan = self.plan();
        let Some(Rule {
            kind: RuleKind::Partial(members),
            ..
        }) = plan.rules.get(id)
        else {
            return Ok(None);
        };
        self.pay_each(members.len())?;
        let is_set = members.iter().any(Member::is_of_set);
        if !self.around.values.contains_key(&id) && is_set {
            let asked = self.around.asked.entry(id).or_default();
            *asked = asked.saturating_add(1);
            if *asked > LOOK_UPS {
                self.rule(id)?;
            }
        }
        if let Some(known) = self.around.values.get(&id) {
            return Ok(known.as_ref().and_then(|value| found(value, key)));
        }
        if let Some(known) = self.around.keys.get(&(id, key.clone())) {
            return Ok(known.clone());
        }
        let value = self.deeper(|this| this.one(members, key))?;
        self.around.keys.insert((id, key.clone()), value.clone());
        Ok(value)
    }

    fn one(&mut self, members: &'a [Member], key: &Value) -> Result<Option<Value>, Stop> {
        let mut built = None;
        for member in members {
            self.pay(1)?;
            if let Some(empty) = &member.empty
                && empty.path.first() == Some(key)
            {
                self.add_empty(&mut built, empty)?;
            }
            let body = member.one.as_ref().unwrap_or(&member.all);
            self.member(member, body, Some(key), &mut built)?;
        }
        match built {
            Some(built) => Ok(self.built(built)?.and_then(|value| found(&value, key))),
            None => Ok(None),
        }
    }

    /// Adds what one definition finds; only what stands at `key`, if one is asked for.
    fn member(
        &mut self,
        member: &'a Member,
        body: &'a MemberBody,
        key: Option<&Value>,
        built: &mut Option<Built>,
    ) -> Result<(), Stop> {
        let module = std::mem::replace(&mut self.module, member.module);
        self.framed(member.slots, |this, base| {
            if let Some(key) = key {
                this.set(base, 0, key.clone());
            }
            this.run(&body.body, base, &mut |this| {
                let mut path = Vec::with_capacity(body.path.len());
                for step in &body.path {
                    match this.value(step, base)? {
                        Some(step) => path.push(step),
                        None => return Ok(Flow::Next),
                    }
                }
                let (value, is_set) = match &body.value {
                    MemberValue::Contains(value) => (value, true),
                    MemberValue::Is(value) => (value, false),
                };
                let Some(value) = this.value(value, base)? else {
                    return Ok(Flow::Next);
                };
                let first = path.first().unwrap_or(&value);
                if let Some(key) = key
                    && !this.equals(first, key)?
                {
                    return Ok(Flow::Next);
                }
                this.add(member.place, built, path, value, is_set)?;
                Ok(Flow::Next)
            })
        })?;
        self.module = module;
        Ok(())
    }
}

impl Member {
    /// Whether it adds to a set at the rule's own path.
    fn is_of_set(&self) -> bool {
        self.all.path.is_empty() && matches!(self.all.value, MemberValue::Contains(_))
    }
}
