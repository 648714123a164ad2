//! Writes what an edge needs to decide without a control plane, as one JSON object on stdout:
//! keys, bundle, revocation feed, and tokens to be judged. For the bench in workerd.
//!
//! Usage: `documents <issuer> <now in Unix seconds> <tokens per algorithm>`
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a tool for developers, which may stop with a message"
)]

#[path = "../../tests/src/authority.rs"]
#[expect(dead_code, unreachable_pub, reason = "the tests use more of it")]
mod authority;

use base64ct::{Base64, Encoding as _};
use plinto_contract::{ids::TokenId, time::UnixSeconds};
use plinto_jose::Algorithm;
use serde_json::json;

const ALGORITHMS: [Algorithm; 3] = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, issuer, now, count] = arguments.as_slice() else {
        panic!("usage: documents <issuer> <now> <tokens>");
    };
    let now = UnixSeconds(now.parse().expect("now is a number of seconds"));
    let count: u8 = count.parse().expect("tokens is a number up to 255");
    let authority = authority::Authority::new(issuer, &ALGORITHMS, now);
    let tokens = |index: usize| -> Vec<String> {
        let key = &authority.token_keys[index];
        let token = |number: u8| {
            let mut claims = authority.claims();
            claims.jti = TokenId::from_parts(2, [number; 10]);
            authority::Authority::token_by(key, &serde_json::to_value(claims).unwrap())
        };
        (0..count).map(token).collect()
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let bundle = authority.bundle(&authority.activated());
    let documents = json!({
        "issuer": issuer,
        "audience": authority::AUDIENCE,
        "tenant": authority.tenant,
        "token_keys": text(authority.token_jwks()),
        "bundle_keys": text(authority.bundle_jwks()),
        "revocations": authority.signed_feed(&authority.feed(1)),
        "bundle": Base64::encode_string(&bundle),
        "tokens": { "RS256": tokens(0), "ES256": tokens(1), "EdDSA": tokens(2) },
    });
    println!("{documents}");
}
