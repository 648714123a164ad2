//! Evaluation of one bundle: prepared once, asked for every request.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use plinto_contract::{
    bundle::{Manifest, Route},
    policy::{Decision, DenyReason},
};
pub use regorus::Value;

use crate::{
    bundle::Source,
    data,
    diagnostics::PolicyError,
    input::{is_heavier_than, json_of},
    load, steps,
};
pub use crate::{
    input::{input_of, input_with, subject_of, value_of},
    limits::EvaluationLimits as Limits,
};

/// Name of the engine, as it stands in a manifest.
pub const ENGINE: &str = "regorus";
/// Its version. Source: `Cargo.toml`; a test compares them.
pub const ENGINE_VERSION: &str = "0.14.1";
/// 64 KiB: a decision, as large as an input.
const DECISION_BYTES: usize = 64 * 1024;
/// Longest list of reasons that is passed on.
const REASONS_MAX: usize = 64;

/// A prepared bundle. Evaluating copies the interpreter's own state: policies and data are shared,
/// the names of guarded builtins are not.
pub struct Engine {
    interpreter: regorus::Engine,
    entrypoint: String,
    data: Value,
    routes: Vec<Route>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Engine")
            .field("entrypoint", &self.entrypoint)
            .field("routes", &self.routes.len())
            .finish_non_exhaustive()
    }
}

/// What an evaluation gave. Without a fault the decision is the policy's own; with one it is a
/// refusal whose only reason is the fault's name.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The answer.
    pub decision: Decision,
    /// Why the policy gave none.
    pub fault: Option<Fault>,
    /// Steps spent, the same on every machine.
    pub steps: u64,
}

/// Why a policy gave no decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// For programs.
    pub reason: DenyReason,
    /// For the policy's author. It may quote the input: not for logs, not for the caller.
    pub detail: String,
}

impl Engine {
    /// Parses, checks and compiles a bundle. Its tests are left out.
    /// Errors: every finding, with file, line and column.
    pub fn prepare(manifest: &Manifest, source: &Source) -> Result<Self, PolicyError> {
        let loaded = load::load(manifest, source, false)?;
        Ok(Self {
            interpreter: loaded.interpreter,
            entrypoint: loaded.entrypoint,
            data: loaded.data,
            routes: loaded.routes,
        })
    }

    /// Asks the policy. Whatever goes wrong, the answer is a decision: refused, with the fault.
    pub fn evaluate(&self, input: Value, limits: &Limits) -> Evaluation {
        if is_heavier_than(&input, limits.input_bytes) {
            let detail = format!("the input is larger than {} bytes", limits.input_bytes);
            return Evaluation::refused(DenyReason::InputTooLarge, detail, 0);
        }
        let (value, spent) = run(
            &self.interpreter,
            &self.entrypoint,
            Some(input),
            limits.steps,
        );
        if spent.exhausted {
            let detail = format!("the evaluation took more than {} steps", limits.steps);
            return Evaluation::refused(DenyReason::LimitReached, detail, spent.steps);
        }
        match value {
            Ok(Value::Undefined) => {
                let detail = format!("`{}` is undefined for this input", self.entrypoint);
                Evaluation::refused(DenyReason::Undefined, detail, spent.steps)
            }
            Ok(value) => match decision_of(&value) {
                Ok(decision) => Evaluation {
                    decision,
                    fault: None,
                    steps: spent.steps,
                },
                Err(why) => {
                    Evaluation::refused(DenyReason::WrongShape, why.to_owned(), spent.steps)
                }
            },
            Err(detail) => Evaluation::refused(DenyReason::EvaluationError, detail, spent.steps),
        }
    }

    /// The routes of the bundle, in its order.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The value at a data path like `["plinto", "roles"]`.
    pub fn data(&self, path: &[&str]) -> Option<&Value> {
        data::lookup(&self.data, path)
    }
}

impl Evaluation {
    fn refused(reason: DenyReason, detail: String, steps: u64) -> Self {
        Self {
            decision: Decision {
                allow: false,
                reasons: vec![reason.as_str().to_owned()],
                obligations: serde_json::Map::new(),
            },
            fault: Some(Fault { reason, detail }),
            steps,
        }
    }
}

/// Evaluates one rule in a copy of `interpreter`, within `steps`.
pub(crate) fn run(
    interpreter: &regorus::Engine,
    rule: &str,
    input: Option<Value>,
    steps: u64,
) -> (Result<Value, String>, steps::Spent) {
    steps::metered(steps, || {
        // SECURITY: the builtins known to panic are refused at preparation. Should another one
        // panic, a native process answers "refused" instead of losing the thread's other work.
        let evaluation = catch_unwind(AssertUnwindSafe(|| {
            let mut interpreter = interpreter.clone();
            if let Some(input) = input {
                interpreter.set_input(input);
            }
            interpreter.eval_rule(rule.to_owned())
        }));
        match evaluation {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(format!("{error:#}")),
            Err(_) => Err("the engine failed inside".to_owned()),
        }
    })
}

/// The decision contract: an object with `allow`, and optionally `reasons` and `obligations`.
fn decision_of(value: &Value) -> Result<Decision, &'static str> {
    // A value may share its parts; written out it would not end.
    if is_heavier_than(value, DECISION_BYTES) {
        return Err("the decision is larger than 64 KiB");
    }
    let members = value
        .as_object()
        .map_err(|_| "the decision must be an object")?;
    let mut allow = None;
    let mut decision = Decision::default();
    for (name, value) in members.iter() {
        match name.as_string().map(AsRef::as_ref) {
            Ok("allow") => {
                allow = Some(
                    *value
                        .as_bool()
                        .map_err(|_| "`allow` must be true or false")?,
                );
            }
            Ok("reasons") => decision.reasons = reasons_of(value)?,
            Ok("obligations") => match json_of(value) {
                Some(serde_json::Value::Object(obligations)) => decision.obligations = obligations,
                _ => return Err("`obligations` must be an object with plain names"),
            },
            _ => return Err("the decision has a member besides `allow`, `reasons`, `obligations`"),
        }
    }
    decision.allow = allow.ok_or("the decision lacks `allow`")?;
    Ok(decision)
}

/// Reasons are an array, or the set that `reasons contains …` builds.
fn reasons_of(value: &Value) -> Result<Vec<String>, &'static str> {
    const WRONG: &str = "`reasons` must be a list or a set of texts";
    let text = |value: &Value| match value.as_string() {
        Ok(text) => Ok(text.to_string()),
        Err(_) => Err(WRONG),
    };
    let reasons: Vec<String> = match value {
        Value::Array(items) => items.iter().map(text).collect::<Result<_, _>>()?,
        Value::Set(items) => items.iter().map(text).collect::<Result<_, _>>()?,
        _ => return Err(WRONG),
    };
    if reasons.len() > REASONS_MAX {
        return Err("`reasons` has more than 64 entries");
    }
    Ok(reasons)
}
