//! The decision: may this request pass? Pure: it reads no clock and does no I/O.
//!
//! [`Gate::step`] is asked again and again. It either names what it needs (documents to fetch, a
//! signature to check) or gives the [`AccessDecision`]. The Worker fetches with `fetch` and checks with
//! WebCrypto, tests and benches do the same natively; what is decided is the same code.
//!
//! The order: path, token (shape, header, claims), then everything that has to be fetched, then
//! signature, revocation, route, policy. Whatever is in doubt refuses.

use std::{rc::Rc, sync::Arc};

use plinto_contract::{
    claims::{AccessToken, TYP_ACCESS_TOKEN},
    limits::CLOCK_LEEWAY_S,
    policy::DenyReason,
    problem::Code,
    time::UnixMillis,
};
use plinto_jose::{Algorithm, Error as JoseError, Jwk, Jws, SignatureJob, jwt};
use plinto_policy::engine::{Limits, Value};
use serde_json::{Map, Value as Json};

use crate::{
    bundles::ActivePolicy,
    config::Config,
    document::{Document, Documents},
    freshness::WAIT_MS,
    keys::{KeySet, Known},
    memory::Memory,
    path::CanonicalPath,
    refusal::{Challenge, Refusal},
    request::{BearerError, EdgeRequest},
    revocations::{Reliance, Void},
    routes::Target,
    tokens::{Fingerprint, VerifiedToken},
    upstream::Pass,
};

/// What the gate needs next, or what it decided.
#[derive(Debug)]
pub enum Step<T = AccessDecision> {
    /// These documents, from the control plane: refresh them (or wait until whoever is at it has
    /// ended) until [`Gate::deadline`] at most, then ask again. It is asked for once at most.
    Need(Documents),
    /// The check of [`Gate::signature_job`]; report with [`Gate::signature_checked`].
    NeedSignature,
    /// Nothing more: this is what was asked for.
    Done(T),
}

/// Whether the request passes.
#[derive(Debug)]
pub enum AccessDecision {
    /// It does: forward it like this.
    Pass(Pass),
    /// It does not.
    Refuse(Refusal),
}

/// One request on its way through.
#[derive(Debug)]
pub struct Gate<'r> {
    config: &'r Config,
    request: &'r EdgeRequest,
    path: &'r CanonicalPath,
    token: Token,
    entered_at: UnixMillis,
    has_waited: bool,
    behind: Documents,
    is_key_due: bool,
}

#[derive(Debug)]
enum Token {
    None,
    Presented(Box<Presented>),
    Verified(Rc<VerifiedToken>),
}

/// A token that says the right things, of which nobody knows yet who said them.
#[derive(Debug)]
struct Presented {
    fingerprint: Fingerprint,
    jws: Jws,
    kid: String,
    claims: AccessToken,
    key: Option<Arc<Jwk>>,
    is_signature_right: Option<bool>,
}

/// How far a request's token is verified.
#[derive(Debug)]
enum Verification {
    /// Its signature has to be checked first.
    NeedsSignature,
    /// The request has none.
    NoToken,
    /// It is what it says.
    Verified(Rc<VerifiedToken>),
}

/// A token verified a moment ago.
struct KnownToken {
    token: Rc<VerifiedToken>,
    is_key_due: bool,
}

impl<'r> Gate<'r> {
    /// Takes a request in: its path and its token, as far as they can be judged alone.
    /// Errors: the refusal, if that is enough to refuse.
    pub fn enter(
        config: &'r Config,
        request: &'r EdgeRequest,
        memory: &mut Memory,
        now: UnixMillis,
    ) -> Result<Self, Refusal> {
        let path = request
            .path
            .as_ref()
            .map_err(|error| Refusal::new(Code::MalformedRequest, error.to_string()))?;
        let (token, is_key_due) = match request.bearer().map_err(malformed_bearer)? {
            None => (Token::None, false),
            Some(token) => {
                let fingerprint = Fingerprint::of(token, &config.issuer, &config.audience);
                if let Some(known) = known(fingerprint, memory, now) {
                    (Token::Verified(known.token), known.is_key_due)
                } else {
                    let presented = presented(token, fingerprint, config, now)?;
                    (Token::Presented(Box::new(presented)), false)
                }
            }
        };
        Ok(Self {
            config,
            request,
            path,
            token,
            entered_at: now,
            has_waited: false,
            behind: Documents::default(),
            is_key_due,
        })
    }

