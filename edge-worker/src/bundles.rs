//! The tenant's policy in force: what may replace it, and that the last good one stays.

use std::rc::Rc;

use plinto_contract::time::{UnixMillis, UnixSeconds};
use plinto_jose::{Algorithm, Jwk, SignatureJob};
use plinto_policy::{
    bundle::{self, Expect, Limits, Unverified},
    diagnostics::PolicyError,
    engine::Engine,
};

use crate::{
    config::Config,
    freshness::Freshness,
    routes::{RouteError, Routes},
    signed::SignedDocument,
};

/// Why an offered bundle was not taken.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Unreadable, unsigned, altered, expired, older, or another tenant's.
    #[error("the bundle was refused: {0}")]
    Bundle(#[from] bundle::Error),
    /// Another bundle has this very sequence: nobody can say which of them is in force.
    #[error(
        "the bundle was refused: its sequence {0} is that of the one in hand, its content is not"
    )]
    Changed(u64),
    /// Signed right, but its policy does not compile here.
    #[error("the bundle's policy was refused: {0}")]
    Policy(#[from] PolicyError),
    /// Signed right, but its routes can't be matched.
    #[error("the bundle's routes were refused: {0}")]
    Routes(#[from] RouteError),
}

/// A policy ready to decide.
#[derive(Debug)]
pub struct ActivePolicy {
    /// The compiled modules and their data.
    pub engine: Engine,
    /// Which requests mean which action on which resource.
    pub routes: Routes,
    /// SHA-256 of the published content.
    pub revision: String,
    /// Of the activation.
    pub sequence: u64,
    /// From when on it decides nothing.
    pub expires_at: UnixSeconds,
    /// The key that signed it.
    pub kid: String,
    /// Of all it holds.
    pub digest: [u8; 32],
}

impl ActivePolicy {
    /// Whether it still decides at `now`.
    pub fn is_valid(&self, now: UnixMillis) -> bool {
        now.to_seconds() < self.expires_at
    }
}

/// The policy in force and how fresh it is.
#[derive(Debug, Default)]
pub struct Policy {
    active: Option<Rc<ActivePolicy>>,
    /// When the control plane was last asked.
    pub freshness: Freshness,
}

impl Policy {
    /// The policy that decides at `now`, if there is one.
    pub fn active(&self, now: UnixMillis) -> Option<Rc<ActivePolicy>> {
        self.latest()
            .filter(|policy| policy.is_valid(now))
            .map(Rc::clone)
    }

    /// The last good policy, expired or not.
    pub const fn latest(&self) -> Option<&Rc<ActivePolicy>> {
        self.active.as_ref()
    }

    /// Puts a bundle whose signature was found right in force.
    /// Errors: altered, expired, from the future, replayed, of a used sequence, another tenant's, or
    /// not usable here.
    pub fn accept(
        &mut self,
        signed: SignedBundle,
        config: &Config,
        now: UnixMillis,
    ) -> Result<(), BundleError> {
        let kid = signed.0.kid().unwrap_or_default().to_owned();
        let bundle = signed.0.verified(&Expect {
            tenant: config.tenant,
            now: now.to_seconds(),
            min_sequence: self.min_sequence(),
        })?;
        let sequence = bundle.activation.sequence;
        if let Some(active) = self.latest()
            && active.sequence == sequence
            && active.digest != bundle.digest
        {
            return Err(BundleError::Changed(sequence));
        }
        let engine = Engine::prepare(&bundle.manifest, &bundle.source)?;
        let routes = Routes::compile(engine.routes())?;
        self.active = Some(Rc::new(ActivePolicy {
            engine,
            routes,
            revision: bundle.manifest.revision,
            sequence,
            expires_at: bundle.activation.exp,
            kid,
            digest: bundle.digest,
        }));
        Ok(())
    }

    /// The lowest sequence that is not a replay.
    fn min_sequence(&self) -> u64 {
        self.latest().map_or(0, |policy| policy.sequence)
    }
}

/// An offered bundle whose signature is still to be checked.
#[derive(Debug)]
pub struct SignedBundle(Unverified);

impl SignedDocument for SignedBundle {
    type Error = BundleError;

    fn read(packed: &[u8]) -> Result<Self, BundleError> {
        Ok(Self(Unverified::read(packed, &Limits::activated())?))
    }

    fn kid(&self) -> Option<&str> {
        self.0.kid()
    }

    fn alg(&self) -> Algorithm {
        self.0.alg()
    }

    fn signature_job<'a>(&'a self, key: &'a Jwk) -> Result<SignatureJob<'a>, BundleError> {
        Ok(self.0.signature_job(key)?)
    }
}
