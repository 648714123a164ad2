//! Evaluation of one bundle: prepared once, asked for every request.

use std::fmt;

use plinto_contract::{
    bundle::{Manifest, Route},
    policy::{Decision, DenyReason},
};
use serde_json::Map;

use crate::{
    budget::{Budget, Exhausted},
    bundle::Source,
    decision::{Answered, decision_of},
    diagnostics::PolicyError,
    evaluate::Stop,
    input::is_heavier_than,
    load::{self, Hears, Loaded, Question},
};
pub use crate::{
    input::{input_of, input_with, subject_of},
    limits::EvaluationLimits as Limits,
    value::Value,
};

/// Name of the engine, as it stands in a manifest.
pub const ENGINE: &str = "plinto";
/// Its version: another one whenever a policy may be answered otherwise than before.
pub const ENGINE_VERSION: &str = "1";
/// A prepared bundle, shared by every evaluation.
pub struct Engine {
    loaded: Loaded,
}

impl fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Engine")
            .field("entrypoint", &self.loaded.entrypoint.path)
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
    /// Compiles a bundle that was checked before it was published. Its tests are left out.
    /// Errors: what can't be compiled.
    pub fn prepare(manifest: &Manifest, source: &Source) -> Result<Self, PolicyError> {
        Ok(Self {
            loaded: load::policies(manifest, source)?,
        })
    }

    /// Asks the policy. Whatever goes wrong, the answer is a decision: refused, with the fault.
    pub fn evaluate(&self, input: Value, limits: &Limits) -> Evaluation {
        if let Some(refused) = too_large(&input, limits) {
            return refused;
        }
        let budget = Budget::new(limits.steps);
        let question = Question {
            now_ns: moment_of(&input),
            input: Some(input),
            budget: &budget,
            hears: Hears::default(),
        };
        let answered = self.loaded.decide(question).value;
        evaluation_of(&self.loaded, answered, budget.spent(), limits)
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

/// The refusal of an input that is larger than one may be.
pub(crate) fn too_large(input: &Value, limits: &Limits) -> Option<Evaluation> {
    let bytes = limits.input_bytes;
    is_heavier_than(input, bytes).then(|| {
        let detail = format!("the input is larger than {bytes} bytes or nests too deep");
        Evaluation::refused(DenyReason::InputTooLarge, detail, 0)
    })
}

/// What an answer means: a decision, whatever it is.
pub(crate) fn evaluation_of(
    loaded: &Loaded,
    answered: Result<Option<Answered>, Stop>,
    steps: u64,
    limits: &Limits,
) -> Evaluation {
    match answered {
        Ok(None) => {
            let rule = loaded.entrypoint.asked();
            let detail = format!("`{rule}` is undefined for this input");
            Evaluation::refused(DenyReason::Undefined, detail, steps)
        }
        Ok(Some(answered)) => match decision_of(loaded.entrypoint.answer, &answered) {
            Ok(decision) => Evaluation {
                decision,
                fault: None,
                steps,
            },
            Err((reason, why)) => Evaluation::refused(reason, why.to_owned(), steps),
        },
        Err(stop) => {
            let Fault { reason, detail } = fault_of(loaded, &stop, limits);
            Evaluation::refused(reason, detail, steps)
        }
    }
}

/// Why an evaluation came to no end.
pub(crate) fn fault_of(loaded: &Loaded, stop: &Stop, limits: &Limits) -> Fault {
    let (reason, detail) = match stop {
        Stop::Exhausted(Exhausted::Steps) => {
            let steps = limits.steps;
            let detail = format!("the evaluation took more than {steps} steps");
            (DenyReason::LimitReached, detail)
        }
        Stop::Exhausted(why) => (DenyReason::LimitReached, why.to_string()),
        Stop::Error(error) => (DenyReason::EvaluationError, loaded.told(error)),
    };
    Fault { reason, detail }
}

/// The moment of a request, in nanoseconds: `context.time` of its input.
pub(crate) fn moment_of(input: &Value) -> i64 {
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