    /// Goes as far as `memory` allows.
    pub fn step(&mut self, memory: &mut Memory, now: UnixMillis) -> Step {
        let needs = self.needs(memory, now);
        if !needs.is_empty() {
            return Step::Need(needs);
        }
        match self.decide(memory, now) {
            Ok(Some(pass)) => Step::Done(AccessDecision::Pass(pass)),
            Ok(None) => Step::NeedSignature,
            Err(refusal) => Step::Done(AccessDecision::Refuse(refusal)),
        }
    }

    /// The same for what goes on after its decision, an upload, an answer that streams or a socket:
    /// whether its token would still be let in, whatever the policy says. Nobody waits for this answer, so it
    /// waits for what a request would have refreshed behind its own.
    pub fn recheck(&mut self, memory: &mut Memory, now: UnixMillis) -> Step<Result<(), Refusal>> {
        if !self.has_waited {
            let mut due = self.needs(memory, now);
            due.extend(self.behind());
            let of_tokens = due.iter().filter(|due| *due != Document::Policy);
            let needs = Documents::of(of_tokens);
            if !needs.is_empty() {
                self.has_waited = true;
                return Step::Need(needs);
            }
        }
        match self.verification(memory, now) {
            Ok(Verification::NeedsSignature) => Step::NeedSignature,
            Ok(Verification::NoToken) => Step::Done(Ok(())),
            Ok(Verification::Verified(token)) => {
                let is_revocation_stale = self.check_revocation(&token, memory, now);
                Step::Done(is_revocation_stale.map(drop))
            }
            Err(refusal) => Step::Done(Err(refusal)),
        }
    }

