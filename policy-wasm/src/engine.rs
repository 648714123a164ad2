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
    load::{self, Hears, Loaded, Part, Question},
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
    /// Parses, checks and compiles a bundle. Its tests are left out.
    /// Errors: every finding, with file, line and column.
    pub fn prepare(manifest: &Manifest, source: &Source) -> Result<Self, PolicyError> {
        Ok(Self {
            loaded: load::load(manifest, source, Part::Policies)?,
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
        let question = Question {
            now_ns: moment_of(&input),
            input: Some(input),
            budget: &budget,
            hears: Hears::default(),
        };
        let answered = self.loaded.decide(question).value;
        self.evaluation(answered, budget.spent(), limits)
    }

    /// What an answer means: a decision, whatever it is.
    fn evaluation(
        &self,
        answered: Result<Option<Answered>, Stop>,
        steps: u64,
        limits: &Limits,
    ) -> Evaluation {
        match answered {
            Ok(None) => {
                let rule = self.loaded.entrypoint.asked();
                let detail = format!("`{rule}` is undefined for this input");
                Evaluation::refused(DenyReason::Undefined, detail, steps)
            }
            Ok(Some(answered)) => match decision_of(self.loaded.entrypoint.answer, &answered) {
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
