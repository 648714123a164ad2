//! `Idempotency-Key`: a POST that is sent twice happens once.
//! Source: draft-ietf-httpapi-idempotency-key-header-08.
//!
//! The first request with a key takes a row before it runs and leaves its answer there, sealed,
//! for 24 hours. Only answers that changed something (2xx) are kept: after any other, the same
//! request may be tried again. It runs on when its client goes away, so that the retry finds its
//! answer. When it came to no answer (out of time, a panic, a process that died), nobody can tell
//! whether it happened: the retry is told so and never run.

mod store;

use std::time::Duration;

use aws_lc_rs::hmac;
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64ct::{Base64, Encoding};
use plinto_contract::{
    ids::TenantId,
    limits::BUNDLE_PACKED_BYTES,
    problem::{Code, FieldError},
    time::UnixMillis,
};
use serde::{Deserialize, Serialize};
use tracing::Instrument;

use crate::{
    Platform,
    actor::{Actor, PermissionSet, Principal},
    authority::{self, Need},
    db::DbError,
    envelope::{EnvelopeError, Place, sha256_hex},
    http::{ApiError, layers::WorkSlot},
};

const HEADER: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// 24 h, as the documentation promises.
const KEPT_S: i64 = 24 * 60 * 60;
/// 60 s: no request goes on this long after its time is over, so whoever took the row is gone.
const ABANDONED_AFTER_S: i64 = 60;
/// What stands in the row of a request that came to no answer.
const NO_ANSWER: &str = "";
/// 255 characters.
const KEY_MAX: usize = 255;

/// One key of one caller for one endpoint.
#[derive(Debug, Clone)]
struct Slot {
    tenant: TenantId,
    /// Digest of caller, method and path: a path may be longer than an index takes.
    scope: String,
    key: String,
    /// Keyed digest of everything the client sent that could make a difference.
    fingerprint: String,
    /// What the caller was allowed when they asked.
    permissions: PermissionSet,
}

/// An answer as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// What whoever asked was allowed: whoever asks again is, too, or is not told. Answers of before
    /// don't say; only API keys could ask then, and what these may do never changes.
    permissions: Option<String>,
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Lets a POST with an `Idempotency-Key` happen once. Runs after authentication.
pub async fn once(State(platform): State<Platform>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(HEADER) {
        return next.run(request).await;
    }
    match run_once(&platform, request, next).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn run_once(platform: &Platform, request: Request, next: Next) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let is_stranger = parts
        .extensions
        .get::<Actor>()
        .is_none_or(|actor| actor.permissions.is_empty());
    let body_bytes = platform.config.http.body_bytes;
    let limit = if is_stranger {
        body_bytes
    } else {
        body_bytes.max(BUNDLE_PACKED_BYTES)
    };
    let body = to_bytes(body, limit)
        .await
        .map_err(|_| ApiError::new(Code::PayloadTooLarge, Code::PayloadTooLarge.title()))?;
    let actor = parts.extensions.get::<Actor>().ok_or_else(|| {
        ApiError::new(
            Code::AuthenticationRequired,
            Code::AuthenticationRequired.title(),
        )
    })?;
    let slot = Slot::of(platform, &parts, actor, &body)?;
    if let Some(response) = claim(platform, actor, &slot).await? {
        return Ok(response);
    }
    let work_slot = parts.extensions.get::<WorkSlot>().cloned();
    let request = Request::from_parts(parts, Body::from(body));
    let (handle, taken) = (platform.clone(), slot.clone());
    let limit = Duration::from_secs(platform.config.http.timeout_s);
    // In a task of its own: it is not cancelled when the client goes away, and keeps its slot.
    let run = async move {
        let _work_slot = work_slot;
        if let Ok(response) = tokio::time::timeout(limit, next.run(request)).await {
            return keep(&handle, &taken, response).await;
        }
        mark_unanswered(&handle, &taken).await;
        Err(ApiError::new(
            Code::RequestTimeout,
            Code::RequestTimeout.title(),
        ))
    };
    let running = platform.tasks.spawn(run.in_current_span());
    if let Ok(result) = running.await {
        return result;
    }
    // A panic; its hook has logged it.
    mark_unanswered(platform, &slot).await;
    Err(ApiError::new(Code::Internal, Code::Internal.title()))
}