    /// The signature to check, after [`Step::NeedSignature`].
    pub fn signature_job(&self) -> Option<SignatureJob<'_>> {
        match &self.token {
            Token::Presented(presented) => {
                presented.jws.signature_job(presented.key.as_deref()?).ok()
            }
            _ => None,
        }
    }

    /// Reports how the check went.
    pub fn signature_checked(&mut self, is_right: bool) {
        if let Token::Presented(presented) = &mut self.token {
            presented.is_signature_right = Some(is_right);
        }
    }

    /// When the request has waited long enough, and is decided with what is there.
    pub const fn deadline(&self) -> UnixMillis {
        self.entered_at.plus_millis(WAIT_MS)
    }

    /// Documents that are due: refresh them behind the answer.
    pub const fn behind(&self) -> Documents {
        let mut behind = self.behind;
        if self.is_key_due {
            behind.insert(Document::TokenKeys);
        }
        behind
    }

    /// What has to be fetched before anything can be decided. All at once and only once, so that
    /// a request waits for the slowest and not for the sum.
    fn needs(&mut self, memory: &mut Memory, now: UnixMillis) -> Documents {
        let has_token = !matches!(self.token, Token::None);
        let due = memory.due(self.config, has_token, now);
        self.behind = due.behind;
        if self.has_waited {
            return Documents::default();
        }
        let mut needs = due.wait;
        match self.find_key(memory, now) {
            Some(Known::Wait) => {
                needs.insert(Document::TokenKeys);
            }
            Some(Known::Key { is_due, .. }) => self.is_key_due = is_due,
            _ => {}
        }
        if !needs.is_empty() {
            self.has_waited = true;
            // what is nearly too old would be so after the wait
            needs.extend(self.behind());
            self.is_key_due = false;
        }
        needs
    }

    /// The key a presented token still needs.
    fn find_key(&self, memory: &mut Memory, now: UnixMillis) -> Option<Known> {
        match &self.token {
            Token::Presented(presented) if presented.key.is_none() => {
                let alg = presented.jws.header.alg;
                Some(memory.keys.find(KeySet::Token, &presented.kid, alg, now))
            }
            _ => None,
        }
    }

    /// `None`: the signature has to be checked first.
    fn decide(&mut self, memory: &mut Memory, now: UnixMillis) -> Result<Option<Pass>, Refusal> {
        let policy = memory.policy.active(now).ok_or_else(no_policy)?;
        let token = match self.verification(memory, now)? {
            Verification::NeedsSignature => return Ok(None),
            Verification::NoToken => None,
            Verification::Verified(token) => Some(token),
        };
        let mut is_revocation_stale = false;
        if let Some(token) = &token {
            is_revocation_stale = self.check_revocation(token, memory, now)?;
        }
        let target = policy.routes.find(&self.request.method, self.path);
        let subject = match (&token, &target) {
            (Some(token), _) => token.subject.clone(),
            (None, Some(target)) if target.is_public => memory.vocabulary.anonymous(),
            (None, _) => return Err(no_token()),
        };
        let target = target.ok_or_else(no_route)?;
        let input =
            memory
                .vocabulary
                .input(subject, &target, self.request, self.path, now.to_seconds());
        let obligations = evaluate(&policy, input, &target, token.is_some())?;
        Pass::new(
            self.path,
            self.request,
            token.as_deref().map(|token| &token.claims),
            &obligations,
            policy.sequence,
            is_revocation_stale,
        )
        .map(|pass| Some(pass.within(target.timeout_s)))
    }

    /// How far the token is verified.
    fn verification(
        &mut self,
        memory: &mut Memory,
        now: UnixMillis,
    ) -> Result<Verification, Refusal> {
        let presented = match &mut self.token {
            Token::None => return Ok(Verification::NoToken),
            Token::Verified(token) => return Ok(Verification::Verified(Rc::clone(token))),
            Token::Presented(presented) => presented,
        };
        match (presented.is_signature_right, &presented.key) {
            (Some(true), Some(_)) => {
                let token = Rc::new(VerifiedToken {
                    claims: presented.claims.clone(),
                    subject: memory.vocabulary.user(&presented.claims),
                    kid: presented.kid.clone(),
                    alg: presented.jws.header.alg,
                    checked_at: now,
                });
                let fingerprint = presented.fingerprint;
                memory.tokens.keep(fingerprint, Rc::clone(&token));
                self.token = Token::Verified(Rc::clone(&token));
                Ok(Verification::Verified(token))
            }
            (Some(_), _) => Err(refuse_token(JoseError::Signature)),
            (None, Some(_)) => Ok(Verification::NeedsSignature),
            (None, None) => {
                match memory
                    .keys
                    .find(KeySet::Token, &presented.kid, presented.jws.header.alg, now)
                {
                    Known::Key { key, is_due } => {
                        // the key must be for the algorithm the token names (T1, T2)
                        presented.jws.signature_job(&key).map_err(refuse_token)?;
                        presented.key = Some(key);
                        self.is_key_due = is_due;
                        Ok(Verification::NeedsSignature)
                    }
                    Known::Unknown => Err(refuse_token(JoseError::UnknownKey)),
                    Known::Wait | Known::NoKeys => Err(Refusal::new(
                        Code::EdgeNotReady,
                        "the issuer's keys could not be fetched",
                    )),
                }
            }
        }
    }

    /// Says whether the token passes although nobody can say if it is revoked.
    fn check_revocation(
        &self,
        token: &VerifiedToken,
        memory: &Memory,
        now: UnixMillis,
    ) -> Result<bool, Refusal> {
        // what is known to be revoked stays revoked, however old the knowledge
        if let Some(void) = memory.revocations.voids(&token.claims, &token.kid) {
            return Err(void_token(void));
        }
        match memory.revocations.reliance(self.config, true, now) {
            Reliance::Good { .. } => Ok(false),
            Reliance::Flagged => Ok(true),
            Reliance::Wait | Reliance::Unknown => Err(Refusal::new(
                Code::RevocationUnknown,
                "the control plane has not said lately who is revoked",
            )),
        }
    }
}

/// Asks the policy. Its answer is its obligations, or the refusal with its reasons.
fn evaluate(
    policy: &ActivePolicy,
    input: Value,
    target: &Target<'_>,
    has_token: bool,
) -> Result<Map<String, Json>, Refusal> {
    let evaluation = policy.engine.evaluate(input, &Limits::default());
    let decision = evaluation.decision;
    if decision.allow {
        return Ok(decision.obligations);
    }
    let reason = evaluation.fault.map(|fault| fault.reason);
    if reason == Some(DenyReason::ObligationsInvalid) {
        return Err(Refusal::new(
            Code::ObligationsInvalid,
            "the policy allows this request, but its obligations are no JSON object of a bounded size and depth",
        ));
    }
    let (code, challenge) = if has_token {
        (Code::PolicyDenied, Challenge::Error("insufficient_scope"))
    } else {
        (Code::AuthenticationRequired, Challenge::Bare)
    };
    let detail = format!(
        "the policy does not let this request {} {}",
        target.action, target.resource_type
    );
    let mut refusal = Refusal::new(code, detail).challenging(challenge);
    refusal.reasons = decision.reasons;
    Err(refusal)
}

