//! `io.jwt.verify_*`: whether one of some keys signed a token.

use super::{
    Header, Token,
    jwk::{Jwk, Key, keys_of},
};
use crate::{
    budget::Exhausted,
    builtins::{
        CallError, Context,
        crypto::{
            hash::Hash,
            signature::{Algorithm, Family, Strictness, is_mac, verifies},
        },
        operand,
    },
    value::Value,
};

/// Whether a shared secret made the MAC.
pub(super) fn verify_mac(
    context: &Context<'_>,
    arguments: &[Value],
    hash: Hash,
) -> Result<Option<Value>, CallError> {
    let text = operand::text(arguments, 0)?;
    let secret = operand::text(arguments, 1)?;
    let token = Token::split(context, text)?;
    context.budget.pay_bytes(secret.len())?;
    let mac = token.signature()?;
    let is_right = is_mac(hash, secret.as_bytes(), token.signed.as_bytes(), &mac);
    Ok(Some(is_right.into()))
}

/// Whether one of the keys made the signature.
pub(super) fn verify(
    context: &Context<'_>,
    arguments: &[Value],
    family: Family,
    hash: Hash,
) -> Result<Option<Value>, CallError> {
    let token = Token::split(context, operand::text(arguments, 0)?)?;
    let keys = keys_of(context, operand::text(arguments, 1)?)?;
    let signature = token.signature()?;
    let header = token.header()?;
    let header = Header::of(&header)?;
    let check = Check {
        algorithm: Some(Algorithm::new(family, hash)),
        message: token.signed.as_bytes(),
        signature: &signature,
        strictness: Strictness::Lenient,
    };
    Ok(Some(check.any(context, &header, &keys)?.into()))
}

/// A signature to be checked.
pub(super) struct Check<'a> {
    /// `None`: one that is not known, which nothing satisfies.
    pub(super) algorithm: Option<Algorithm>,
    pub(super) message: &'a [u8],
    pub(super) signature: &'a [u8],
    pub(super) strictness: Strictness,
}

impl Check<'_> {
    /// Whether the key that the header names made the signature; where there is none of that name,
    /// whether one of those did that the header's algorithm fits.
    pub(super) fn any(
        &self,
        context: &Context<'_>,
        header: &Header<'_>,
        keys: &[Jwk],
    ) -> Result<bool, Exhausted> {
        if !header.kid.is_empty()
            && let Some(key) = keys.iter().find(|key| key.kid == header.kid)
        {
            return self.one(context, &key.key);
        }
        for key in keys {
            let fits = key.alg.is_empty() || key.alg == header.alg;
            if fits && self.one(context, &key.key)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn one(&self, context: &Context<'_>, key: &Key) -> Result<bool, Exhausted> {
        let Some(algorithm) = self.algorithm else {
            return Ok(false);
        };
        let is_strict = self.strictness == Strictness::Strict;
        match key {
            Key::Public(key) => self.signature_of(context, algorithm, key),
            Key::Private(key) if is_strict => self.signature_of(context, algorithm, key),
            Key::Secret(secret) if is_strict => self.mac_of(context, secret),
            _ => Ok(false),
        }
    }

    fn signature_of(
        &self,
        context: &Context<'_>,
        algorithm: Algorithm,
        key: &crate::builtins::crypto::keys::PublicKey,
    ) -> Result<bool, Exhausted> {
        let (message, signature) = (self.message, self.signature);
        verifies(context, algorithm, key, message, signature, self.strictness)
    }

    /// Whether a secret made it as a MAC.
    pub(super) fn mac_of(&self, context: &Context<'_>, secret: &[u8]) -> Result<bool, Exhausted> {
        let bytes = self.message.len().saturating_add(secret.len());
        context.budget.pay_bytes(bytes)?;
        Ok(self.algorithm.is_some_and(|algorithm| {
            algorithm.family == Family::Hmac
                && is_mac(algorithm.hash, secret, self.message, self.signature)
        }))
    }
}
