//! Driving one request through the gate: the same in a Worker and elsewhere.

use crate::{
    gate::{Gate, Step, Verdict},
    refresh,
    request::EdgeRequest,
    rim::Rim,
};

/// Decides one request: asks the gate, and gets it what it lacks.
pub async fn decide<R: Rim>(rim: &R, request: &EdgeRequest) -> Verdict {
    let now = rim.now();
    let entered = Gate::enter(rim.config(), request, &mut rim.memory(), now);
    let mut gate = match entered {
        Ok(gate) => gate,
        Err(refusal) => return Verdict::Refuse(refusal),
    };
    let verdict = loop {
        let now = rim.now();
        let step = gate.step(&mut rim.memory(), now);
        match step {
            Step::Need(documents) => refresh::settle(rim, documents, gate.deadline()).await,
            Step::NeedSignature => {
                let is_right = match gate.signature_job() {
                    Some(job) => rim.verify(&job).await,
                    None => false,
                };
                gate.signature_checked(is_right);
            }
            Step::Done(verdict) => break verdict,
        }
    };
    for document in gate.behind().iter() {
        refresh::start(rim, document);
    }
    verdict
}