/// A token that was verified a moment ago. A key that is no longer published takes its tokens with it (T15).
fn known(fingerprint: Fingerprint, memory: &mut Memory, now: UnixMillis) -> Option<KnownToken> {
    let token = memory.tokens.find(fingerprint, now)?;
    let (kid, alg) = (&token.kid, token.alg);
    if let Known::Key { is_due, .. } = memory.keys.find(KeySet::Token, kid, alg, now) {
        return Some(KnownToken {
            token,
            is_key_due: is_due,
        });
    }
    memory.tokens.forget(fingerprint);
    None
}

/// Judges a token by what it says. Its signature comes later, because that needs its key; but a
/// token that would be refused anyway never causes a fetch.
fn presented(
    token: &str,
    fingerprint: Fingerprint,
    config: &Config,
    now: UnixMillis,
) -> Result<Presented, Refusal> {
    let jws = Jws::parse(token).map_err(refuse_token)?;
    let expected = jwt::Expectations {
        typ: TYP_ACCESS_TOKEN,
        issuer: &config.issuer,
        audience: &config.audience,
        algorithms: &Algorithm::ALL,
        leeway_s: CLOCK_LEEWAY_S,
    };
    jwt::check_header(&jws.header, &expected).map_err(refuse_token)?;
    let claims = jwt::check_claims(&jws.payload, &expected, now.to_seconds().0)
        .map_err(|error| refuse_claims(error, &jws.payload, config))?;
    let claims: AccessToken =
        serde_json::from_value(Json::Object(claims)).map_err(|_| refuse_token(JoseError::Claim))?;
    if claims.tenant != config.tenant {
        let mut refusal = refuse_token(JoseError::Issuer);
        refusal.detail = format!(
            "the token is another tenant's: `{}` is expected, `{}` found",
            config.tenant, claims.tenant
        );
        return Err(refusal);
    }
    let kid = jws
        .header
        .kid
        .clone()
        .ok_or_else(|| refuse_token(JoseError::UnknownKey))?;
    Ok(Presented {
        fingerprint,
        jws,
        kid,
        claims,
        key: None,
        is_signature_right: None,
    })
}

fn refuse_token(error: JoseError) -> Refusal {
    let code = if error == JoseError::Expired {
        Code::TokenExpired
    } else {
        Code::TokenInvalid
    };
    Refusal::new(code, error.to_string()).challenging(Challenge::Error("invalid_token"))
}

fn void_token(void: Void) -> Refusal {
    let (code, detail) = match void {
        Void::Ended => (
            Code::TokenRevoked,
            "the session or user behind this token has been revoked; sign in again",
        ),
        Void::Outdated => (
            Code::TokenOutdated,
            "the user's roles have changed since this token was issued; refresh it",
        ),
        Void::KeyWithdrawn => (
            Code::TokenOutdated,
            "the key that signed this token was withdrawn; refresh it",
        ),
    };
    Refusal::new(code, detail).challenging(Challenge::Error("invalid_token"))
}

/// Another issuer is named beside the one expected: most often one of the two is an old address.
fn refuse_claims(error: JoseError, payload: &[u8], config: &Config) -> Refusal {
    let mut refusal = refuse_token(error);
    if error == JoseError::Issuer
        && let Some(found) = jwt::claimed_issuer(payload)
    {
        refusal.detail = format!("{error}: `{}` is expected, `{found}` found", config.issuer);
    }
    refusal
}

fn malformed_bearer(error: BearerError) -> Refusal {
    match error {
        BearerError::TooLong => refuse_token(JoseError::TooLarge),
        BearerError::Malformed => Refusal::new(Code::MalformedRequest, error.to_string())
            .challenging(Challenge::Error("invalid_request")),
    }
}

fn no_token() -> Refusal {
    Refusal::new(
        Code::AuthenticationRequired,
        "send an access token as `Authorization: Bearer …`",
    )
    .challenging(Challenge::Bare)
}

fn no_route() -> Refusal {
    Refusal::new(
        Code::NoRoute,
        "no route of the active policy covers this method and path",
    )
}

fn no_policy() -> Refusal {
    Refusal::new(
        Code::EdgeNotReady,
        "the edge has no policy that is valid now",
    )
}
