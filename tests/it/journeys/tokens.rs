//! Tokens as an attacker or a mistake would make them.

use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use plinto_jose::{Algorithm, SigningKey};
use serde_json::{Value, json};

use super::AUDIENCE;
use super::relay::Change;
use super::stage::{Stage, now_s};

/// A key of the test's own that the edge trusts, because the relay adds it to the published sets.
#[derive(Clone)]
pub(super) struct TrustedKey(Arc<SigningKey>);

impl TrustedKey {
    /// Makes one.
    pub(super) fn new() -> Self {
        Self(Arc::new(SigningKey::generate(Algorithm::Es256).unwrap()))
    }

    /// What becomes of a published set of keys, token keys and bundle keys alike.
    pub(super) fn change(&self, path: &str) -> Option<Change> {
        if !path.ends_with("/jwks.json") && !path.ends_with("/edge/keys") {
            return None;
        }
        let public = self.0.public().to_value();
        Some(Box::new(move |body| {
            let Ok(mut set) = serde_json::from_slice::<Value>(&body) else {
                return body;
            };
            set["keys"].as_array_mut().unwrap().push(public);
            serde_json::to_vec(&set).unwrap()
        }))
    }

    /// Its name.
    pub(super) fn kid(&self) -> String {
        self.0.public().kid.unwrap()
    }

    /// Signs a payload.
    pub(super) fn sign(&self, typ: Option<&str>, payload: &[u8]) -> String {
        self.0.sign(typ, payload).unwrap()
    }

    /// A token with these claims.
    pub(super) fn token(&self, claims: &Value) -> String {
        self.sign(Some("at+jwt"), claims.to_string().as_bytes())
    }
}

/// Claims that are right for this stage, to be spoiled one by one.
pub(super) fn claims(stage: &Stage, role: &str) -> Value {
    json!({
        "iss": stage.tenant.issuer, "sub": "user_01h455vb4pex5vsknk084sn02q", "aud": AUDIENCE,
        "exp": now_s() + 300, "iat": now_s(), "jti": "tok_01h455vb4pex5vsknk084sn02q",
        "client_id": "plinto", "sid": "sess_01h455vb4pex5vsknk084sn02q",
        "tenant": stage.tenant.tenant, "roles": [role], "epoch": 0, "amr": ["pwd"],
        "auth_time": now_s(),
    })
}

/// The same with one member changed.
pub(super) fn spoiled(claims: &Value, member: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    claims[member] = value;
    claims
}

pub(super) fn base64(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// The token's header with members replaced, under the same payload and signature.
pub(super) fn with_header(token: &str, change: &Value) -> String {
    let (header, rest) = token.split_once('.').unwrap();
    let mut header: Value =
        serde_json::from_slice(&Base64UrlUnpadded::decode_vec(header).unwrap()).unwrap();
    for (name, value) in change.as_object().unwrap() {
        header[name] = value.clone();
    }
    format!("{}.{rest}", base64(header.to_string().as_bytes()))
}
