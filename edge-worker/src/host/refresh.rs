//! Refreshing a document: who may, from where, and what is accepted.

use std::{rc::Rc, time::Duration};

use futures_util::future::join_all;
use jwks_cache::{Lease, Response, max_age_s};
use plinto_contract::{limits, time::UnixMillis};
use plinto_jose::{Jwk, SignatureJob};
use worker::Delay;

use super::{
    Host,
    documents::{self, Copy, Fetched},
    platform, webcrypto,
};
use crate::{
    bundles,
    keys::{KeySet, Known},
    memory::{Document, Documents},
    revocations,
};

/// 3 s: the control plane answers in milliseconds, or it is not there.
const TIMEOUT_MS: u32 = 3_000;
/// 4 ms: how often a request looks whether somebody else's refresh has ended.
const LOOK_EVERY: Duration = Duration::from_millis(4);
/// 4 s: longest a request waits for somebody else's refresh, whose time-out is shorter.
const LOOK_FOR_MS: i64 = 4_000;
/// 4 MiB: a revocation feed.
const FEED_BYTES: usize = 4 * 1024 * 1024;
/// A bundle key may be newer than the set in hand, and the set's refresh may have begun earlier.
const KEY_ROUNDS: usize = 3;

/// The right to refresh one document.
enum Turn {
    Keys(KeySet, Lease),
    Policy,
    Revocations,
}

impl Host {
    /// Waits until these documents were refreshed, by this request or by those who are at it.
    pub(super) async fn settle(self: &Rc<Self>, documents: Documents) {
        let waits = documents.iter().map(|document| async move {
            match self.turn(document) {
                Some(turn) => self.refresh(turn).await,
                None => self.wait_for_others(document).await,
            }
        });
        join_all(waits).await;
    }

    /// Refreshes a document behind the answer, unless somebody is at it.
    pub(super) fn start(self: &Rc<Self>, document: Document) {
        if let Some(turn) = self.turn(document) {
            let host = Rc::clone(self);
            self.context
                .wait_until(async move { host.refresh(turn).await });
        }
    }

    fn turn(&self, document: Document) -> Option<Turn> {
        let now = platform::now();
        let mut memory = self.state.memory.borrow_mut();
        match document {
            Document::TokenKeys => memory
                .keys
                .begin(KeySet::Token, now)
                .map(|lease| Turn::Keys(KeySet::Token, lease)),
            Document::BundleKeys => memory
                .keys
                .begin(KeySet::Bundle, now)
                .map(|lease| Turn::Keys(KeySet::Bundle, lease)),
            Document::Policy => memory.policy.freshness.lease(now).then_some(Turn::Policy),
            Document::Revocations => memory
                .revocations
                .freshness
                .lease(now)
                .then_some(Turn::Revocations),
        }
    }

    async fn wait_for_others(&self, document: Document) {
        let since = platform::now();
        loop {
            let now = platform::now();
            let is_running = self.state.memory.borrow().is_refreshing(document, now);
            if !is_running || now.millis_since(since) >= LOOK_FOR_MS {
                return;
            }
            Delay::from(LOOK_EVERY).await;
        }
    }

    async fn refresh(self: &Rc<Self>, turn: Turn) {
        match turn {
            Turn::Keys(set, lease) => self.refresh_keys(set, lease).await,
            Turn::Policy => self.refresh_policy().await,
            Turn::Revocations => self.refresh_revocations().await,
        }
    }

    async fn refresh_keys(&self, set: KeySet, lease: Lease) {
        let document = match set {
            KeySet::Token => Document::TokenKeys,
            KeySet::Bundle => Document::BundleKeys,
        };
        let url = self.state.memory.borrow().keys.url(set).to_owned();
        let copy = match self
            .newest(document, &url, limits::JWKS_BYTES, 0, true)
            .await
        {
            Ok(copy) => copy,
            Err(error) => {
                worker::console_warn!("edge: {url}: {error}");
                // a fresh isolate may live on what its data centre had last
                match documents::cached(&url, limits::JWKS_BYTES).await {
                    Some(copy) if self.held_etag(document).is_none() => copy,
                    _ => {
                        let now = platform::now();
                        self.state.memory.borrow_mut().keys.failed(lease, now);
                        return;
                    }
                }
            }
        };
        let now = platform::now();
        let answer = Response {
            status: 200,
            redirected: false,
            body: &copy.body,
        };
        let max_age = copy.cache_control.as_deref().and_then(max_age_s);
        let offered = self.state.memory.borrow_mut().keys.offer(
            lease,
            &answer,
            max_age,
            copy.confirmed_at,
            now,
        );
        match offered {
            Ok(()) => self.accepted(document, &url, copy).await,
            Err(error) => worker::console_error!("edge: {url}: {error}"),
        }
    }

