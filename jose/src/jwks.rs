//! JWK Sets (RFC 7517 §5): what an issuer publishes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::json::{self, Limits};
use crate::jws::Header;
use crate::{Error, Jwk};

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

/// The usable keys of an issuer; no two share a key id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JwkSet {
    /// In the order published.
    pub keys: Vec<Jwk>,
}

impl JwkSet {
    /// Parses a published set. Keys we can't use (another type, curve, algorithm or purpose, a
    /// weak or malformed key) are left out; a set that holds symmetric or private key material
    /// or a repeated key id is refused as a whole.
    /// `bytes`: at most 64 KiB, at most 100 keys.
    /// Errors: those of [`json::parse_object`], `Key`, `TooManyKeys`, `DuplicateKeyId`,
    /// `SymmetricKey`, `PrivateKey`.
    /// Source: RFC 7517 §5.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let members = json::parse_object_within(bytes, &LIMITS)?;
        let published = members
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(Error::Key)?;
        if published.len() > MAX_JWK_SET_KEYS {
            return Err(Error::TooManyKeys);
        }
        let mut kids = BTreeSet::new();
        let mut keys = Vec::new();
        for value in published {
            if !value.is_object() {
                return Err(Error::Key);
            }
            if let Some(kid) = value.get("kid").and_then(Value::as_str)
                && !kids.insert(kid)
            {
                return Err(Error::DuplicateKeyId);
            }
            match Jwk::from_value(value) {
                Ok(key) => keys.push(key),
                Err(error @ (Error::SymmetricKey | Error::PrivateKey)) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(Self { keys })
    }

    /// The key with this id.
    pub fn find(&self, kid: &str) -> Option<&Jwk> {
        self.keys.iter().find(|key| key.kid.as_deref() == Some(kid))
    }

    /// The one key for a header: by `kid`; without a `kid`, the only key of that algorithm.
    /// Errors: `UnknownKey` when none or several answer, `Algorithm` when the key is for another.
    pub fn select(&self, header: &Header) -> Result<&Jwk, Error> {
        if let Some(kid) = &header.kid {
            let key = self.find(kid).ok_or(Error::UnknownKey)?;
            return if key.fits(header.alg) {
                Ok(key)
            } else {
                Err(Error::Algorithm)
            };
        }
        let mut fitting = self.keys.iter().filter(|key| key.fits(header.alg));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            _ => Err(Error::UnknownKey),
        }
    }

    /// The JSON form, public members only.
    pub fn to_value(&self) -> Value {
        json!({"keys": self.keys.iter().map(Jwk::to_value).collect::<Vec<_>>()})
    }
}
