//! Evaluation of one bundle: prepared once, asked for every request.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use plinto_contract::{
    bundle::{Manifest, Route},
    policy::{Decision, DenyReason},
};
pub use regorus::Value;
use serde_json::{Map, Value as Json};

use crate::{
    bundle::Source,
    data,
    diagnostics::PolicyError,
    front::Translated,
    input::{dismantle, is_heavier_than, json_of},
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
/// What lowers policies for it. Another name whenever a policy may be answered otherwise than before.
pub const FRONT_END: &str = "front-end-1";
/// 64 KiB: reasons, and obligations, each as large as an input.
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
    translated: Arc<Translated>,
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
        let loaded = load::load(manifest, source, false)?;
        Ok(Self {
            interpreter: loaded.interpreter,
            entrypoint: loaded.entrypoint,
            data: loaded.data,
            routes: loaded.routes,
            translated: loaded.translated,
        })
    }

    /// Asks the policy. Whatever goes wrong, the answer is a decision: refused, with the fault.
    pub fn evaluate(&self, input: Value, limits: &Limits) -> Evaluation {
        if is_heavier_than(&input, limits.input_bytes) {
            let bytes = limits.input_bytes;
            let detail = format!("the input is larger than {bytes} bytes or nests too deep");
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
            Ok(value) => {
                let decision = decision_of(&value);
                dismantle(value);
                match decision {
                    Ok(decision) => Evaluation {
                        decision,
                        fault: None,
                        steps: spent.steps,
                    },
                    Err((reason, why)) => Evaluation::refused(reason, why.to_owned(), spent.steps),
                }
            }
            Err(error) => {
                let detail = self.translated.retell(&error);
                Evaluation::refused(DenyReason::EvaluationError, detail, spent.steps)
            }
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
                obligations: Map::new(),
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
/// A refusal stands whatever its obligations are like; nobody would be told them.
fn decision_of(value: &Value) -> Result<Decision, (DenyReason, &'static str)> {
    let wrong = |why| (DenyReason::WrongShape, why);
    let members = value
        .as_object()
        .map_err(|_| wrong("the decision must be an object"))?;
    let (mut allow, mut reasons, mut obligations) = (None, Vec::new(), Ok(Map::new()));
    for (name, value) in members.iter() {
        match name.as_string().map(AsRef::as_ref) {
            Ok("allow") => {
                let given = value.as_bool();
                allow = Some(*given.map_err(|_| wrong("`allow` must be true or false"))?);
            }
            Ok("reasons") => reasons = reasons_of(value).map_err(wrong)?,
            Ok("obligations") => obligations = obligations_of(value),
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
    // A value may share its parts or nest without end; written out it would not end.
    if is_heavier_than(value, DECISION_BYTES) {
        return Err("`obligations` are larger than 64 KiB or nest too deep");
    }
    match json_of(value) {
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
