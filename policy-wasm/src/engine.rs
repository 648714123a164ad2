//! Evaluation of one bundle: prepared once, asked for every request.

use std::fmt;

use plinto_contract::{
    bundle::{Manifest, Route},
    policy::{Decision, DenyReason},
};
use serde_json::{Map, Value as Json};

use crate::{
    budget::{Budget, Exhausted},
    bundle::Source,
    diagnostics::PolicyError,
    evaluate::Stop,
    input::is_heavier_than,
    load::{self, Loaded, Question},
};
pub use crate::{
    input::{input_of, input_with, subject_of, value_of},
    limits::EvaluationLimits as Limits,
    value::Value,
};

/// Name of the engine, as it stands in a manifest.
pub const ENGINE: &str = "plinto";
/// Its version: another one whenever a policy may be answered otherwise than before.
pub const ENGINE_VERSION: &str = "1";
/// 64 KiB: reasons, and obligations, each as large as an input.
const DECISION_BYTES: usize = 64 * 1024;
/// Longest list of reasons that is passed on.
const REASONS_MAX: usize = 64;

/// A prepared bundle, shared by every evaluation.
pub struct Engine {
    loaded: Loaded,
}

impl fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Engine")
            .field("entrypoint", &self.loaded.entrypoint)
            .field("routes", &self.loaded.routes.len())
            .finish_non_exhaustive()
    }
}

/// What an evaluation gave. Without a fault the decision is the policy's own; with one it is a
/// refusal whose only reason is the fault's name.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Allow or refuse, with reasons and obligations.
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
        Ok(Self {
            loaded: load::load(manifest, source, false)?,
        })
    }

    /// Asks the policy. Whatever goes wrong, the answer is a decision: refused, with the fault.
    pub fn evaluate(&self, input: Value, limits: &Limits) -> Evaluation {
        if is_heavier_than(&input, limits.input_bytes) {
            let bytes = limits.input_bytes;
            let detail = format!("the input is larger than {bytes} bytes or nests too deep");
            return Evaluation::refused(DenyReason::InputTooLarge, detail, 0);
        }
        let budget = Budget::new(limits.steps);
        let answer = self.loaded.ask(
            self.loaded.entrypoint,
            Question {
                now_ns: moment_of(&input),
                input: Some(input),
                budget: &budget,
                hears_prints: false,
            },
        );
        let steps = budget.spent();
        match answer.value {
            Ok(None) => {
                let rule = &self.loaded.entrypoint_path;
                let detail = format!("`{rule}` is undefined for this input");
                Evaluation::refused(DenyReason::Undefined, detail, steps)
            }
            Ok(Some(value)) => match decision_of(&value) {
                Ok(decision) => Evaluation {
                    decision,
                    fault: None,
                    steps,
                },
                Err((reason, why)) => Evaluation::refused(reason, why.to_owned(), steps),
            },
            Err(Stop::Exhausted(Exhausted::Steps)) => {
                let detail = format!("the evaluation took more than {} steps", limits.steps);
                Evaluation::refused(DenyReason::LimitReached, detail, steps)
            }
            Err(Stop::Exhausted(why)) => {
                Evaluation::refused(DenyReason::LimitReached, why.to_string(), steps)
            }
            Err(Stop::Error(error)) => {
                let detail = self.loaded.told(&error);
                Evaluation::refused(DenyReason::EvaluationError, detail, steps)
            }
        }
    }

    /// The routes of the bundle, in its order.
    pub fn routes(&self) -> &[Route] {
        &self.loaded.routes
    }

    /// The value at a data path like `["plinto", "roles"]`.
    pub fn data(&self, path: &[&str]) -> Option<&Value> {
        self.loaded.plan.data.at(path)
    }
}

/// The moment of a request, in nanoseconds: `context.time` of its input.
fn moment_of(input: &Value) -> i64 {
    let seconds = input.at(&["context", "time"]);
    let seconds = seconds.and_then(|seconds| seconds.as_number()?.as_i64());
    seconds.unwrap_or_default().saturating_mul(1_000_000_000)
}

impl Evaluation {
    fn refused(reason: DenyReason, detail: String, steps: u64) -> Self {
        Self {
            decision: Decision {
                allow: false,
                reasons: vec![reason.as_str().to_owned()],
                obligations: Map::new(),
            },
            fault: Some(Fault { reason, detail }),
            steps,
        }
    }
}

/// The decision contract: an object with `allow`, and optionally `reasons` and `obligations`.
/// A refusal stands whatever its obligations are like; nobody would be told them.
fn decision_of(value: &Value) -> Result<Decision, (DenyReason, &'static str)> {
    let wrong = |why| (DenyReason::WrongShape, why);
    let members = value
        .as_object()
        .ok_or(wrong("the decision must be an object"))?;
    let (mut allow, mut reasons, mut obligations) = (None, Vec::new(), Ok(Map::new()));
    for (name, value) in members.iter() {
        match name.as_str() {
            Some("allow") => {
                let given = value.as_bool();
                allow = Some(given.ok_or(wrong("`allow` must be true or false"))?);
            }
            Some("reasons") => reasons = reasons_of(value).map_err(wrong)?,
            Some("obligations") => obligations = obligations_of(value),
            _ => {
                let why = "the decision has a member besides `allow`, `reasons`, `obligations`";
                return Err(wrong(why));
            }
        }
    }
    let allow = allow.ok_or(wrong("the decision lacks `allow`"))?;
    let obligations = match obligations {
        Err(why) if allow => return Err((DenyReason::ObligationsInvalid, why)),
        sayable => sayable.unwrap_or_default(),
    };
    Ok(Decision {
        allow,
        reasons,
        obligations,
    })
}

fn obligations_of(value: &Value) -> Result<Map<String, Json>, &'static str> {
    // A value may share its parts; written out it would not end.
    if is_heavier_than(value, DECISION_BYTES) {
        return Err("`obligations` are larger than 64 KiB or nest too deep");
    }
    match value.to_json() {
        Some(Json::Object(obligations)) => Ok(obligations),
        _ => Err("`obligations` must be an object with plain names"),
    }
}

/// Reasons are an array, or the set that `reasons contains …` builds.
fn reasons_of(value: &Value) -> Result<Vec<String>, &'static str> {
    const WRONG: &str = "`reasons` must be a list or a set of texts";
    if is_heavier_than(value, DECISION_BYTES) {
        return Err("`reasons` are larger than 64 KiB or nest too deep");
    }
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or(WRONG);
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
