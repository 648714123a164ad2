//! The rim in a Worker: gathers what the gate asks for, and says the request's fate.
//!
//! One isolate answers many requests, and a request must never wait for another one's promise.
//! So requests share plain data only ([`State`]); who refreshes a document holds a lease in it,
//! and the others look again every few milliseconds until that lease has ended.

mod documents;
mod now_or_later;
mod platform;
mod rim;
mod webcrypto;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use plinto_contract::{ids::RequestId, problem::Code};
use worker::{Context, Env};

pub(crate) use now_or_later::now_or_later;

use crate::{
    config::{Config, Fault},
    drive,
    gate::{Verdict, WAIT_MS},
    health::{self, HEALTH_PATH, OWN_PATHS},
    memory::Memory,
    packed::{self, Packed},
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
        platform::is_service(env, "UPSTREAM"),
    )?;
    let state = Rc::new(State {
        memory: RefCell::new(Memory::new(&config)),
        imported: RefCell::default(),
        config,
    });
    STATE.set(Some(Rc::clone(&state)));
    Ok(state)
}

/// Where problem codes are explained; empty before the variables were read.
fn pages() -> String {
    STATE.with_borrow(|state| {
        let config = state.as_ref().map(|state| &state.config);
        config.map(Config::problem_pages).unwrap_or_default()
    })
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

/// Decides one request; the lines of its fate.
pub(crate) async fn decide(request: String, env: Env, context: Context) -> String {
    let request_id = RequestId::from_parts(platform::now().0, platform::random()).to_string();
    let Some((packed, asked)) = read(&request) else {
        return packed::answered(&unreadable(&request_id));
    };
    let state = match state(&env) {
        Ok(state) => state,
        Err(faults) => {
            check(&env);
            return packed::answered(&misconfigured(&faults).answer(&asked, &request_id, ""));
        }
    };
    let host = Rc::new(Host { state, context });
    if asked.path == RESOURCE_METADATA_PATH {
        let metadata = refusal::resource_metadata(&asked.origin, &host.state.config.issuer);
        return packed::answered(&metadata);
    }
    if asked.path.starts_with(OWN_PATHS) {
        return packed::answered(&host.own(&asked, &request_id).await);
    }
    match drive::decide(&host, &asked).await {
        Verdict::Pass(pass) => {
            packed.forwarded(&asked, &pass, &host.state.config.upstream, &request_id)
        }
        Verdict::Refuse(refusal) => {
            packed::answered(&refusal.answer(&asked, &request_id, &pages()))
        }
    }
}

/// The answer when the application could not be reached.
pub(crate) fn unreachable(request: &str, request_id: &str) -> String {
    let Some((_, asked)) = read(request) else {
        return packed::answered(&unreadable(request_id));
    };
    let refusal = Refusal::new(
        Code::UpstreamUnreachable,
        "the application behind the edge did not answer",
    );
    packed::answered(&refusal.answer(&asked, request_id, &pages()))
}

fn read(request: &str) -> Option<(Packed<'_>, EdgeRequest)> {
    let packed = Packed::read(request)?;
    let asked = packed.request()?;
    Some((packed, asked))
}

/// The platform hands out absolute URLs only; should it ever not, that is a refusal too.
fn unreadable(request_id: &str) -> Answer {
    let asked = EdgeRequest {
        method: String::new(),
        origin: String::new(),
        host: String::new(),
        path: "/".to_owned(),
        query: String::new(),
        authorization: None,
        ip: None,
    };
    Refusal::new(Code::MalformedRequest, "the request has no absolute URL").answer(
        &asked,
        request_id,
        &pages(),
    )
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
    /// The gate's own paths: health, and nothing else.
    async fn own(self: &Rc<Self>, request: &EdgeRequest, request_id: &str) -> Answer {
        if request.path != HEALTH_PATH {
            return Refusal::new(Code::NotFound, "the gate has no such page").answer(
                request,
                request_id,
                &pages(),
            );
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
