//! The few things the platform gives: time, chance, variables, and the shape of an answer.

use plinto_contract::time::UnixMillis;
use wasm_bindgen::{JsCast as _, JsValue, prelude::wasm_bindgen};
use worker::{Env, Fetcher, js_sys, web_sys};

use crate::refusal::Answer;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn fill_random(bytes: &mut [u8]);
}

/// The present. In a deployed Worker it stands still while code runs, and moves with I/O.
pub(super) fn now() -> UnixMillis {
    UnixMillis(i64::try_from(worker::Date::now().as_millis()).unwrap_or(i64::MAX))
}

/// 80 random bits.
pub(super) fn random() -> [u8; 10] {
    let mut bytes = [0; 10];
    fill_random(&mut bytes);
    bytes
}

/// A variable's text.
pub(super) fn variable(env: &Env, name: &str) -> Option<String> {
    js_sys::Reflect::get(env, &JsValue::from_str(name))
        .ok()?
        .as_string()
}

/// A bound service.
pub(super) fn service(env: &Env, name: &str) -> Option<Fetcher> {
    let value = js_sys::Reflect::get(env, &JsValue::from_str(name)).ok()?;
    (value.is_object() && js_sys::Reflect::has(&value, &JsValue::from_str("fetch")).ok()?)
        .then(|| env.service(name).ok())
        .flatten()
}

/// An answer of the gate's own.
pub(super) fn response(answer: &Answer) -> worker::Result<web_sys::Response> {
    let headers = web_sys::Headers::new()?;
    for (name, value) in &answer.headers {
        headers.set(name, value)?;
    }
    let init = web_sys::ResponseInit::new();
    init.set_status(answer.status);
    init.set_headers(headers.unchecked_ref());
    Ok(web_sys::Response::new_with_opt_str_and_init(
        Some(&answer.body),
        &init,
    )?)
}
