//! The compact JWS (RFC 7515 §7.1), and nothing that it may smuggle in.

use serde_json::{Map, Value};

use crate::jwk::check_kid;
use crate::{Algorithm, Error, Jwk, base64url, json};

/// 8 KiB: the longest token read (T11).
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Parameters that would let a token choose its own key or its own reading; and `crit`, of
/// which we understand nothing (T4). Source: RFC 7515 §4.1, RFC 7516 §4.1.3, RFC 7797 §3.
const REFUSED_PARAMETERS: [&str; 7] = ["crit", "b64", "zip", "jku", "x5u", "x5c", "jwk"];

/// What the header says. It is a claim until the signature is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// `alg`, of those that are supported.
    pub alg: Algorithm,
    /// The key id: 1 to 64 of `A-Z a-z 0-9 . _ ~ -`.
    pub kid: Option<String>,
    /// The media type of the whole, such as `at+jwt`.
    pub typ: Option<String>,
}

/// A parsed compact JWS whose signature has not been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jws {
    /// The protected header: a compact JWS has no other.
    pub header: Header,
    /// The payload, decoded.
    pub payload: Vec<u8>,
    /// What was signed: the first two parts and their dot.
    pub signing_input: String,
    /// The signature, decoded.
    pub signature: Vec<u8>,
}

/// One signature to check, for whichever backend is at hand.
#[derive(Clone, Copy, Debug)]
pub struct SignatureJob<'a> {
    /// The algorithm; the key's own.
    pub alg: Algorithm,
    /// The public key of the header's `kid`.
    pub key: &'a Jwk,
    /// The message, in full.
    pub message: &'a [u8],
    /// The signature: RSA as long as the modulus, ECDSA `r ‖ s`, Ed25519 64 bytes.
    pub signature: &'a [u8],
}

impl Jws {
    /// Parses a token of at most 8 KiB.
    /// Errors: `TooLarge`, `Malformed`, `Encrypted`, `Base64`, `Header`, `HeaderParameter`,
    /// `Algorithm`, `KeyId`, and those of [`json::parse_object`].
    /// Source: RFC 7515 §5.2, RFC 8725 §3.
    pub fn parse(compact: &str) -> Result<Self, Error> {
        Self::parse_within(compact, MAX_TOKEN_BYTES)
    }

    /// Parses a signed document that may be larger than a token, of at most `max_bytes`;
    /// otherwise as [`Jws::parse`].
    pub fn parse_within(compact: &str, max_bytes: usize) -> Result<Self, Error> {
        if compact.len() > max_bytes {
            return Err(Error::TooLarge);
        }
        let (header, payload, signature) = three_parts(compact)?;
        let signing_input = compact
            .get(..header.len().saturating_add(1).saturating_add(payload.len()))
            .ok_or(Error::Malformed)?;
        let members = json::parse_object(&base64url::decode(header)?)?;
        Ok(Self {
            header: Header::from_members(&members)?,
            payload: base64url::decode(payload)?,
            signing_input: signing_input.to_owned(),
            signature: base64url::decode(signature)?,
        })
    }

    /// The check that remains, once `key` is known to be meant for it.
    /// Errors: `Algorithm` when the key is for another algorithm, `Signature` when the
    /// signature can't be one of this key by its length or size.
    pub fn signature_job<'a>(&'a self, key: &'a Jwk) -> Result<SignatureJob<'a>, Error> {
        if !key.fits(self.header.alg) {
            return Err(Error::Algorithm);
        }
        if !key.key.could_have_made(&self.signature) {
            return Err(Error::Signature);
        }
        Ok(SignatureJob {
            alg: self.header.alg,
            key,
            message: self.signing_input.as_bytes(),
            signature: &self.signature,
        })
    }
}

impl Header {
    /// Whether `typ` names this kind of document. Media types are compared without regard to case,
    /// and their `application/` may be left out. Source: RFC 7515 §4.1.9, RFC 2045 §5.1.
    /// `kind`: without that prefix, such as `at+jwt`.
    pub fn is_of(&self, kind: &str) -> bool {
        const PREFIX: &str = "application/";
        self.typ.as_deref().is_some_and(|typ| {
            let bare = match typ.split_at_checked(PREFIX.len()) {
                Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
                _ => typ,
            };
            bare.eq_ignore_ascii_case(kind)
        })
    }

    fn from_members(members: &Map<String, Value>) -> Result<Self, Error> {
        if REFUSED_PARAMETERS
            .iter()
            .any(|name| members.contains_key(*name))
        {
            return Err(Error::HeaderParameter);
        }
        let alg = text_parameter(members, "alg")?.ok_or(Error::Header)?;
        let kid = text_parameter(members, "kid")?;
        if let Some(kid) = kid {
            check_kid(kid)?;
        }
        Ok(Self {
            alg: alg.parse()?,
            kid: kid.map(str::to_owned),
            typ: text_parameter(members, "typ")?.map(str::to_owned),
        })
    }
}

fn text_parameter<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a str>, Error> {
    match members.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(Error::Header),
    }
}

fn three_parts(compact: &str) -> Result<(&str, &str, &str), Error> {
    let mut parts = compact.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.count()) {
        (Some(header), Some(payload), Some(signature), 0)
            if !header.is_empty() && !payload.is_empty() && !signature.is_empty() =>
        {
            Ok((header, payload, signature))
        }
        (_, _, _, 2) => Err(Error::Encrypted),
        _ => Err(Error::Malformed),
    }
}
