//! JWK Sets (RFC 7517 §5): what an issuer publishes.

use serde_json::{Value, json};

use crate::json::{self, Limits};
use crate::jws::Header;
use crate::{Algorithm, Error, Jwk};

/// 64 KiB: the largest key set read (T14).
pub const MAX_JWK_SET_BYTES: usize = 64 * 1024;
/// 100: the most keys a set may hold (T14).
pub const MAX_JWK_SET_KEYS: usize = 100;

/// The size of a set, the depth of a key with a few certificate members, 20 members per key.
const LIMITS: Limits = Limits {
    bytes: MAX_JWK_SET_BYTES,
    depth: 8,
    members: 2_048,
};

/// The usable keys of an issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JwkSet {
    /// In the order published.
    pub keys: Vec<Jwk>,
    /// How many others were published that are of no use here.
    pub skipped: usize,
}

impl From<Vec<Jwk>> for JwkSet {
    fn from(keys: Vec<Jwk>) -> Self {
        Self { keys, skipped: 0 }
    }
}

impl JwkSet {
    /// Parses a published set. What can't be used is left out and counted: another type, curve,
    /// algorithm or purpose, a weak or malformed key, symmetric or private key material, and keys
    /// of one key id that neither `use`, `kty` nor `alg` tells apart. One odd key takes no other
    /// with it.
    /// `bytes`: at most 64 KiB, at most 100 keys.
    /// Errors: those of [`json::parse_object`], `Key` without a list of keys, `TooManyKeys`.
    /// Source: RFC 7517 §4.5 and §5.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let members = json::parse_object_within(bytes, &LIMITS)?;
        let published = members
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(Error::Key)?;
        if published.len() > MAX_JWK_SET_KEYS {
            return Err(Error::TooManyKeys);
        }
        let mut keys: Vec<Jwk> = Vec::new();
        for key in published.iter().flat_map(Jwk::from_value) {
            // the same key once more leaves no doubt
            let is_known = |known: &Jwk| {
                known.kid == key.kid && known.key == key.key && known.algorithm() == key.algorithm()
            };
            if !keys.iter().any(is_known) {
                keys.push(key);
            }
        }
        let is_clear = |key: &&Jwk| {
            key.kid.as_deref().is_none_or(|kid| {
                let alike = keys
                    .iter()
                    .filter(|other| other.answers(kid, key.algorithm()));
                alike.count() == 1
            })
        };
        let keys: Vec<Jwk> = keys.iter().filter(is_clear).cloned().collect();
        Ok(Self {
            skipped: published.len().saturating_sub(keys.len()),
            keys,
        })
    }

    /// The one key with this id for this algorithm.
    pub fn find(&self, kid: &str, alg: Algorithm) -> Option<&Jwk> {
        let mut found = self.keys.iter().filter(|key| key.answers(kid, alg));
        found.next().filter(|_| found.next().is_none())
    }

    /// The one key for a header: by `kid` and `alg`; without a `kid`, the only key for that `alg`.
    /// Errors: `UnknownKey` when none or several answer, `Algorithm` when those of this `kid` are for
    /// another.
    pub fn select(&self, header: &Header) -> Result<&Jwk, Error> {
        let is_named = |key: &&Jwk| header.kid.is_none() || key.kid == header.kid;
        let mut named = self.keys.iter().filter(is_named).peekable();
        let is_known = header.kid.is_some() && named.peek().is_some();
        let mut fitting = named.filter(|key| key.fits(header.alg));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (None, _) if is_known => Err(Error::Algorithm),
            _ => Err(Error::UnknownKey),
        }
    }

    /// The JSON form, public members only.
    pub fn to_value(&self) -> Value {
        json!({"keys": self.keys.iter().map(Jwk::to_value).collect::<Vec<_>>()})
    }
}
