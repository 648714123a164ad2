//! `crypto.*` but certificates: digests, MACs and private keys.

pub(super) mod base64;
pub(super) mod der;
pub(super) mod ecdsa;
pub(super) mod hash;
pub(super) mod json;
pub(super) mod keys;
pub(super) mod pem;
pub(super) mod rsa;
pub(super) mod signature;

use super::{Builtin, CallError, Context, operand};
use crate::value::Value;
use hash::Hash;
use keys::PrivateKey;

pub(super) use json::private_key as private_key_json;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("crypto.hmac.equal", hmac_equal),
    Builtin {
        name: "crypto.hmac.md5",
        call: |context, arguments| hmac(context, arguments, Hash::Md5),
    },
    Builtin {
        name: "crypto.hmac.sha1",
        call: |context, arguments| hmac(context, arguments, Hash::Sha1),
    },
    Builtin {
        name: "crypto.hmac.sha256",
        call: |context, arguments| hmac(context, arguments, Hash::Sha256),
    },
    Builtin {
        name: "crypto.hmac.sha512",
        call: |context, arguments| hmac(context, arguments, Hash::Sha512),
    },
    Builtin {
        name: "crypto.md5",
        call: |context, arguments| digest(context, arguments, Hash::Md5),
    },
    Builtin::new("crypto.parse_private_keys", parse_private_keys),
    Builtin {
        name: "crypto.sha1",
        call: |context, arguments| digest(context, arguments, Hash::Sha1),
    },
    Builtin {
        name: "crypto.sha256",
        call: |context, arguments| digest(context, arguments, Hash::Sha256),
    },
    Builtin::new("crypto.x509.parse_rsa_private_key", private_key_as_jwk),
];

/// 16: steps for the blocks that a digest or a MAC has besides the message.
const DIGEST_STEPS: u64 = 16;

fn digest(
    context: &Context<'_>,
    arguments: &[Value],
    hash: Hash,
) -> Result<Option<Value>, CallError> {
    let text = operand::text(arguments, 0)?;
    context.budget.pay(DIGEST_STEPS)?;
    context.budget.pay_bytes(text.len())?;
    Ok(Some(hex::encode(hash.digest(&[text.as_bytes()])).into()))
}

fn hmac(
    context: &Context<'_>,
    arguments: &[Value],
    hash: Hash,
) -> Result<Option<Value>, CallError> {
    let message = operand::text(arguments, 0)?;
    let key = operand::text(arguments, 1)?;
    context.budget.pay(DIGEST_STEPS)?;
    context
        .budget
        .pay_bytes(message.len().saturating_add(key.len()))?;
    Ok(Some(
        hex::encode(hash.hmac(key.as_bytes(), message.as_bytes())).into(),
    ))
}

fn hmac_equal(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let left = operand::text(arguments, 0)?;
    let right = operand::text(arguments, 1)?;
    context.budget.pay_bytes(left.len().min(right.len()))?;
    Ok(Some(
        hash::is_same(left.as_bytes(), right.as_bytes()).into(),
    ))
}

fn parse_private_keys(
    context: &Context<'_>,
    arguments: &[Value],
) -> Result<Option<Value>, CallError> {
    let text = operand::text(arguments, 0)?;
    if text.is_empty() {
        return Ok(Some(Value::Null));
    }
    let keys = private_keys(context, text)?;
    Ok(Some(Value::array(
        keys.iter().map(json::private_key).collect(),
    )))
}

fn private_key_as_jwk(
    context: &Context<'_>,
    arguments: &[Value],
) -> Result<Option<Value>, CallError> {
    let text = operand::text(arguments, 0)?;
    if text.is_empty() {
        return Err(CallError::new("input PEM data was empty"));
    }
    let decoded;
    let text = if text.starts_with("-----BEGIN") {
        text
    } else {
        context.budget.pay_bytes(text.len())?;
        let bytes = base64::decode_standard(text).ok_or_else(illegal_base64)?;
        decoded = String::from_utf8_lossy(&bytes).into_owned();
        &decoded
    };
    let keys = private_keys(context, text)?;
    Ok(Some(keys.first().map_or(Value::Null, json::jwk)))
}

pub(super) fn illegal_base64() -> CallError {
    CallError::new("illegal base64 data")
}

/// The private keys of all PEM blocks; other blocks are passed over.
fn private_keys(context: &Context<'_>, text: &str) -> Result<Vec<PrivateKey>, CallError> {
    context.budget.pay_bytes(text.len().saturating_mul(4))?;
    let decoded = base64::decode_standard(text);
    let mut rest = decoded.as_deref().unwrap_or(text.as_bytes());
    let mut keys = Vec::new();
    while let Some((block, next)) = pem::next(rest) {
        rest = next;
        let key = match block.label {
            b"RSA PRIVATE KEY" | b"PRIVATE KEY" | b"EC PRIVATE KEY" => {
                signature::pay_for_private_key(context, &block.bytes)?;
                private_key(&block)
            }
            _ => continue,
        };
        keys.push(key.ok_or_else(|| CallError::new("x509: failed to parse private key"))?);
    }
    Ok(keys)
}

/// The key of a block by its label.
pub(super) fn private_key(block: &pem::Block<'_>) -> Option<PrivateKey> {
    match block.label {
        b"RSA PRIVATE KEY" => keys::pkcs1(&block.bytes),
        b"PRIVATE KEY" => keys::pkcs8(&block.bytes),
        b"EC PRIVATE KEY" => keys::sec1(&block.bytes, None),
        _ => None,
    }
}