impl Slot {
    fn of(
        platform: &Platform,
        parts: &Parts,
        actor: &Actor,
        body: &[u8],
    ) -> Result<Self, ApiError> {
        let path = parts.uri.path();
        let mut sent = format!("{}\n{}\n", parts.uri, content_type(&parts.headers)).into_bytes();
        sent.extend_from_slice(body);
        // SECURITY: bodies hold passwords, and a plain digest of one could be guessed at.
        let key = platform.envelope.derive("idempotency fingerprints");
        let fingerprint = hex::encode(hmac::sign(&key, &sent));
        let caller = match actor.principal {
            Principal::User { user, .. } => user.to_string(),
            Principal::ApiKey { key } => key.to_string(),
            // SECURITY: nobody knows one stranger from another, so a key is theirs only together
            // with all they sent, their password included: who chose the same key learns nothing,
            // and is not held up.
            Principal::Anonymous | Principal::System => fingerprint.clone(),
        };
        Ok(Self {
            tenant: actor.tenant,
            scope: sha256_hex(format!("{caller} {} {path}", parts.method)),
            key: read_key(&parts.headers)?,
            fingerprint,
            permissions: actor.permissions.clone(),
        })
    }

    fn row(&self) -> String {
        format!("{} {}", self.scope, self.key)
    }
}

fn place<'a>(slot: &Slot, row: &'a str) -> Place<'a> {
    Place {
        tenant: slot.tenant,
        table: "idempotency_keys",
        row,
        column: "response_sealed",
    }
}

fn content_type(headers: &HeaderMap) -> &str {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// A structured-field string in quotes (RFC 9651 §3.3.3), or the bare text.
fn read_key(headers: &HeaderMap) -> Result<String, ApiError> {
    let mut values = headers.get_all(HEADER).iter();
    let text = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().unwrap_or_default(),
        _ => "",
    };
    let key = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    let is_good = (1..=KEY_MAX).contains(&key.len())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
    if is_good {
        return Ok(key.to_owned());
    }
    let detail = "the Idempotency-Key must be there once, and be 1 to 255 printable characters";
    let error = FieldError::new(format!("#{HEADER}"), "invalid_value", detail);
    Err(ApiError::fields(Code::ValidationFailed, vec![error]))
}

/// Claims the slot. The kept answer when there is one already: it may hold a secret, so whoever
/// asks must still be live.
async fn claim(
    platform: &Platform,
    actor: &Actor,
    slot: &Slot,
) -> Result<Option<Response>, ApiError> {
    let now = platform.clock.now();
    let mut work = authority::begin(platform, actor, Need::Live).await?;
    store::forget(&mut work.tx, slot.tenant, slot, now.plus_seconds(-KEPT_S)).await?;
    if store::insert(&mut work.tx, slot.tenant, slot, now).await? {
        work.commit().await?;
        return Ok(None);
    }
    // Gone in between: the first request was refused, and this one may be sent again.
    let Some(row) = store::find(&mut work.tx, slot.tenant, slot).await? else {
        return Err(still_running());
    };
    if row.fingerprint != slot.fingerprint {
        let detail = "the key was used for a request with another address or body";
        return Err(ApiError::new(Code::IdempotencyMismatch, detail));
    }
    let timeout_s = i64::try_from(platform.config.http.timeout_s).unwrap_or(i64::MAX);
    let given_up_at = UnixMillis(row.created_at)
        .plus_seconds(timeout_s)
        .plus_seconds(ABANDONED_AFTER_S);
    match row.response_sealed {
        Some(sealed) if sealed != NO_ANSWER => {
            let kept = open(platform, slot, &sealed)?;
            if let Some(permissions) = &kept.permissions {
                let permissions = permissions.parse();
                work.require_all(&permissions.map_err(|_| EnvelopeError::DoesNotOpen)?)?;
            }
            Ok(Some(replay(kept)?))
        }
        None if now < given_up_at => Err(still_running()),
        _ => {
            let detail = "the first request with this key came to no answer and may or may not \
                have happened: look, then send it with a new key if it did not";
            Err(ApiError::new(Code::IdempotencyOutcomeUnknown, detail))
        }
    }
}

