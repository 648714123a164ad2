//! Driving one request through the gate: the same in a Worker and elsewhere.

use plinto_contract::time::UnixMillis;

use crate::{
    gate::{AccessDecision, Gate, Step},
    memory::Memory,
    refresh,
    refusal::Refusal,
    request::EdgeRequest,
    rim::Rim,
};

/// Decides one request: asks the gate, and gets it what it lacks.
pub async fn decide<R: Rim>(rim: &R, request: &EdgeRequest) -> AccessDecision {
    let now = rim.now();
    let entered = Gate::enter(rim.config(), request, &mut rim.memory(), now);
    match entered {
        Ok(mut gate) => drive(rim, &mut gate, Gate::step).await,
        Err(refusal) => AccessDecision::Refuse(refusal),
    }
}

/// Asks whether what was let through may go on, for as long as it does.
/// Errors: the refusal that a new request with this token would get.
pub async fn recheck<R: Rim>(rim: &R, request: &EdgeRequest) -> Result<(), Refusal> {
    let now = rim.now();
    let mut gate = Gate::enter(rim.config(), request, &mut rim.memory(), now)?;
    drive(rim, &mut gate, Gate::recheck).await
}

/// Asks again and again by `step`, until it is done.
async fn drive<'r, R: Rim, T>(
    rim: &R,
    gate: &mut Gate<'r>,
    step: impl Fn(&mut Gate<'r>, &mut Memory, UnixMillis) -> Step<T>,
) -> T {
    let outcome = loop {
        let now = rim.now();
        let next = step(gate, &mut rim.memory(), now);
        match next {
            Step::Need(documents) => refresh::settle(rim, documents, gate.deadline()).await,
            Step::NeedSignature => {
                let is_right = match gate.signature_job() {
                    Some(job) => rim.verify(&job).await,
                    None => false,
                };
                gate.signature_checked(is_right);
            }
            Step::Done(outcome) => break outcome,
        }
    };
    for document in gate.behind().iter() {
        refresh::start(rim, document);
    }
    outcome
}
