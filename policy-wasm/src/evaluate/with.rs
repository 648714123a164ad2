//! `with`: input, data and functions, replaced for a while.

use std::{collections::BTreeMap, sync::Arc};

use super::{Evaluation, Stop};
use crate::{
    plan::code::{Callee, Replacement, RuleId, Target, With},
    value::Value,
};

/// What rules are evaluated in, and what they were found to be there.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    pub(super) input: Option<Value>,
    pub(super) overlay: Option<Arc<Overlay>>,
    mocks: Vec<(Callee, Mock)>,
    /// Values of rules.
    pub(super) values: BTreeMap<RuleId, Option<Value>>,
    /// Values of partial rules at single keys.
    pub(super) keys: BTreeMap<(RuleId, Value), Option<Value>>,
    /// How often a set was asked for a key.
    pub(super) asked: BTreeMap<RuleId, u32>,
}

/// What is called in a function's place.
#[derive(Debug, Clone)]
pub(super) enum Mock {
    Value(Value),
    Target(Target),
    /// The document at a path.
    Rule(Arc<[Arc<str>]>),
}

/// Replaced parts of `data`: a value, or what is replaced below.
#[derive(Debug, Clone, Default)]
pub(super) struct Overlay {
    pub(super) value: Option<Value>,
    pub(super) children: BTreeMap<Arc<str>, Arc<Overlay>>,
}

impl Surroundings {
    pub(super) fn of(input: Option<Value>) -> Self {
        Self {
            input,
            ..Self::default()
        }
    }

    /// The same, with functions as they are.
    pub(super) fn without_mocks(&self) -> Self {
        Self {
            input: self.input.clone(),
            overlay: self.overlay.clone(),
            ..Self::default()
        }
    }
}

impl<'a> Evaluation<'a> {
    /// What holds inside of these modifiers; `None`: one of their values is undefined.
    pub(super) fn surroundings(
        &mut self,
        with: &'a [With],
        base: usize,
    ) -> Result<Option<Surroundings>, Stop> {
        let mut input = self.around.input.clone();
        let mut overlay = self.around.overlay.clone();
        let mut mocks = self.around.mocks.clone();
        for with in with {
            self.pay_each(mocks.len())?;
            match with {
                With::Input(path, value) => {
                    let Some(value) = self.value(value, base)? else {
                        return Ok(None);
                    };
                    input = Some(self.replaced(input.as_ref(), path, value)?);
                }
                With::Data(path, value) => {
                    let Some(value) = self.value(value, base)? else {
                        return Ok(None);
                    };
                    let mut next = overlay.as_deref().cloned().unwrap_or_default();
                    self.overlaid(&mut next, path, value)?;
                    overlay = Some(Arc::new(next));
                }
                With::Call(callee, replacement) => {
                    let mock = match replacement {
                        Replacement::Callee(target) => Mock::Target(*target),
                        Replacement::Rule(path) => Mock::Rule(path.clone().into()),
                        Replacement::Value(value) => match self.value(value, base)? {
                            Some(value) => Mock::Value(value),
                            None => return Ok(None),
                        },
                    };
                    mocks.retain(|(replaced, _)| replaced != callee);
                    mocks.push((*callee, mock));
                }
            }
        }
        Ok(Some(Surroundings {
            input,
            overlay,
            mocks,
            ..Surroundings::default()
        }))
    }

    pub(super) fn mock_of(&self, callee: Callee) -> Result<Option<Mock>, Stop> {
        self.pay_each(self.around.mocks.len())?;
        let mut mocks = self.around.mocks.iter();
        let mock = mocks.find(|(replaced, _)| *replaced == callee);
        Ok(mock.map(|(_, mock)| mock.clone()))
    }

    /// A value with another one at a path in it; what is no object on the way becomes one.
    pub(super) fn replaced(
        &self,
        whole: Option<&Value>,
        path: &[Arc<str>],
        value: Value,
    ) -> Result<Value, Stop> {
        let Some((name, rest)) = path.split_first() else {
            return Ok(value);
        };
        let object = whole.and_then(Value::as_object);
        self.pay_each(object.map_or(0, |object| object.len()))?;
        let below = object.and_then(|object| object.get_str(name));
        let value = self.replaced(below, rest, value)?;
        let whole = Value::with_member(object.map(AsRef::as_ref), name, value);
        Ok(self.budget().made(whole)?)
    }

    fn overlaid(&self, overlay: &mut Overlay, path: &[Arc<str>], value: Value) -> Result<(), Stop> {
        if let Some(whole) = &overlay.value {
            overlay.value = Some(self.replaced(Some(whole), path, value)?);
            return Ok(());
        }
        self.pay_each(overlay.children.len())?;
        match path.split_first() {
            None => {
                overlay.value = Some(value);
                overlay.children.clear();
            }
            Some((name, rest)) => {
                let below = overlay.children.get(name);
                let mut below = below.map(|below| (**below).clone()).unwrap_or_default();
                self.overlaid(&mut below, rest, value)?;
                overlay.children.insert(Arc::clone(name), Arc::new(below));
            }
        }
        Ok(())
    }
}
