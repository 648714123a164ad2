//! What one decision costs natively: cold, with a token not seen before, with a known one.
//! Signatures are checked by AWS-LC; in a Worker by WebCrypto (see `benches/edge.mjs`).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench that can't go on should say where"
)]

#[path = "../../tests/src/authority.rs"]
#[expect(dead_code, unreachable_pub, reason = "the tests use more of it")]
mod authority;

use std::hint::black_box;

use authority::{AUDIENCE, Authority};
use criterion::{Criterion, criterion_group, criterion_main};
use edge_worker::{
    config::Config,
    document::Document,
    gate::AccessDecision,
    native::{Isolate, Source},
    request::EdgeRequest,
};
use plinto_contract::time::{UnixMillis, UnixSeconds};
use plinto_jose::{Algorithm, SignatureJob};

const ISSUER: &str = "https://id.example.com/t/acme";
const NOW: UnixSeconds = UnixSeconds(1_794_387_660);
const ALGORITHMS: [Algorithm; 3] = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa];

struct Served {
    token_keys: Vec<u8>,
    bundle_keys: Vec<u8>,
    policy: Vec<u8>,
    revocations: Vec<u8>,
}

impl Source for Served {
    fn fetch(&mut self, document: Document) -> Option<Vec<u8>> {
        Some(match document {
            Document::TokenKeys => self.token_keys.clone(),
            Document::BundleKeys => self.bundle_keys.clone(),
            Document::Policy => self.policy.clone(),
            Document::Revocations => self.revocations.clone(),
        })
    }

    fn verify(&mut self, job: &SignatureJob<'_>) -> bool {
        plinto_jose::verify(job).is_ok()
    }
}

fn isolate(authority: &Authority) -> Isolate {
    let config = Config::read(
        |name| {
            Some(match name {
                "ISSUER" => ISSUER.to_owned(),
                "AUDIENCE" => AUDIENCE.to_owned(),
                "TENANT" => authority.tenant.to_string(),
                "UPSTREAM" => "https://app.internal".to_owned(),
                _ => return None,
            })
        },
        |_| false,
    );
    Isolate::new(config.unwrap())
}

fn pass(isolate: &mut Isolate, served: &mut Served, request: &EdgeRequest, now: UnixMillis) {
    match isolate.decide(request, served, now) {
        AccessDecision::Pass(pass) => {
            black_box(pass);
        }
        AccessDecision::Refuse(refusal) => panic!("{refusal:?}"),
    }
}

fn gate(criterion: &mut Criterion) {
    let authority = Authority::new(ISSUER, &ALGORITHMS, NOW);
    let mut served = Served {
        token_keys: authority.token_jwks(),
        bundle_keys: authority.bundle_jwks(),
        policy: authority.bundle(&authority.activated()),
        revocations: authority.signed_feed(&authority.feed(1)).into_bytes(),
    };
    let now = NOW.to_millis();
    let claims = serde_json::to_value(authority.claims()).unwrap();
    for (index, algorithm) in ALGORITHMS.iter().enumerate() {
        let token = Authority::token_by(&authority.token_keys[index], &claims);
        let request = EdgeRequest::new(
            "GET",
            "https://app.example.com/documents/7",
            Some(format!("Bearer {token}")),
            None,
        )
        .unwrap();
        let name = algorithm.as_str();
        criterion.bench_function(&format!("{name}: cold edge"), |bencher| {
            bencher.iter(|| pass(&mut isolate(&authority), &mut served, &request, now));
        });
        let mut warm = isolate(&authority);
        pass(&mut warm, &mut served, &request, now);
        criterion.bench_function(&format!("{name}: new token"), |bencher| {
            bencher.iter(|| {
                warm.memory.tokens = edge_worker::tokens::Tokens::default();
                pass(&mut warm, &mut served, &request, now);
            });
        });
        criterion.bench_function(&format!("{name}: known token"), |bencher| {
            bencher.iter(|| pass(&mut warm, &mut served, &request, now));
        });
    }
}

criterion_group!(benches, gate);
criterion_main!(benches);
