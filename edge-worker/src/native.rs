//! The rim without a Worker: for tests, benches, and whoever embeds the gate elsewhere.
//!
//! Where a Worker waits for the network and for WebCrypto, this calls a [`Source`], so nothing
//! here ever waits.

use std::cell::{Cell, RefCell, RefMut};

use futures_util::{
    FutureExt as _,
    future::{LocalBoxFuture, ready},
};
use plinto_contract::{problem::Code, time::UnixMillis};
use plinto_jose::SignatureJob;

use crate::{
    config::Config,
    document::{Copy, Document},
    drive,
    gate::AccessDecision,
    memory::Memory,
    refresh,
    refusal::Refusal,
    request::EdgeRequest,
    rim::{Fetched, Place, RefreshLease, Rim},
};

/// Where documents come from and who checks signatures.
pub trait Source {
    /// A document's bytes as the control plane has them now; `None` when it does not answer.
    fn fetch(&mut self, document: Document) -> Option<Vec<u8>>;

    /// Checks one signature.
    fn verify(&mut self, job: &SignatureJob<'_>) -> bool;
}

/// One edge: its configuration and what it remembers.
#[derive(Debug)]
pub struct Isolate {
    /// What is set from outside.
    pub config: Config,
    /// What is remembered between requests.
    pub memory: Memory,
}

impl Isolate {
    /// A cold edge.
    pub fn new(config: Config) -> Self {
        Self {
            memory: Memory::new(&config),
            config,
        }
    }

    /// Decides one request, fetching from `source` what is missing. Documents that are due are
    /// refreshed after the decision, as the Worker does behind the answer.
    pub fn decide(
        &mut self,
        request: &EdgeRequest,
        source: &mut impl Source,
        now: UnixMillis,
    ) -> AccessDecision {
        drive::decide(&self.with(source, now), request)
            .now_or_never()
            .unwrap_or_else(|| {
                let detail = "a source made the gate wait";
                AccessDecision::Refuse(Refusal::new(Code::EdgeNotReady, detail))
            })
    }

    /// Whether what was let through with this request's token may go on.
    /// Errors: the refusal that a new request with it would get.
    pub fn recheck(
        &mut self,
        request: &EdgeRequest,
        source: &mut impl Source,
        now: UnixMillis,
    ) -> Option<Result<(), Refusal>> {
        drive::recheck(&self.with(source, now), request).now_or_never()
    }

    /// Refreshes one document, if nobody is at it and no failure is recent.
    /// Errors: one line for the log; what was in hand stays.
    pub fn refresh(
        &mut self,
        document: Document,
        source: &mut impl Source,
        now: UnixMillis,
    ) -> Option<Result<(), String>> {
        let rim = self.with(source, now);
        let lease = refresh::begin(&rim, document)?;
        refresh::refresh(&rim, lease).now_or_never()
    }

    const fn with<'a, S>(&'a mut self, source: &'a mut S, now: UnixMillis) -> Immediate<'a, S> {
        Immediate {
            config: &self.config,
            memory: RefCell::new(&mut self.memory),
            source: RefCell::new(source),
            now: Cell::new(now),
        }
    }
}

/// A rim whose every wait is over at once.
struct Immediate<'a, S> {
    config: &'a Config,
    memory: RefCell<&'a mut Memory>,
    source: RefCell<&'a mut S>,
    now: Cell<UnixMillis>,
}

impl<S: Source> Rim for Immediate<'_, S> {
    fn config(&self) -> &Config {
        self.config
    }

    fn memory(&self) -> RefMut<'_, Memory> {
        RefMut::map(self.memory.borrow_mut(), |memory| &mut **memory)
    }

    fn now(&self) -> UnixMillis {
        self.now.get()
    }

    async fn pause(&self, millis: i64) {
        self.now.set(self.now.get().plus_millis(millis));
    }

    async fn fetch(
        &self,
        place: &Place,
        _etag: Option<&str>,
        _timeout_ms: i64,
    ) -> Result<Fetched, String> {
        let body = self.source.borrow_mut().fetch(place.document);
        let body = body.ok_or("no answer")?;
        Ok(Fetched::New(Copy {
            body: body.into(),
            etag: None,
            cache_control: None,
            confirmed_at: self.now(),
        }))
    }

    async fn cached(&self, _place: &Place) -> Option<Copy> {
        None
    }

    async fn share(&self, _place: &Place, _copy: &Copy) {}

    async fn verify(&self, job: &SignatureJob<'_>) -> bool {
        self.source.borrow_mut().verify(job)
    }

    fn run(&self, lease: RefreshLease) -> LocalBoxFuture<'static, ()> {
        // whoever wants to know how it went calls `Isolate::refresh`
        let _outcome = refresh::refresh(self, lease).now_or_never();
        ready(()).boxed_local()
    }

    fn log(&self, _line: &str) {}
}