    async fn refresh_policy(self: &Rc<Self>) {
        let url = format!("{}/edge/bundle", self.state.config.control_plane);
        let bound = self.state.config.policy_max_age_ms;
        let outcome = async {
            let document = Document::Policy;
            let packed = limits::BUNDLE_PACKED_BYTES;
            let copy = match self.newest(document, &url, packed, bound, true).await {
                Ok(copy) => copy,
                Err(error) => return self.fall_back(document, &url, packed, error).await,
            };
            self.take_policy(&copy).await?;
            self.accepted(document, &url, copy.clone()).await;
            Ok(copy.confirmed_at)
        }
        .await;
        let now = platform::now();
        let mut memory = self.state.memory.borrow_mut();
        match outcome {
            Ok(confirmed_at) => memory.policy.freshness.confirmed(confirmed_at),
            Err(error) => {
                memory.policy.freshness.failed(now);
                worker::console_error!("edge: {url}: {error}");
            }
        }
    }

    async fn refresh_revocations(self: &Rc<Self>) {
        let url = format!("{}/edge/revocations", self.state.config.control_plane);
        let bound = self.state.config.revocation_max_age_ms;
        let outcome = async {
            let document = Document::Revocations;
            let may_keep = self
                .state
                .memory
                .borrow()
                .revocations
                .is_acceptable(platform::now());
            let copy = match self
                .newest(document, &url, FEED_BYTES, bound, may_keep)
                .await
            {
                Ok(copy) => copy,
                Err(error) => return self.fall_back(document, &url, FEED_BYTES, error).await,
            };
            self.take_revocations(&copy).await?;
            self.accepted(document, &url, copy.clone()).await;
            Ok(copy.confirmed_at)
        }
        .await;
        let now = platform::now();
        let mut memory = self.state.memory.borrow_mut();
        match outcome {
            Ok(confirmed_at) => memory.revocations.freshness.confirmed(confirmed_at),
            Err(error) => {
                memory.revocations.freshness.failed(now);
                worker::console_error!("edge: {url}: {error}");
            }
        }
    }

    /// A fresh isolate without a control plane takes what its data centre had last, at the age it
    /// has. The refresh failed all the same.
    async fn fall_back(
        self: &Rc<Self>,
        document: Document,
        url: &str,
        max_bytes: usize,
        error: String,
    ) -> Result<UnixMillis, String> {
        if self.held_etag(document).is_some() {
            return Err(error);
        }
        let Some(copy) = documents::cached(url, max_bytes).await else {
            return Err(error);
        };
        match document {
            Document::Policy => self.take_policy(&copy).await?,
            _ => self.take_revocations(&copy).await?,
        }
        let mut memory = self.state.memory.borrow_mut();
        match document {
            Document::Policy => memory.policy.freshness.confirmed(copy.confirmed_at),
            _ => memory.revocations.freshness.confirmed(copy.confirmed_at),
        }
        drop(memory);
        *self.state.held.borrow_mut().get_mut(document) = Some(copy);
        Err(error)
    }

    /// The newest copy to be had: the data centre's if it is young enough, else the control
    /// plane's.
    /// `bound_ms`: the document's bound; half of it counts as young. `may_keep`: whether "not
    /// modified" is a good answer.
    async fn newest(
        &self,
        document: Document,
        url: &str,
        max_bytes: usize,
        bound_ms: i64,
        may_keep: bool,
    ) -> Result<Copy, String> {
        let held = self.state.held.borrow().get(document).clone();
        if let Some(copy) = documents::cached(url, max_bytes).await {
            let age = platform::now().millis_since(copy.confirmed_at);
            if may_keep && age < bound_ms / 2 {
                return Ok(copy);
            }
        }
        let etag = held
            .as_ref()
            .filter(|_| may_keep)
            .and_then(|copy| copy.etag.clone());
        let asked_at = platform::now();
        match documents::fetch(url, etag.as_deref(), max_bytes, TIMEOUT_MS).await? {
            Fetched::New(copy) => Ok(copy),
            Fetched::NotModified => match held {
                Some(copy) => Ok(Copy {
                    confirmed_at: asked_at,
                    ..copy
                }),
                None => Err("not modified, but nothing is in hand".to_owned()),
            },
        }
    }

