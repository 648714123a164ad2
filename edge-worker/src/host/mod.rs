//! The rim in a Worker: gathers what the gate asks for, and ships the answer.
//!
//! One isolate answers many requests, and a request must never wait for another one's promise.
//! So requests share plain data only ([`State`]); who refreshes a document holds a lease in it,
//! and the others look again every few milliseconds until that lease has ended.

mod documents;
mod forward;
mod platform;
mod rim;
mod webcrypto;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use plinto_contract::{ids::RequestId, problem::Code};
use worker::{Context, Env, web_sys};

use crate::{
    config::{Config, Fault},
    gate::{Gate, Step, Verdict, WAIT_MS},
    health::{self, HEALTH_PATH, OWN_PATHS},
    memory::Memory,
    refresh,
    refusal::{self, Answer, RESOURCE_METADATA_PATH, Refusal},
    request::EdgeRequest,
};

/// Everything that outlives a request.
struct State {
    config: Config,
    memory: RefCell<Memory>,
    imported: RefCell<webcrypto::ImportedKeys>,
}

thread_local! {
    static STATE: RefCell<Option<Rc<State>>> = const { RefCell::new(None) };
    static IS_TOLD: Cell<bool> = const { Cell::new(false) };
}

/// Reads the variables once per isolate.
fn state(env: &Env) -> Result<Rc<State>, Vec<Fault>> {
    if let Some(state) = STATE.with_borrow(Clone::clone) {
        return Ok(state);
    }
    let config = Config::read(
        |name| platform::variable(env, name),
        platform::service(env, "UPSTREAM").is_some(),
    )?;
    let state = Rc::new(State {
        memory: RefCell::new(Memory::new(&config)),
        imported: RefCell::default(),
        config,
    });
    STATE.set(Some(Rc::clone(&state)));
    Ok(state)
}

/// Names every variable that can't be used, in the log; once per isolate.
pub(crate) fn check(env: &Env) {
    if let Err(faults) = state(env)
        && !IS_TOLD.replace(true)
    {
        for fault in faults {
            worker::console_error!("edge configuration: {} {}", fault.name, fault.detail);
        }
    }
}

/// Answers one request.
pub(crate) async fn answer(
    request: web_sys::Request,
    env: &Env,
    context: Context,
) -> worker::Result<web_sys::Response> {
    let request_id = RequestId::from_parts(platform::now().0, platform::random()).to_string();
    let Some(asked) = read(&request)? else {
        return platform::response(&Answer {
            status: 400,
            headers: Vec::new(),
            body: String::new(),
        });
    };
    let state = match state(env) {
        Ok(state) => state,
        Err(faults) => {
            check(env);
            return platform::response(&misconfigured(&faults).answer(&asked, &request_id));
        }
    };
    let host = Rc::new(Host { state, context });
    if asked.path == RESOURCE_METADATA_PATH {
        let metadata = refusal::resource_metadata(&asked.origin, &host.state.config.issuer);
        return platform::response(&metadata);
    }
    if asked.path.starts_with(OWN_PATHS) {
        return platform::response(&host.own(&asked, &request_id).await);
    }
    match host.decide(&asked).await {
        Verdict::Pass(pass) => {
            forward::send(&host.state.config, env, &request, &asked, pass, &request_id).await
        }
        Verdict::Refuse(refusal) => platform::response(&refusal.answer(&asked, &request_id)),
    }
}

fn read(request: &web_sys::Request) -> worker::Result<Option<EdgeRequest>> {
    let headers = request.headers();
    Ok(EdgeRequest::new(
        request.method(),
        &request.url(),
        headers.get("authorization")?,
        headers.get("cf-connecting-ip")?,
    ))
}

fn misconfigured(faults: &[Fault]) -> Refusal {
    let names: Vec<_> = faults
        .iter()
        .map(|fault| format!("{} {}", fault.name, fault.detail))
        .collect();
    Refusal::new(Code::EdgeMisconfigured, names.join("; "))
}

/// One request's view of the isolate.
struct Host {
    state: Rc<State>,
    context: Context,
}

impl Host {
    async fn decide(self: &Rc<Self>, request: &EdgeRequest) -> Verdict {
        let config = &self.state.config;
        let entered = {
            let mut memory = self.state.memory.borrow_mut();
            Gate::enter(config, request, &mut memory, platform::now())
        };
        let mut gate = match entered {
            Ok(gate) => gate,
            Err(refusal) => return Verdict::Refuse(refusal),
        };
        let verdict = loop {
            let step = gate.step(&mut self.state.memory.borrow_mut(), platform::now());
            match step {
                Step::Need(documents) => refresh::settle(self, documents, gate.deadline()).await,
                Step::NeedSignature => {
                    let is_right = match gate.signature_job() {
                        Some(job) => webcrypto::verify(&self.state.imported, &job).await,
                        None => false,
                    };
                    gate.signature_checked(is_right);
                }
                Step::Done(verdict) => break verdict,
            }
        };
        for document in gate.behind().iter() {
            refresh::start(self, document);
        }
        verdict
    }

    /// The gate's own paths: health, and nothing else.
    async fn own(self: &Rc<Self>, request: &EdgeRequest, request_id: &str) -> Answer {
        if request.path != HEALTH_PATH {
            return Refusal::new(Code::NotFound, "the gate has no such page")
                .answer(request, request_id);
        }
        let now = platform::now();
        let due = health::due(&self.state.config, &self.state.memory.borrow(), now);
        refresh::settle(self, due.wait, now.plus_millis(WAIT_MS)).await;
        for document in due.behind.iter() {
            refresh::start(self, document);
        }
        health::report(
            &self.state.config,
            &self.state.memory.borrow(),
            platform::now(),
        )
    }
}
