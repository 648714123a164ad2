//! Documents of the control plane: fetched with `ETag`, and kept for the whole data centre in the
//! Cache API.

use std::rc::Rc;

use futures_util::StreamExt as _;
use plinto_contract::time::UnixMillis;
use wasm_bindgen::{JsCast as _, JsValue};
use worker::{
    Headers, Response,
    js_sys::{self, futures::JsFuture},
    web_sys,
};

use super::platform;
use crate::{
    document::Copy,
    refresh::age_ms,
    rim::{Fetched, Place},
};

/// Name of the Cache API's part that holds our documents, away from the application's own.
const CACHE_NAME: &str = "plinto-edge";
/// 1 d: how long a data centre keeps the last good documents.
const CACHE_CONTROL: &str = "max-age=86400";
/// When the control plane last confirmed a cached document, in Unix milliseconds.
const CONFIRMED_AT: &str = "x-plinto-confirmed-at";
/// The control plane's own `Cache-Control`, since the Cache API reads the real one itself.
const ORIGIN_CACHE_CONTROL: &str = "x-plinto-cache-control";

/// Source: [`crate::rim::Rim::fetch`].
pub(super) async fn fetch(
    place: &Place,
    etag: Option<&str>,
    timeout_ms: u32,
) -> Result<Fetched, String> {
    let asked_at = platform::now();
    let response = send(&place.url, etag, timeout_ms)
        .await
        .map_err(|error| format!("no answer: {error:?}"))?;
    let headers = response.headers();
    let header = |name: &str| headers.get(name).ok().flatten();
    let confirmed_at = asked_at.plus_millis(-age_ms(header("age").as_deref()));
    let status = response.status();
    if status == 304 && etag.is_some() {
        return Ok(Fetched::NotModified(confirmed_at));
    }
    if status != 200 {
        return Err(format!("status {status}"));
    }
    let (etag, cache_control) = (header("etag"), header("cache-control"));
    let body = body(response.into(), place.max_bytes).await?;
    Ok(Fetched::New(Copy {
        body: Rc::new(body),
        etag,
        cache_control,
        confirmed_at,
    }))
}

async fn send(
    url: &str,
    etag: Option<&str>,
    timeout_ms: u32,
) -> Result<web_sys::Response, JsValue> {
    let headers = web_sys::Headers::new()?;
    if let Some(etag) = etag {
        headers.set("if-none-match", etag)?;
    }
    let init = web_sys::RequestInit::new();
    init.set_redirect(web_sys::RequestRedirect::Manual);
    init.set_headers(headers.unchecked_ref());
    init.set_signal(Some(&web_sys::AbortSignal::timeout_with_u32(timeout_ms)));
    let global: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
    let response = JsFuture::from(global.fetch_with_str_and_init(url, &init)).await?;
    response.dyn_into()
}

async fn body(mut response: Response, max_bytes: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut stream = response.stream().map_err(|error| error.to_string())?;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| format!("broken answer: {error}"))?;
        if bytes.len().saturating_add(chunk.len()) > max_bytes {
            return Err(format!("the answer is larger than {max_bytes} bytes"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Source: [`crate::rim::Rim::cached`].
pub(super) async fn cached(place: &Place) -> Option<Copy> {
    let found = open().await.ok()?.match_with_str(&place.url);
    let found: web_sys::Response = JsFuture::from(found).await.ok()?.dyn_into().ok()?;
    let response = Response::from(found);
    let headers = response.headers();
    let header = |name: &str| headers.get(name).ok().flatten();
    let confirmed_at = UnixMillis(header(CONFIRMED_AT)?.parse().ok()?);
    // a moment in the future proves nothing
    if confirmed_at > platform::now() {
        return None;
    }
    let (etag, cache_control) = (header("etag"), header(ORIGIN_CACHE_CONTROL));
    let body = body(response, place.max_bytes).await.ok()?;
    Some(Copy {
        body: Rc::new(body),
        etag,
        cache_control,
        confirmed_at,
    })
}

/// Source: [`crate::rim::Rim::share`].
pub(super) async fn share(place: &Place, copy: &Copy) {
    let headers = Headers::new();
    let set = |name: &str, value: &str| headers.set(name, value).is_ok();
    let is_set = set("cache-control", CACHE_CONTROL)
        && set(CONFIRMED_AT, &copy.confirmed_at.0.to_string())
        && copy.etag.as_deref().is_none_or(|etag| set("etag", etag))
        && copy
            .cache_control
            .as_deref()
            .is_none_or(|text| set(ORIGIN_CACHE_CONTROL, text));
    if !is_set {
        return;
    }
    let Ok(response) = Response::from_bytes(copy.body.to_vec()) else {
        return;
    };
    let response: web_sys::Response = response.with_headers(headers).into();
    // an isolate without a cache (a preview host) still works, each for itself
    if let Ok(cache) = open().await {
        let _kept = JsFuture::from(cache.put_with_str(&place.url, &response)).await;
    }
}

/// The data centre's cache. `worker::Cache` takes the gate down where there is none.
async fn open() -> Result<web_sys::Cache, JsValue> {
    let global: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
    let cache = JsFuture::from(global.caches()?.open(CACHE_NAME)).await?;
    Ok(cache.unchecked_into())
}
