//! The few things the platform gives: time, chance, variables.

use plinto_contract::time::UnixMillis;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{Env, js_sys};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn fill_random(bytes: &mut [u8]);

    // a whole number, and no object is made for it
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn date_now() -> f64;
}

/// The present. In a deployed Worker it stands still while code runs, and moves with I/O.
pub(super) fn now() -> UnixMillis {
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "milliseconds since 1970 are whole and far below 2^53"
    )]
    UnixMillis(date_now() as i64)
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

/// Whether a service is bound under this name.
pub(super) fn is_service(env: &Env, name: &str) -> bool {
    let text = JsValue::from_str;
    js_sys::Reflect::get(env, &text(name)).is_ok_and(|value| {
        value.is_object() && js_sys::Reflect::has(&value, &text("fetch")).unwrap_or(false)
    })
}