fn still_running() -> ApiError {
    let code = Code::IdempotencyConflict;
    ApiError::new(code, code.title()).retry_after(1)
}

/// Notes that the request ended without an answer. When that fails too, its age will tell.
async fn mark_unanswered(platform: &Platform, slot: &Slot) {
    if let Err(error) = write(platform, slot, NO_ANSWER).await {
        tracing::warn!(%error, "a request without an answer was not noted as one");
    }
}

fn open(platform: &Platform, slot: &Slot, sealed: &str) -> Result<Kept, ApiError> {
    let text = platform.envelope.open(&place(slot, &slot.row()), sealed)?;
    serde_json::from_slice(&text).map_err(|_| EnvelopeError::DoesNotOpen.into())
}

fn replay(kept: Kept) -> Result<Response, ApiError> {
    let broken = || ApiError::from(EnvelopeError::DoesNotOpen);
    let body = Base64::decode_vec(&kept.body).map_err(|_| broken())?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(kept.status).map_err(|_| broken())?;
    for (name, value) in kept.headers {
        let name = HeaderName::try_from(name).map_err(|_| broken())?;
        let value = HeaderValue::try_from(value).map_err(|_| broken())?;
        response.headers_mut().insert(name, value);
    }
    response
        .headers_mut()
        .insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// Leaves the answer in the slot, or the slot to the next try. When that fails, whoever waits still
/// gets the answer; a retry will be told that there is none.
async fn keep(platform: &Platform, slot: &Slot, response: Response) -> Result<Response, ApiError> {
    if !response.status().is_success() {
        if let Err(error) = give_up(platform, slot).await {
            tracing::warn!(%error, "the slot of a refused request was not given up");
        }
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body: Bytes = to_bytes(body, usize::MAX)
        .await
        .map_err(|_| ApiError::new(Code::Internal, Code::Internal.title()))?;
    let kept = Kept {
        permissions: Some(slot.permissions.to_string()),
        status: parts.status.as_u16(),
        headers: kept_headers(&parts.headers),
        body: Base64::encode_string(&body),
    };
    let text = serde_json::to_vec(&kept).unwrap_or_default();
    let row = slot.row();
    match platform
        .envelope
        .seal(platform.random.as_ref(), &place(slot, &row), &text)
    {
        Ok(sealed) => {
            if let Err(error) = write(platform, slot, &sealed).await {
                tracing::warn!(%error, "an answer was not kept for its retries");
            }
        }
        Err(error) => tracing::warn!(%error, "an answer was not sealed for its retries"),
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

async fn write(platform: &Platform, slot: &Slot, answer: &str) -> Result<(), DbError> {
    let mut tx = authority::begin_own(platform).await?;
    store::keep(&mut tx, slot.tenant, slot, answer).await?;
    tx.commit().await
}

async fn give_up(platform: &Platform, slot: &Slot) -> Result<(), DbError> {
    let mut tx = authority::begin_own(platform).await?;
    store::give_up(&mut tx, slot.tenant, slot).await?;
    tx.commit().await
}

fn kept_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    [header::CONTENT_TYPE, header::LOCATION, header::ETAG]
        .iter()
        .filter_map(|name| {
            let value = headers.get(name)?.to_str().ok()?;
            Some((name.to_string(), value.to_owned()))
        })
        .collect()
}

/// Forgets answers older than 24 hours.
pub async fn run_due_work(platform: &Platform) -> Result<(), DbError> {
    let before = platform.clock.now().plus_seconds(-KEPT_S);
    loop {
        let mut tx = authority::begin_own(platform).await?;
        if !store::forget_some(&mut tx, before).await? {
            return Ok(());
        }
        tx.commit().await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &'static str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_static(text));
        read_key(&headers).ok()
    }

    #[test]
    fn a_key_comes_quoted_or_bare() {
        assert_eq!(key("\"abc-1\"").as_deref(), Some("abc-1"));
        assert_eq!(key("abc-1").as_deref(), Some("abc-1"));
        for wrong in ["", "\"\"", "a b", "a\"b", "a\\b"] {
            assert_eq!(key(wrong), None, "{wrong}");
        }
    }
}
