//! A gate without a network: documents are handed to it, signatures checked natively.

use std::collections::BTreeMap;

use edge_worker::{
    config::Config,
    document::Document,
    gate::AccessDecision,
    native::{Isolate, Source},
    refusal::Refusal,
    request::EdgeRequest,
    upstream::Pass,
};
use plinto_contract::{claims::AccessToken, time::UnixMillis};
use plinto_jose::{Algorithm, SignatureJob};
use plinto_tests::authority::{AUDIENCE, Authority};

pub(super) const ISSUER: &str = "https://id.example.com/t/acme";
pub(super) const START: UnixMillis = UnixMillis(1_794_387_660_000);

/// What the control plane would answer now, and what it was asked for.
#[derive(Debug, Default)]
pub(super) struct Served {
    pub(super) token_keys: Option<Vec<u8>>,
    pub(super) bundle_keys: Option<Vec<u8>>,
    pub(super) policy: Option<Vec<u8>>,
    pub(super) revocations: Option<Vec<u8>>,
    pub(super) asked: Vec<Document>,
    pub(super) checked: usize,
}

impl Source for Served {
    fn fetch(&mut self, document: Document) -> Option<Vec<u8>> {
        self.asked.push(document);
        match document {
            Document::TokenKeys => self.token_keys.clone(),
            Document::BundleKeys => self.bundle_keys.clone(),
            Document::Policy => self.policy.clone(),
            Document::Revocations => self.revocations.clone(),
        }
    }

    fn verify(&mut self, job: &SignatureJob<'_>) -> bool {
        self.checked += 1;
        plinto_jose::verify(job).is_ok()
    }
}

/// One edge, its authority, and a clock.
pub(super) struct Offline {
    pub(super) authority: Authority,
    pub(super) served: Served,
    pub(super) isolate: Isolate,
    pub(super) now: UnixMillis,
}

impl Offline {
    pub(super) fn new() -> Self {
        Self::with(&[], &[Algorithm::Es256])
    }

    pub(super) fn with(variables: &[(&str, &str)], algorithms: &[Algorithm]) -> Self {
        let authority = Authority::new(ISSUER, algorithms, START.to_seconds());
        let served = Served {
            token_keys: Some(authority.token_jwks()),
            bundle_keys: Some(authority.bundle_jwks()),
            policy: Some(authority.bundle(&authority.activated())),
            revocations: Some(authority.signed_feed(&authority.feed(1)).into_bytes()),
            ..Served::default()
        };
        let tenant = authority.tenant.to_string();
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
        Self {
            isolate: Isolate::new(config.unwrap()),
            authority,
            served,
            now: START,
        }
    }

    /// The control plane stops answering.
    pub(super) fn cut_off(&mut self) {
        self.served = Served::default();
    }

    pub(super) fn wait_ms(&mut self, millis: i64) {
        self.now = self.now.plus_millis(millis);
    }

    /// The control plane signs the first feed anew, as it does in each quarter of a minute.
    pub(super) fn sign_feed_anew(&mut self) {
        let mut feed = self.authority.feed(1);
        feed.iat = self.now.to_seconds();
        self.served.revocations = Some(self.authority.signed_feed(&feed).into_bytes());
    }

    pub(super) fn ask(&mut self, method: &str, path: &str, token: Option<&str>) -> AccessDecision {
        let url = format!("https://app.example.com{path}");
        let authorization = token.map(|token| format!("Bearer {token}"));
        let request = EdgeRequest::new(method, &url, authorization, None).unwrap();
        self.isolate.decide(&request, &mut self.served, self.now)
    }

    /// The editor's request for a document.
    pub(super) fn read(&mut self) -> AccessDecision {
        let token = self.authority.token(&self.authority.claims());
        self.ask("GET", "/documents/7", Some(&token))
    }

    /// Whether what that request let through may go on.
    pub(super) fn recheck(&mut self) -> Result<(), &'static str> {
        let token = self.authority.token(&self.authority.claims());
        let url = "https://app.example.com/documents/7";
        let bearer = format!("Bearer {token}");
        let request = EdgeRequest::new("GET", url, Some(bearer), None).unwrap();
        let checked = self.isolate.recheck(&request, &mut self.served, self.now);
        checked.unwrap().map_err(|refusal| refusal.code.as_str())
    }

    /// The same with other claims.
    pub(super) fn read_as(&mut self, change: impl FnOnce(&mut AccessToken)) -> AccessDecision {
        let mut claims = self.authority.claims();
        change(&mut claims);
        let token = self.authority.token(&claims);
        self.ask("GET", "/documents/7", Some(&token))
    }
}

#[track_caller]
pub(super) fn passed(decision: AccessDecision) -> Pass {
    match decision {
        AccessDecision::Pass(pass) => pass,
        AccessDecision::Refuse(refusal) => panic!("refused: {refusal:?}"),
    }
}

#[track_caller]
pub(super) fn refused(decision: AccessDecision) -> Refusal {
    match decision {
        AccessDecision::Refuse(refusal) => refusal,
        AccessDecision::Pass(pass) => panic!("passed: {pass:?}"),
    }
}

/// The code of a refusal.
#[track_caller]
pub(super) fn code(decision: AccessDecision) -> &'static str {
    refused(decision).code.as_str()
}

pub(super) fn header<'p>(pass: &'p Pass, name: &str) -> Option<&'p str> {
    pass.headers
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.as_str())
}
