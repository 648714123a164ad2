//! What it costs to check a token natively: `cargo bench -p plinto-jose`.
//!
//! `whole` is everything (parse, header, signature, claims); `parse` is what the edge does before
//! it hands the signature to WebCrypto.
#![expect(clippy::expect_used, reason = "a bench ends at the first surprise")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use plinto_jose::jwt::{self, Expectations};
use plinto_jose::{Algorithm, Backend, JwkSet, Jws, SigningKey, verify_with};

const NOW_S: i64 = 1_800_000_000;

/// An access token as the control plane makes it, about 600 bytes of claims.
const CLAIMS: &str = r#"{"iss":"https://id.example/t/acme","aud":"https://api.example",
    "sub":"user_01h45ytscbebyvny4gc8cr8ma2","client_id":"plinto","jti":"tok_01h45ytscbebyvny4gc8cr8ma2",
    "sid":"sess_01h45ytscbebyvny4gc8cr8ma2","tenant":"tenant_01h45ytscbebyvny4gc8cr8ma2",
    "org":"org_01h45ytscbebyvny4gc8cr8ma2","roles":["owner","billing","support","viewer"],
    "amr":["pwd","otp"],"auth_time":1799999000,"iat":1799999990,"exp":1800000300}"#;

fn verifying(criterion: &mut Criterion) {
    let expected = Expectations {
        typ: "at+jwt",
        issuer: "https://id.example/t/acme",
        audience: "https://api.example",
        algorithms: &Algorithm::ALL,
        leeway_s: 5,
    };
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let key = SigningKey::generate(algorithm).expect("a key");
        let token = key
            .sign(Some("at+jwt"), CLAIMS.as_bytes())
            .expect("a token");
        let keys = JwkSet::from(vec![key.public()]);
        jwt::verify(&token, &keys, &expected, NOW_S).expect("a good token");
        let mut group = criterion.benchmark_group(algorithm.as_str());
        group.bench_function("parse", |bencher| {
            bencher.iter(|| {
                let jws = Jws::parse(black_box(&token)).expect("parses");
                jwt::check_claims(&jws.payload, &expected, NOW_S)
            });
        });
        let public = key.public();
        let jws = Jws::parse(&token).expect("parses");
        let job = jws.signature_job(&public).expect("fits");
        group.bench_function("signature, AWS-LC", |bencher| {
            bencher.iter(|| verify_with(Backend::AwsLc, black_box(&job)));
        });
        group.bench_function("signature, RustCrypto", |bencher| {
            bencher.iter(|| verify_with(Backend::RustCrypto, black_box(&job)));
        });
        group.bench_function("whole", |bencher| {
            bencher.iter(|| jwt::verify(black_box(&token), &keys, &expected, NOW_S));
        });
        group.bench_function("sign", |bencher| {
            bencher.iter(|| key.sign(Some("at+jwt"), black_box(CLAIMS.as_bytes())));
        });
        group.finish();
    }
}

criterion_group!(benches, verifying);
criterion_main!(benches);
