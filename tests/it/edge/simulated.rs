//! A data centre in virtual time: isolates that share a cache, a control plane that is slow, silent
//! or wrong, and requests that run side by side. Nothing sleeps: when all wait, the clock moves.

use std::{
    cell::{Cell, RefCell, RefMut},
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use edge_worker::{
    config::Config,
    document::{Copy, Document, PerDocument},
    drive,
    gate::AccessDecision,
    memory::Memory,
    refresh,
    request::EdgeRequest,
    rim::{Fetched, Place, RefreshLease, Rim},
};
use futures_util::{FutureExt as _, future::LocalBoxFuture};
use plinto_contract::time::UnixMillis;
use plinto_jose::{Algorithm, SignatureJob};
use plinto_tests::authority::{AUDIENCE, Authority};

use super::offline::{ISSUER, START};

/// How the control plane behaves at one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conduct {
    /// It answers after so many milliseconds.
    Answers(i64),
    /// It accepts, and never says anything.
    Silent,
    /// It answers at once, with what is no document.
    Babbles,
    /// It answers at once, and says that what it knows is so many milliseconds old.
    Remembers(i64),
}

/// Everything but the isolates.
pub(super) struct Centre {
    pub(super) authority: RefCell<Authority>,
    pub(super) conduct: RefCell<PerDocument<Option<Conduct>>>,
    /// The Cache API, by address.
    pub(super) cache: RefCell<BTreeMap<String, Copy>>,
    /// Every question, and whether the answer was "not modified".
    pub(super) asked: RefCell<Vec<(Document, bool)>>,
    now: Cell<UnixMillis>,
    timers: RefCell<BTreeSet<UnixMillis>>,
    tasks: RefCell<Vec<LocalBoxFuture<'static, ()>>>,
}

/// One isolate; a clone is the same one.
#[derive(Clone)]
pub(super) struct Simulated {
    pub(super) centre: Rc<Centre>,
    pub(super) config: Rc<Config>,
    pub(super) memory: Rc<RefCell<Memory>>,
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Centre {
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self {
            authority: RefCell::new(Authority::new(
                ISSUER,
                &[Algorithm::Es256, Algorithm::Es256],
                START.to_seconds(),
            )),
            conduct: RefCell::default(),
            cache: RefCell::default(),
            asked: RefCell::default(),
            now: Cell::new(START),
            timers: RefCell::default(),
            tasks: RefCell::default(),
        })
    }

    /// A new isolate: its memory is empty.
    pub(super) fn isolate(self: &Rc<Self>) -> Simulated {
        self.isolate_with(&[])
    }

    pub(super) fn isolate_with(self: &Rc<Self>, variables: &[(&str, &str)]) -> Simulated {
        let tenant = self.authority.borrow().tenant.to_string();
        let mut all = BTreeMap::from([
            ("ISSUER", ISSUER),
            ("AUDIENCE", AUDIENCE),
            ("TENANT", tenant.as_str()),
            ("UPSTREAM", "https://app.internal"),
        ]);
        all.extend(variables.iter().copied());
        let config = Config::read(
            |name| all.get(name).map(|text| (*text).to_owned()),
            |_| false,
        );
        let config = config.unwrap();
        Simulated {
            centre: Rc::clone(self),
            memory: Rc::new(RefCell::new(Memory::new(&config))),
            config: Rc::new(config),
        }
    }

    pub(super) fn now(&self) -> UnixMillis {
        self.now.get()
    }

    /// How it behaves from now on, everywhere.
    pub(super) fn behave(&self, conduct: Conduct) {
        for document in Document::ALL {
            self.behave_at(document, conduct);
        }
    }

    pub(super) fn behave_at(&self, document: Document, conduct: Conduct) {
        *self.conduct.borrow_mut().get_mut(document) = Some(conduct);
    }

    /// Lets time pass; what was begun goes on.
    pub(super) fn wait_ms(&self, millis: i64) {
        self.run(self.sleep(millis));
        self.authority.borrow_mut().now = self.now.get().to_seconds();
    }

    /// An editor's token, signed now.
    pub(super) fn token(&self) -> String {
        let authority = self.authority.borrow();
        authority.token(&authority.claims())
    }

    /// Runs a future to its end, and everything begun beside it.
    pub(super) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = Box::pin(future);
        loop {
            if let Poll::Ready(value) = self.poll(&mut |context| future.as_mut().poll(context)) {
                return value;
            }
            let mut timers = self.timers.borrow_mut();
            // without a timer everything would wait for ever
            let next = timers.pop_first().unwrap();
            self.now.set(self.now.get().max(next));
        }
    }

    /// Goes as far as it goes at this moment.
    pub(super) fn poll<T>(&self, poll: &mut dyn FnMut(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        loop {
            woken.0.store(false, Ordering::SeqCst);
            if let Poll::Ready(value) = poll(&mut context) {
                return Poll::Ready(value);
            }
            let mut tasks = std::mem::take(&mut *self.tasks.borrow_mut());
            tasks.retain_mut(|task| task.as_mut().poll(&mut context).is_pending());
            let mut begun = self.tasks.borrow_mut();
            let is_idle = begun.is_empty() && !woken.0.load(Ordering::SeqCst);
            tasks.append(&mut begun);
            *begun = tasks;
            if is_idle {
                return Poll::Pending;
            }
        }
    }

    fn sleep(&self, millis: i64) -> impl Future<Output = ()> + '_ {
        let until = self.now.get().plus_millis(millis);
        poll_fn(move |_| {
            if self.now.get() >= until {
                return Poll::Ready(());
            }
            self.timers.borrow_mut().insert(until);
            Poll::Pending
        })
    }

    fn published(&self, document: Document) -> Vec<u8> {
        let authority = self.authority.borrow();
        match document {
            Document::TokenKeys => authority.token_jwks(),
            Document::BundleKeys => authority.bundle_jwks(),
            Document::Policy => authority.bundle(&authority.activated()),
            Document::Revocations => authority.signed_feed(&authority.feed(1)).into_bytes(),
        }
    }

    /// Names what is published now. The policy was activated once; the feed is signed every second.
    fn etag(&self, document: Document) -> String {
        let authority = self.authority.borrow();
        match document {
            Document::TokenKeys => format!("\"{} keys\"", authority.token_keys.len()),
            Document::BundleKeys | Document::Policy => "\"1\"".to_owned(),
            Document::Revocations => format!("\"{}\"", authority.now.0),
        }
    }
}

