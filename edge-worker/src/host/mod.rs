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
    config::{self, Config, Fault},
    drive,
    failure::Failure,
    freshness::WAIT_MS,
    gate::AccessDecision,
    health,
    memory::Memory,
    own::{self, Page},
    packed::{self, Packed},
    path::CanonicalPath,
    refresh,
    refusal::{Answer, Refusal},
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
    static IS_WARNED: Cell<bool> = const { Cell::new(false) };
}

/// Reads the variables once per isolate.
fn state(env: &Env) -> Result<Rc<State>, Vec<Fault>> {
    if let Some(state) = STATE.with_borrow(Clone::clone) {
        return Ok(state);
    }
    let config = Config::read(
        |name| platform::variable(env, name),
        |name| platform::is_service(env, name),
    )?;
    let state = Rc::new(State {
        memory: RefCell::new(Memory::new(&config)),
        imported: RefCell::default(),
        config,
    });
    STATE.set(Some(Rc::clone(&state)));
    Ok(state)
}

/// The answer that a refusal comes to, as far as the variables could be read; and a line in the log.
fn answer(refusal: &Refusal, asked: &EdgeRequest, request_id: &str) -> Answer {
    worker::console_log!("{}", refusal.log_line(request_id));
    STATE.with_borrow(|state| {
        let config = state.as_ref().map(|state| &state.config);
        refusal.answer(asked, request_id, config)
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

/// Says once that a Worker that serves others is set up to find its peers on its own machine.
fn warn_of_loopback(config: &Config, asked: &EdgeRequest) {
    if IS_WARNED.get() || config::is_loopback(&asked.host) {
        return;
    }
    for name in config.on_loopback() {
        worker::console_warn!(
            "edge configuration: {name} is an address of this machine, which no deployed Worker reaches"
        );
    }
    IS_WARNED.set(true);
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
            return packed::answered(&answer(&misconfigured(&faults), &asked, &request_id));
        }
    };
    warn_of_loopback(&state.config, &asked);
    let host = Rc::new(Host { state, context });
    let config = &host.state.config;
    let path = asked.path.as_ref();
    if let Some(page) = path.ok().and_then(|path| own::page(path, config)) {
        return packed::answered(&host.own(page, &asked, &request_id).await);
    }
    match drive::decide(&host, &asked).await {
        AccessDecision::Pass(pass) => packed.forwarded(&asked, &pass, config, &request_id),
        AccessDecision::Refuse(refusal) => packed::answered(&answer(&refusal, &asked, &request_id)),
    }
}

/// Checks the token of a request that was let through again: empty while it is good, else what ended it.
pub(crate) async fn recheck(
    request: String,
    request_id: String,
    env: Env,
    context: Context,
) -> String {
    let Some((_, asked)) = read(&request) else {
        return packed::ended(Code::MalformedRequest, &unreadable(&request_id));
    };
    let state = match state(&env) {
        Ok(state) => state,
        Err(faults) => {
            let answer = answer(&misconfigured(&faults), &asked, &request_id);
            return packed::ended(Code::EdgeMisconfigured, &answer);
        }
    };
    let host = Rc::new(Host { state, context });
    match drive::recheck(&host, &asked).await {
        Ok(()) => String::new(),
        Err(refusal) => packed::ended(refusal.code, &answer(&refusal, &asked, &request_id)),
    }
}

/// The answer when forwarding failed.
pub(crate) fn failed(request: &str, request_id: &str, failure: &str) -> String {
    let Some((_, asked)) = read(request) else {
        return packed::answered(&unreadable(request_id));
    };
    let refusal = Failure::named(failure).refusal();
    packed::answered(&answer(&refusal, &asked, request_id))
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
        raw_path: "/".to_owned(),
        path: CanonicalPath::parse("/"),
        query: String::new(),
        authorization: None,
        ip: None,
    };
    let refusal = Refusal::new(Code::MalformedRequest, "the request has no absolute URL");
    answer(&refusal, &asked, request_id)
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
    /// The edge's own pages.
    async fn own(self: &Rc<Self>, page: Page, request: &EdgeRequest, request_id: &str) -> Answer {
        match page {
            Page::Missing => {
                let refusal = Refusal::new(Code::NotFound, "the edge has no such page");
                answer(&refusal, request, request_id)
            }
            Page::Health | Page::Metadata => {
                let config = &self.state.config;
                match own::wrong_method(request, request_id, config) {
                    Some(answer) => answer,
                    None if page == Page::Metadata => own::metadata(config),
                    None => self.health().await,
                }
            }
        }
    }

    async fn health(self: &Rc<Self>) -> Answer {
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
