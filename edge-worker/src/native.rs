//! The rim without a Worker: for tests, benches, fuzzers, and whoever embeds the gate elsewhere.
//!
//! It does what the Worker's own rim does, but where that waits for the network and for
//! WebCrypto, this calls a [`Source`].

use jwks_cache::Response;
use plinto_contract::time::UnixMillis;
use plinto_jose::SignatureJob;

use crate::{
    bundles,
    config::Config,
    gate::{Gate, Step, Verdict},
    keys::{KeySet, Known},
    memory::{Document, Documents, Memory},
    request::EdgeRequest,
    revocations,
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
    ) -> Verdict {
        let (verdict, behind) = self.decide_only(request, source, now);
        for document in behind.iter() {
            self.refresh(document, source, now);
        }
        verdict
    }

    fn decide_only(
        &mut self,
        request: &EdgeRequest,
        source: &mut impl Source,
        now: UnixMillis,
    ) -> (Verdict, Documents) {
        let config = self.config.clone();
        let mut gate = match Gate::enter(&config, request, &mut self.memory, now) {
            Ok(gate) => gate,
            Err(refusal) => return (Verdict::Refuse(refusal), Documents::default()),
        };
        loop {
            match gate.step(&mut self.memory, now) {
                Step::Need(documents) => {
                    for document in documents.iter() {
                        self.refresh(document, source, now);
                    }
                }
                Step::NeedSignature => {
                    let is_right = gate.signature_job().is_some_and(|job| source.verify(&job));
                    gate.signature_checked(is_right);
                }
                Step::Done(verdict) => return (verdict, gate.behind()),
            }
        }
    }

    /// Refreshes one document, if nobody is at it and no failure is recent.
    /// Errors: one line for the log; what was in hand stays.
    pub fn refresh(
        &mut self,
        document: Document,
        source: &mut impl Source,
        now: UnixMillis,
    ) -> Option<Result<(), String>> {
        Some(match document {
            Document::TokenKeys => self.refresh_keys(KeySet::Token, source, now)?,
            Document::BundleKeys => self.refresh_keys(KeySet::Bundle, source, now)?,
            Document::Policy => {
                if !self.memory.policy.freshness.lease(now) {
                    return None;
                }
                let taken = self.take_policy(source, now);
                match taken {
                    Ok(()) => self.memory.policy.freshness.confirmed(now),
                    Err(_) => self.memory.policy.freshness.failed(now),
                }
                taken
            }
            Document::Revocations => {
                if !self.memory.revocations.freshness.lease(now) {
                    return None;
                }
                let taken = self.take_revocations(source, now);
                match taken {
                    Ok(()) => self.memory.revocations.freshness.confirmed(now),
                    Err(_) => self.memory.revocations.freshness.failed(now),
                }
                taken
            }
        })
    }

    fn refresh_keys(
        &mut self,
        set: KeySet,
        source: &mut impl Source,
        now: UnixMillis,
    ) -> Option<Result<(), String>> {
        let lease = self.memory.keys.begin(set, now)?;
        let document = match set {
            KeySet::Token => Document::TokenKeys,
            KeySet::Bundle => Document::BundleKeys,
        };
        let Some(body) = source.fetch(document) else {
            self.memory.keys.failed(lease, now);
            return Some(Err("no answer".to_owned()));
        };
        let answer = Response {
            status: 200,
            redirected: false,
            body: &body,
        };
        let offered = self.memory.keys.offer(lease, &answer, None, now, now);
        Some(offered.map_err(|error| error.to_string()))
    }

    fn take_policy(&mut self, source: &mut impl Source, now: UnixMillis) -> Result<(), String> {
        let packed = source.fetch(Document::Policy).ok_or("no answer")?;
        let candidate = bundles::Candidate::read(&packed).map_err(|error| error.to_string())?;
        let key = self.bundle_key(candidate.kid(), source, now)?;
        let job = candidate
            .signature_job(&key)
            .map_err(|error| error.to_string())?;
        if !source.verify(&job) {
            return Err("the signature is not valid".to_owned());
        }
        candidate
            .activate(&mut self.memory.policy, &self.config, now)
            .map_err(|error| error.to_string())
    }

    fn take_revocations(
        &mut self,
        source: &mut impl Source,
        now: UnixMillis,
    ) -> Result<(), String> {
        let bytes = source.fetch(Document::Revocations).ok_or("no answer")?;
        let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
        let candidate = revocations::Candidate::read(&text).map_err(|error| error.to_string())?;
        let key = self.bundle_key(candidate.kid(), source, now)?;
        let job = candidate
            .signature_job(&key)
            .map_err(|error| error.to_string())?;
        if !source.verify(&job) {
            return Err("the signature is not valid".to_owned());
        }
        candidate
            .accept(&mut self.memory.revocations, &self.config, now)
            .map_err(|error| error.to_string())
    }

    fn bundle_key(
        &mut self,
        kid: Option<&str>,
        source: &mut impl Source,
        now: UnixMillis,
    ) -> Result<std::sync::Arc<plinto_jose::Jwk>, String> {
        let kid = kid.ok_or("the signature names no key")?;
        let mut found = self.memory.keys.find(KeySet::Bundle, kid, now);
        if found == Known::Wait {
            if let Some(Err(error)) = self.refresh_keys(KeySet::Bundle, source, now) {
                return Err(error);
            }
            found = self.memory.keys.find(KeySet::Bundle, kid, now);
        }
        match found {
            Known::Key { key, .. } => Ok(key),
            _ => Err("the signing key is not published".to_owned()),
        }
    }
}