impl Simulated {
    /// Decides the editor's request for a document.
    pub(super) async fn read(&self, token: &str) -> AccessDecision {
        let request = EdgeRequest::new(
            "GET",
            "https://app.example.com/documents/7",
            Some(format!("Bearer {token}")),
            None,
        );
        drive::decide(self, &request.unwrap()).await
    }

    /// The same to its end, and how many milliseconds it took.
    pub(super) fn timed(&self, token: &str) -> (AccessDecision, i64) {
        let began = self.centre.now();
        let decision = self.centre.run(self.read(token));
        (decision, self.centre.now().millis_since(began))
    }
}

impl Rim for Simulated {
    fn config(&self) -> &Config {
        &self.config
    }

    fn memory(&self) -> RefMut<'_, Memory> {
        self.memory.borrow_mut()
    }

    fn now(&self) -> UnixMillis {
        self.centre.now()
    }

    async fn pause(&self, millis: i64) {
        self.centre.sleep(millis).await;
    }

    async fn fetch(
        &self,
        place: &Place,
        etag: Option<&str>,
        timeout_ms: i64,
    ) -> Result<Fetched, String> {
        let mut confirmed_at = self.now();
        let conduct = *self.centre.conduct.borrow().get(place.document);
        let (body, new) = match conduct.unwrap_or(Conduct::Answers(20)) {
            Conduct::Answers(after_ms) if after_ms < timeout_ms => {
                let body = self.centre.published(place.document);
                let new = self.centre.etag(place.document);
                self.pause(after_ms).await;
                (body, new)
            }
            Conduct::Remembers(age_ms) => {
                confirmed_at = confirmed_at.plus_millis(-age_ms);
                let body = self.centre.published(place.document);
                (body, self.centre.etag(place.document))
            }
            Conduct::Babbles => (b"<html>".to_vec(), "\"none\"".to_owned()),
            Conduct::Answers(_) | Conduct::Silent => {
                self.pause(timeout_ms).await;
                return Err("no answer".to_owned());
            }
        };
        let is_known = etag == Some(new.as_str());
        self.centre
            .asked
            .borrow_mut()
            .push((place.document, is_known));
        if is_known {
            return Ok(Fetched::NotModified(confirmed_at));
        }
        Ok(Fetched::New(Copy {
            body: Rc::new(body),
            etag: Some(new),
            cache_control: None,
            confirmed_at,
        }))
    }

    async fn cached(&self, place: &Place) -> Option<Copy> {
        self.centre.cache.borrow().get(&place.url).cloned()
    }

    async fn share(&self, place: &Place, copy: &Copy) {
        let mut cache = self.centre.cache.borrow_mut();
        cache.insert(place.url.clone(), copy.clone());
    }

    async fn verify(&self, job: &SignatureJob<'_>) -> bool {
        plinto_jose::verify(job).is_ok()
    }

    fn run(&self, lease: RefreshLease) -> LocalBoxFuture<'static, ()> {
        let isolate = self.clone();
        let refreshing = async move {
            let _outcome = refresh::refresh(&isolate, lease).await;
        };
        let refreshing = refreshing.boxed_local().shared();
        self.centre
            .tasks
            .borrow_mut()
            .push(refreshing.clone().boxed_local());
        refreshing.boxed_local()
    }

    fn log(&self, _line: &str) {}
}
