//! The gate at the edge: verify, decide, forward.
//!
//! - [`gate`] decides, purely; [`request`], [`path`], [`routes`] and [`input`] say what is asked.
//! - [`memory`] is what one isolate remembers: [`keys`], [`bundles`], [`revocations`], [`tokens`];
//!   [`freshness`] says when that may be used, and [`refresh`] refreshes it.
//! - [`refusal`], [`upstream`] and [`health`] say what is answered and forwarded.
//! - [`config`] reads the variables.
//! - `host`, only in WebAssembly, is the rim: it fetches, checks signatures in WebCrypto, forwards.
//! - `native`, only elsewhere, is the rim without a Worker: for tests, benches and fuzzers.

#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, missing_docs)]

pub mod bundles;
pub mod config;
pub mod freshness;
pub mod gate;
pub mod health;
pub mod input;
pub mod keys;
pub mod memory;
pub mod path;
pub mod refresh;
pub mod refusal;
pub mod request;
pub mod revocations;
pub mod routes;
pub mod tokens;
pub mod upstream;

#[cfg(target_arch = "wasm32")]
mod host;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
#[cfg(test)]
mod testing;

#[cfg(target_arch = "wasm32")]
use worker::{Context, Env, event, wasm_bindgen, web_sys};

/// Answers one request.
#[cfg(target_arch = "wasm32")]
#[event(fetch)]
async fn fetch(
    request: web_sys::Request,
    env: Env,
    context: Context,
) -> worker::Result<web_sys::Response> {
    host::answer(request, &env, context).await
}

/// Names every variable that can't be used, in the log, before the first request comes.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen]
#[expect(
    clippy::needless_pass_by_value,
    reason = "what is exported takes values"
)]
pub fn check(env: Env) {
    host::check(&env);
}
