//! Writes what an edge needs to decide without a control plane, as one JSON object on stdout:
//! keys, bundle, revocation feed, and tokens to be judged. For the bench in workerd.
//!
//! Usage: `documents <issuer> <now in Unix seconds> <algorithm> <tokens>`
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
    let [_, issuer, now, algorithm, count] = arguments.as_slice() else {
        panic!("usage: documents <issuer> <now> <algorithm> <tokens>");
    };
    let now = UnixSeconds(now.parse().expect("now is a number of seconds"));
    let count: u16 = count.parse().expect("tokens is a number up to 65535");
    let index = ALGORITHMS
        .iter()
        .position(|known| known.as_str() == algorithm);
    let index = index.expect("the algorithm is RS256, ES256 or EdDSA");
    let authority = authority::Authority::new(issuer, &ALGORITHMS, now);
    let key = &authority.token_keys[index];
    let token = |number: u16| {
        let mut claims = authority.claims();
        let mut random = [0; 10];
        random[..2].copy_from_slice(&number.to_be_bytes());
        claims.jti = TokenId::from_parts(2, random);
        authority::Authority::token_by(key, &serde_json::to_value(claims).unwrap())
    };
    let tokens: Vec<String> = (0..count).map(token).collect();
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
        "tokens": { algorithm: tokens },
    });
    println!("{documents}");
}
