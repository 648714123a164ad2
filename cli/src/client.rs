//! Speaks the control plane's REST interface.

use std::time::Duration;

use futures_util::stream;
use plinto_contract::problem::Problem;
use reqwest::{Method, RequestBuilder, Response, StatusCode, header, redirect};
use serde_json::Value;

use crate::{
    address::Address,
    config::Connection,
    credentials::Secret,
    failure::{Failure, chain},
    output::Output,
};

/// 5 s: a control plane that does not accept by then is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// 60 s: publishing runs the policy's tests.
const TIMEOUT: Duration = Duration::from_mins(1);
/// 2 MiB: larger than any answer we ask for.
const ANSWER_BYTES: usize = 2 << 20;
/// 16 KiB: piece of an upload, for the progress bar.
const PIECE_BYTES: usize = 16 << 10;

/// A connection to one control plane.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Address,
    key: Option<Secret>,
}

/// An answer that was read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// `key`: the one that is for `base`.
    pub(crate) fn new(base: Address, key: Option<Secret>) -> Result<Self, Failure> {
        // SECURITY: a redirect could lead the key elsewhere, so none is followed.
        let mut http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("plinto/", env!("CARGO_PKG_VERSION")));
        // SECURITY: without TLS, a proxy of the environment would be shown the key.
        if base.is_plain() {
            http = http.no_proxy();
        }
        let http = http.build().map_err(Failure::local)?;
        Ok(Self { http, base, key })
    }

    /// To the control plane that the command is for, with its key.
    pub(crate) fn connect(connection: &Connection) -> Result<Self, Failure> {
        let (base, key) = connection.resolve()?;
        Self::new(base, Some(key))
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        let answer = self.fetch(path).await?;
        parse(&answer.body)
    }

    pub(crate) async fn get_with(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<Value, Failure> {
        let answer = self.send(self.request(Method::GET, path, query)).await?;
        parse(&answer.body)
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let request = self.request(Method::PUT, path, &[]).json(body);
        parse(&self.send(request).await?.body)
    }

    /// Fetches a list whole, page after page.
    pub(crate) async fn list(&self, path: &str) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        let mut cursor = None;
        loop {
            let query = cursor.map(|cursor: String| ("cursor", cursor));
            let request = self.request(Method::GET, path, query.as_slice());
            let page = parse(&self.send(request).await?.body)?;
            let data = page.get("data").and_then(Value::as_array);
            items.extend(data.into_iter().flatten().cloned());
            match page.get("next_cursor").and_then(Value::as_str) {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(items),
            }
        }
    }

    /// Fetches whatever stands at a path, as bytes.
    pub(crate) async fn fetch(&self, path: &str) -> Result<Answer, Failure> {
        let request = self.request(Method::GET, path, &[]);
        self.send(request).await
    }

    /// The response at a path, whatever its status.
    pub(crate) async fn response(&self, path: &str) -> Result<Answer, Failure> {
        let request = self.request(Method::GET, path, &[]);
        self.answer(request).await
    }

    pub(crate) async fn post(&self, path: &str) -> Result<Value, Failure> {
        let request = self.request(Method::POST, path, &[]);
        let answer = self.send(request).await?;
        parse(&answer.body)
    }

    /// Sends a bundle, with a progress bar. Sending the same one again is harmless.
    pub(crate) async fn upload(
        &self,
        path: &str,
        packed: Vec<u8>,
        output: Output,
    ) -> Result<Value, Failure> {
        let size = packed.len();
        let bar = output.progress(u64::try_from(size).unwrap_or(u64::MAX), "uploading");
        let pieces: Vec<Vec<u8>> = packed.chunks(PIECE_BYTES).map(<[u8]>::to_vec).collect();
        let counter = bar.clone();
        let body = stream::iter(pieces.into_iter().map(move |piece| {
            counter.inc(u64::try_from(piece.len()).unwrap_or_default());
            Ok::<_, std::io::Error>(piece)
        }));
        let request = self
            .request(Method::POST, path, &[])
            .header(header::CONTENT_TYPE, "application/gzip")
            .header(header::CONTENT_LENGTH, size)
            .body(reqwest::Body::wrap_stream(body));
        let answer = self.send(request).await;
        bar.finish_and_clear();
        parse(&answer?.body)
    }

    fn request(&self, method: Method, path: &str, query: &[(&str, String)]) -> RequestBuilder {
        let mut url = self.base.at(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.http.request(method, url);
        match &self.key {
            Some(key) => request.bearer_auth(key.expose()),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        let answer = self.answer(request).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        if let Ok(problem) = serde_json::from_slice::<Problem>(&answer.body) {
            return Err(Failure::Refused(Box::new(problem)));
        }
        if let Some(target) = answer.headers.get(header::LOCATION) {
            let target = target.to_str().unwrap_or_default();
            return Err(Failure::Unreachable(format!(
                "{} leads on to {target}, where the key was not sent; if that is the control \
                 plane, name its address",
                self.base
            )));
        }
        // A newer control plane may answer with a code that this version does not know.
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let member = |name: &str| Some(body.get(name)?.as_str()?.to_owned());
        let detail = member("detail").unwrap_or_else(|| "the answer is not a problem".to_owned());
        Err(Failure::Unknown {
            status: answer.status.as_u16(),
            code: member("code"),
            text: format!("{} answered {}: {detail}", self.base, answer.status),
        })
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        let response = request.send().await.map_err(|error| {
            // The address is ours; the key never is part of it.
            Failure::Unreachable(format!("no answer from {}: {}", self.base, chain(&error)))
        })?;
        Ok(Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: read(response).await?,
        })
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(piece)) if body.len().saturating_add(piece.len()) <= ANSWER_BYTES => {
                body.extend_from_slice(&piece);
            }
            Ok(Some(_)) => {
                let text = "the control plane's answer is too large";
                return Err(Failure::Unreachable(text.to_owned()));
            }
            Ok(None) => return Ok(body),
            Err(error) => return Err(Failure::Unreachable(chain(&error))),
        }
    }
}

/// A member of an answer as people read it; empty when it is not there.
pub(crate) fn text(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

fn parse(body: &[u8]) -> Result<Value, Failure> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|error| {
        Failure::Unreachable(format!("the control plane's answer is not JSON: {error}"))
    })
}
