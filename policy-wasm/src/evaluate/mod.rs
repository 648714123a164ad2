//! Evaluates a plan for one request.
//!
//! [`body`] runs operations, [`terms`] gives expressions their values, [`rules`] evaluates rules and
//! functions, [`document`] goes through the tree of `data`, [`with`] replaces things for a while;
//! [`failed`] says which expression a rule failed at.

mod body;
mod built;
mod document;
mod failed;
mod rules;
mod terms;
#[cfg(test)]
mod tests;
mod walk;
mod with;

pub(crate) use failed::Failed;
use failed::Watch;
use with::Surroundings;

use crate::{
    budget::{Budget, Exhausted},
    front::Place,
    plan::{
        Plan,
        code::{RuleId, Slot},
    },
    value::Value,
};

/// 200: rules, bodies and iterations, one in the other. Each takes some hundred bytes of stack.
const LEVELS: u32 = 200;

/// 16: slots and arguments that there is room for from the beginning.
const SLOTS: usize = 16;

/// What an evaluation is asked with.
#[derive(Debug)]
pub(crate) struct Settings<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) budget: &'a Budget,
    pub(crate) input: Option<Value>,
    /// The moment of the request, in nanoseconds since 1970.
    pub(crate) now_ns: i64,
    /// Whether an error of a builtin ends the evaluation, instead of being undefined.
    pub(crate) is_strict: bool,
    /// Whether `print` is heard.
    pub(crate) hears_prints: bool,
}

/// Why an evaluation gave no value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stop {
    /// It cost more than it may.
    Exhausted(Exhausted),
    /// Something that OPA refuses, too.
    Error(Box<EvaluationError>),
}

/// An error at its place. Source: OPA, `topdown/errors.go`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EvaluationError {
    /// `eval_conflict_error`, `eval_type_error` or `eval_builtin_error`.
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Index of the module.
    pub(crate) module: usize,
    pub(crate) place: Place,
}

impl From<Exhausted> for Stop {
    fn from(exhausted: Exhausted) -> Self {
        Self::Exhausted(exhausted)
    }
}

/// Whether more is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Enough,
}

/// Something that `print` said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Printed {
    pub(crate) module: usize,
    pub(crate) place: Place,
    pub(crate) text: String,
}

/// One evaluation.
pub(crate) struct Evaluation<'a> {
    settings: Settings<'a>,
    /// Frames of the rules that are being evaluated, one behind the other.
    slots: Vec<Value>,
    /// Arguments of the calls that are being evaluated, one behind the other.
    arguments: Vec<Value>,
    around: Surroundings,
    /// What was around before each `with` that holds.
    outer: Vec<Surroundings>,
    level: u32,
    /// Index of the module whose rule is being evaluated.
    module: usize,
    pub(crate) printed: Vec<Printed>,
    printed_bytes: usize,
    /// Set when somebody wants to know what failed.
    watch: Option<Watch<'a>>,
}

/// What is called with the evaluation for each way in which a body holds.
type Done<'d, 'a> = &'d mut dyn FnMut(&mut Evaluation<'a>) -> Result<Flow, Stop>;

impl<'a> Evaluation<'a> {
    pub(crate) fn new(mut settings: Settings<'a>) -> Self {
        let input = settings.input.take();
        Self {
            settings,
            slots: Vec::with_capacity(SLOTS),
            arguments: Vec::with_capacity(SLOTS),
            around: Surroundings::of(input),
            outer: Vec::new(),
            level: 0,
            module: 0,
            printed: Vec::new(),
            printed_bytes: 0,
            watch: None,
        }
    }

    /// The value of a rule.
    pub(crate) fn ask(&mut self, rule: RuleId) -> Result<Option<Value>, Stop> {
        self.rule(rule)
    }

    /// The value at a path of `data`.
    pub(crate) fn ask_path(&mut self, path: &[&str]) -> Result<Option<Value>, Stop> {
        self.at_path(path)
    }

    const fn plan(&self) -> &'a Plan {
        self.settings.plan
    }

    const fn budget(&self) -> &'a Budget {
        self.settings.budget
    }

    fn pay(&self, steps: u64) -> Result<(), Stop> {
        Ok(self.settings.budget.pay(steps)?)
    }

    /// Pays for looking at many small things, eight a step.
    fn pay_each(&self, count: usize) -> Result<(), Stop> {
        self.pay(u64::try_from(count).unwrap_or(u64::MAX) / 8)
    }

    /// Runs something one level deeper, which takes stack.
    fn deeper<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, Stop>) -> Result<T, Stop> {
        if self.level >= LEVELS {
            return Err(Stop::Exhausted(Exhausted::Levels));
        }
        self.level = self.level.saturating_add(1);
        let result = run(self);
        self.level = self.level.saturating_sub(1);
        result
    }

    /// Runs something with a frame of its own.
    fn framed<T>(
        &mut self,
        slots: usize,
        run: impl FnOnce(&mut Self, usize) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        self.pay_each(slots)?;
        let base = self.slots.len();
        self.slots.resize(base.saturating_add(slots), Value::Null);
        let result = run(self, base);
        self.slots.truncate(base);
        result
    }

    fn set(&mut self, base: usize, slot: Slot, value: Value) {
        if let Some(place) = self.slots.get_mut(base.saturating_add(slot)) {
            *place = value;
        }
    }

    fn error(&self, code: &'static str, place: Place, message: impl Into<String>) -> Stop {
        Stop::Error(Box::new(EvaluationError {
            code,
            message: message.into(),
            module: self.module,
            place,
        }))
    }

    fn equals(&self, left: &Value, right: &Value) -> Result<bool, Stop> {
        self.settings.budget.pay_comparison(left, right)?;
        Ok(left == right)
    }
}
