//! The gate at the edge: verify, decide, forward.
//!
//! - [`gate`] decides, purely; [`request`], [`path`], [`routes`] and [`input`] say what is asked.
//! - [`document`] names what comes from the control plane, [`signed`] what of it is signed, and
//!   [`freshness`] says how long it may be used.
//! - [`memory`] is what one isolate remembers: [`keys`], [`bundles`], [`revocations`], [`tokens`];
//!   [`refresh`] refreshes it.
//! - [`refusal`], [`failure`], [`upstream`], [`stripped`], [`own`] and [`health`] say what is answered
//!   and forwarded.
//! - [`packed`] says it to the JavaScript around it, `edge-worker/shim`, which forwards.
//! - [`config`] reads the variables.
//! - [`drive`] gets the gate what it lacks; [`rim`] is what a platform does for the edge.
//! - `host`, only in WebAssembly, is the Worker's: it fetches, and checks signatures in WebCrypto.
//! - `native`, only elsewhere, is one without a Worker: for tests and benches.

#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, missing_docs)]

pub mod bundles;
pub mod config;
pub mod document;
pub mod drive;
pub mod failure;
pub mod freshness;
pub mod gate;
pub mod health;
pub mod input;
pub mod keys;
pub mod memory;
pub mod own;
pub mod packed;
pub mod refresh;
pub mod refusal;
pub mod request;
pub mod revocations;
pub mod rim;
pub mod signed;
pub mod stripped;
pub mod tokens;
pub mod upstream;

pub use plinto_policy::{path, routing as routes};

#[cfg(target_arch = "wasm32")]
mod host;
#[cfg(not(target_arch = "wasm32"))]
pub mod native;
#[cfg(test)]
mod testing;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
#[cfg(target_arch = "wasm32")]
use worker::{Context, Env, worker_sys};

/// Decides one request. `request`: as [`packed`] reads it. Returns the lines of its fate as a
/// string, or a promise of them when something has to be waited for.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen]
pub fn decide(request: String, env: Env, context: worker_sys::Context) -> JsValue {
    host::now_or_later(host::decide(request, env, Context::new(context)))
}

/// Whether a request that goes on, or whose answer does, may still do so: its token, whatever the policy
/// says. Empty, or the lines of what ended it, or a promise of these.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen]
pub fn recheck(
    request: String,
    request_id: String,
    env: Env,
    context: worker_sys::Context,
) -> JsValue {
    host::now_or_later(host::recheck(
        request,
        request_id,
        env,
        Context::new(context),
    ))
}

/// The lines of the answer when forwarding failed. `failure`: as [`failure`] names it.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen]
pub fn failed(request: &str, request_id: &str, failure: &str) -> String {
    host::failed(request, request_id, failure)
}

/// Which of the application's response headers stay inside; names, one a line. `connection`: the
/// answer's header of that name.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen]
pub fn kept_inside(names: &str, connection: &str) -> String {
    packed::kept_inside(names, connection)
}

/// Names every variable that can't be used, in the log, before the first request comes.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen]
#[expect(
    clippy::needless_pass_by_value,
    reason = "what is exported takes values"
)]
pub fn check(env: Env) {
    host::check(&env);
}