    fn held_etag(&self, document: Document) -> Option<String> {
        self.state
            .held
            .borrow()
            .get(document)
            .as_ref()?
            .etag
            .clone()
    }

    /// Whether this very copy was accepted before.
    fn is_held(&self, document: Document, copy: &Copy) -> bool {
        self.state
            .held
            .borrow()
            .get(document)
            .as_ref()
            .is_some_and(|held| Rc::ptr_eq(&held.body, &copy.body) || held.body == copy.body)
    }

    async fn accepted(&self, document: Document, url: &str, copy: Copy) {
        let is_news = self
            .state
            .held
            .borrow()
            .get(document)
            .as_ref()
            .is_none_or(|held| held.confirmed_at < copy.confirmed_at);
        *self.state.held.borrow_mut().get_mut(document) = Some(copy.clone());
        if is_news {
            documents::share(url, &copy).await;
        }
    }

    async fn take_policy(self: &Rc<Self>, copy: &Copy) -> Result<(), String> {
        if self.is_held(Document::Policy, copy) {
            return Ok(());
        }
        let candidate = bundles::Candidate::read(&copy.body).map_err(|error| error.to_string())?;
        let key = self.bundle_key(candidate.kid()).await?;
        let job = candidate
            .signature_job(&key)
            .map_err(|error| error.to_string())?;
        self.check(&job).await?;
        let mut memory = self.state.memory.borrow_mut();
        candidate
            .activate(&mut memory.policy, &self.state.config, platform::now())
            .map_err(|error| error.to_string())
    }

    async fn take_revocations(self: &Rc<Self>, copy: &Copy) -> Result<(), String> {
        let is_acceptable = self
            .state
            .memory
            .borrow()
            .revocations
            .is_acceptable(platform::now());
        if is_acceptable && self.is_held(Document::Revocations, copy) {
            return Ok(());
        }
        let text = str::from_utf8(&copy.body).map_err(|error| error.to_string())?;
        let candidate =
            revocations::Candidate::read(text.trim_end()).map_err(|error| error.to_string())?;
        let key = self.bundle_key(candidate.kid()).await?;
        let job = candidate
            .signature_job(&key)
            .map_err(|error| error.to_string())?;
        self.check(&job).await?;
        let mut memory = self.state.memory.borrow_mut();
        candidate
            .accept(&mut memory.revocations, &self.state.config, platform::now())
            .map_err(|error| error.to_string())
    }

    async fn check(&self, job: &SignatureJob<'_>) -> Result<(), String> {
        if webcrypto::verify(&self.state.imported, job).await {
            Ok(())
        } else {
            Err("the signature is not valid".to_owned())
        }
    }

    /// The key that signed a document, fetched if need be.
    async fn bundle_key(self: &Rc<Self>, kid: Option<&str>) -> Result<Rc<Jwk>, String> {
        let kid = kid.ok_or("the signature names no key")?;
        for _ in 0..KEY_ROUNDS {
            let found =
                self.state
                    .memory
                    .borrow_mut()
                    .keys
                    .find(KeySet::Bundle, kid, platform::now());
            match found {
                Known::Key { key, is_due } => {
                    if is_due {
                        self.start(Document::BundleKeys);
                    }
                    return Ok(Rc::new(Jwk::clone(&key)));
                }
                Known::Wait => match self.turn(Document::BundleKeys) {
                    Some(Turn::Keys(set, lease)) => self.refresh_keys(set, lease).await,
                    _ => self.wait_for_others(Document::BundleKeys).await,
                },
                Known::Unknown => return Err("the signing key is not published".to_owned()),
                Known::NoKeys => break,
            }
        }
        Err("the bundle keys could not be fetched".to_owned())
    }
}
