//! Forwarding a request that may pass, and its answer; bodies are streamed.

use plinto_contract::{headers, problem::Code};
use wasm_bindgen::{JsCast as _, JsValue};
use worker::{
    Env,
    js_sys::{self, Array, futures::JsFuture},
    web_sys,
};

use super::platform;
use crate::{
    config::{Config, Upstream},
    refusal::Refusal,
    request::EdgeRequest,
    upstream::{Pass, is_answered, is_kept},
};

/// Sends the request on and returns the application's answer.
pub(super) async fn send(
    config: &Config,
    env: &Env,
    request: &web_sys::Request,
    asked: &EdgeRequest,
    pass: Pass,
    request_id: &str,
) -> worker::Result<web_sys::Response> {
    let sequence = pass.sequence;
    let answer = match exchange(config, env, request, asked, pass, request_id).await {
        Ok(answer) => answer,
        Err(error) => {
            worker::console_error!("edge: the application did not answer: {error:?}");
            let refusal = Refusal::new(
                Code::UpstreamUnreachable,
                "the application behind the edge did not answer",
            );
            return platform::response(&refusal.answer(asked, request_id));
        }
    };
    // the answer to a WebSocket hand-shake carries the socket and can't be rebuilt
    if answer.status() == 101 {
        return Ok(answer);
    }
    let headers = web_sys::Headers::new_with_headers(&answer.headers())?;
    for name in names(&headers) {
        if !is_answered(&name) {
            headers.delete(&name)?;
        }
    }
    headers.set(headers::REQUEST_ID, request_id)?;
    headers.set(headers::SEQUENCE, &sequence.to_string())?;
    let init = web_sys::ResponseInit::new();
    init.set_status(answer.status());
    init.set_status_text(&answer.status_text());
    init.set_headers(headers.unchecked_ref());
    Ok(web_sys::Response::new_with_opt_readable_stream_and_init(
        answer.body().as_ref(),
        &init,
    )?)
}

async fn exchange(
    config: &Config,
    env: &Env,
    request: &web_sys::Request,
    asked: &EdgeRequest,
    pass: Pass,
    request_id: &str,
) -> Result<web_sys::Response, JsValue> {
    let init = web_sys::RequestInit::new();
    init.set_method(&asked.method);
    init.set_headers(request_headers(request, asked, pass.headers, request_id)?.unchecked_ref());
    // a redirect of the application's is the client's to follow
    init.set_redirect(web_sys::RequestRedirect::Manual);
    if let Some(body) = request.body() {
        init.set_body(&body);
    }
    match &config.upstream {
        Upstream::Url(base) => {
            let url = format!("{base}{}", pass.target);
            let global: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
            JsFuture::from(global.fetch_with_str_and_init(&url, &init))
                .await?
                .dyn_into()
        }
        Upstream::Binding => {
            let service = platform::service(env, "UPSTREAM")
                .ok_or_else(|| JsValue::from_str("no service is bound"))?;
            let url = format!("{}{}", asked.origin, pass.target);
            let forwarded = web_sys::Request::new_with_str_and_init(&url, &init)?;
            let answer = service
                .fetch_request(worker::Request::from(forwarded))
                .await
                .map_err(|error| JsValue::from_str(&error.to_string()))?;
            Ok(answer.into())
        }
    }
}

fn request_headers(
    request: &web_sys::Request,
    asked: &EdgeRequest,
    set: Vec<(&'static str, String)>,
    request_id: &str,
) -> Result<web_sys::Headers, JsValue> {
    let original = request.headers();
    let kept = web_sys::Headers::new_with_headers(&original)?;
    let connection = original.get("connection")?;
    for name in names(&original) {
        let value = original.get(&name)?.unwrap_or_default();
        if !is_kept(&name, &value, connection.as_deref()) {
            kept.delete(&name)?;
        }
    }
    // a client's own name for its request is kept, but apart from ours
    if let Some(theirs) = original.get(headers::REQUEST_ID)? {
        kept.set(headers::CLIENT_REQUEST_ID, &theirs)?;
    }
    let (scheme, _) = asked.origin.split_once("://").unwrap_or_default();
    kept.set("x-forwarded-proto", scheme)?;
    kept.set("x-forwarded-host", &asked.host)?;
    kept.set(headers::REQUEST_ID, request_id)?;
    for (name, value) in set {
        kept.set(name, &value)?;
    }
    Ok(kept)
}

fn names(headers: &web_sys::Headers) -> Vec<String> {
    let names: Array = Array::from(&headers.keys());
    names.iter().filter_map(|name| name.as_string()).collect()
}
