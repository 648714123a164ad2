//! Patterns that were compiled once and are used again.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{glob, program::Program, syntax::PatternError};
use crate::{budget::Budget, builtins::tally::Tally, value::Value};

/// 128: patterns made while evaluating that are remembered.
const RECENT: usize = 128;
/// 1 MiB: memory that they may take.
const RECENT_BYTES: u64 = 1 << 20;
/// 200,000: steps that the patterns of a policy may take to compile. What is left over is compiled
/// when it is used.
const STEPS_TO_PREPARE: u64 = 200_000;

/// The compiled patterns of a policy: those that stand in its text, and those used lately.
pub(crate) struct Patterns {
    prepared: Store,
    /// Steps left for compiling.
    left: u64,
    recent: Mutex<Store>,
}

#[derive(Default)]
struct Store {
    regexes: HashMap<Box<str>, Compiled>,
    /// By their delimiters, a NUL, and the pattern.
    globs: HashMap<Box<str>, Compiled>,
    weight: u64,
}

/// A pattern, and the steps that it took.
#[derive(Clone)]
struct Compiled {
    program: Arc<Program>,
    steps: u64,
}

#[derive(Clone, Copy)]
enum Syntax {
    Regex,
    Glob,
}

impl Store {
    const fn of(&mut self, syntax: Syntax) -> &mut HashMap<Box<str>, Compiled> {
        match syntax {
            Syntax::Regex => &mut self.regexes,
            Syntax::Glob => &mut self.globs,
        }
    }

    fn get(&self, syntax: Syntax, key: &str) -> Option<&Compiled> {
        match syntax {
            Syntax::Regex => self.regexes.get(key),
            Syntax::Glob => self.globs.get(key),
        }
    }
}

impl Default for Patterns {
    fn default() -> Self {
        Self {
            prepared: Store::default(),
            left: STEPS_TO_PREPARE,
            recent: Mutex::default(),
        }
    }
}

impl Patterns {
    /// Compiles the pattern of a call that stands in a policy's text, so that using it costs
    /// nothing more. `arguments`: those that are known; a pattern with an error is left to the call.
    pub(crate) fn prepare(&mut self, builtin: &str, arguments: &[Option<&Value>]) {
        let at = |index: usize| arguments.get(index).copied().flatten();
        let (syntax, key) = match builtin {
            "regex.match" | "regex.split" | "regex.find_n" | "regex.find_all_string_submatch_n" => {
                (
                    Syntax::Regex,
                    at(0).and_then(Value::as_str).map(str::to_owned),
                )
            }
            "regex.replace" => (
                Syntax::Regex,
                at(1).and_then(Value::as_str).map(str::to_owned),
            ),
            "glob.match" => {
                let delimiters = at(1).and_then(|value| glob::delimiters(value).ok());
                let pattern = at(0).and_then(Value::as_str);
                let key = delimiters.zip(pattern);
                (
                    Syntax::Glob,
                    key.map(|(delimiters, pattern)| glob_key(&delimiters, pattern)),
                )
            }
            _ => return,
        };
        let Some(key) = key.filter(|key| self.prepared.get(syntax, key).is_none()) else {
            return;
        };
        let budget = Budget::new(self.left);
        let compiled = compile(syntax, &key, &budget);
        self.left = self.left.saturating_sub(budget.spent());
        if let Ok(program) = compiled {
            let program = Arc::new(program);
            let compiled = Compiled { program, steps: 0 };
            self.prepared.of(syntax).insert(key.into(), compiled);
        }
    }

    /// The regular expression.
    /// Errors: Go has none like it.
    pub(crate) fn regex(
        &self,
        pattern: &str,
        budget: &Budget,
    ) -> Result<Arc<Program>, PatternError> {
        budget.pay_bytes(pattern.len())?;
        self.get(Syntax::Regex, pattern, budget)
    }

    /// The glob pattern, as a regular expression. `delimiters`: what `*` and `?` don't match.
    pub(super) fn glob(
        &self,
        delimiters: &str,
        pattern: &str,
        budget: &Budget,
    ) -> Result<Arc<Program>, PatternError> {
        budget.pay_bytes(pattern.len().saturating_add(delimiters.len()))?;
        self.get(Syntax::Glob, &glob_key(delimiters, pattern), budget)
    }

    /// What was compiled before costs what it cost then: an evaluation takes the same steps,
    /// whatever was evaluated before it.
    fn get(
        &self,
        syntax: Syntax,
        key: &str,
        budget: &Budget,
    ) -> Result<Arc<Program>, PatternError> {
        if let Some(prepared) = self.prepared.get(syntax, key) {
            return Ok(Arc::clone(&prepared.program));
        }
        let found = self.lock().get(syntax, key).cloned();
        if let Some(found) = found {
            budget.pay(found.steps)?;
            return Ok(found.program);
        }
        let before = budget.spent();
        let program = Arc::new(compile(syntax, key, budget)?);
        let steps = budget.spent().saturating_sub(before);
        self.remember(
            syntax,
            key,
            Compiled {
                program: Arc::clone(&program),
                steps,
            },
        );
        Ok(program)
    }

    fn remember(&self, syntax: Syntax, key: &str, compiled: Compiled) {
        let length = u64::try_from(key.len()).unwrap_or(u64::MAX);
        let weight = compiled.program.weight().saturating_add(length);
        if weight > RECENT_BYTES {
            return;
        }
        let mut recent = self.lock();
        let count = recent.regexes.len().saturating_add(recent.globs.len());
        if count >= RECENT || recent.weight.saturating_add(weight) > RECENT_BYTES {
            *recent = Store::default();
        }
        recent.weight = recent.weight.saturating_add(weight);
        recent.of(syntax).insert(key.into(), compiled);
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn glob_key(delimiters: &str, pattern: &str) -> String {
    format!("{delimiters}\0{pattern}")
}

fn compile(syntax: Syntax, key: &str, budget: &Budget) -> Result<Program, PatternError> {
    let mut tally = Tally::new(budget);
    match syntax {
        Syntax::Regex => Program::new(key, &mut tally),
        Syntax::Glob => {
            let (delimiters, pattern) = key.split_once('\0').unwrap_or(("", key));
            glob::compile(pattern, delimiters, &mut tally)
        }
    }
}

impl From<PatternError> for crate::builtins::CallError {
    fn from(error: PatternError) -> Self {
        match error {
            PatternError::Syntax(_) => Self::new(error),
            PatternError::Exhausted(exhausted) => Self::Exhausted(exhausted),
        }
    }
}

impl fmt::Debug for Patterns {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Patterns").finish_non_exhaustive()
    }
}
