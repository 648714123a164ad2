//! Signatures by the names that JWTs give them, and what checking and making one costs. Source:
//! RFC 7518 §3.1, RFC 8037 §3.1.

use super::{
    ecdsa,
    hash::{Hash, is_same},
    keys::{PrivateKey, PublicKey},
    rsa::{self, Scheme},
};
use crate::{budget::Exhausted, builtins::Context};

/// What kind of key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::builtins) enum Family {
    Hmac,
    Pkcs1,
    Pss,
    Ecdsa,
    EdDsa,
}

/// `RS256`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::builtins) struct Algorithm {
    pub(in crate::builtins) family: Family,
    pub(in crate::builtins) hash: Hash,
}

impl Algorithm {
    pub(in crate::builtins) const fn new(family: Family, hash: Hash) -> Self {
        Self { family, hash }
    }

    /// By its name. `None`: it is not one of RFC 7518 and 8037.
    pub(in crate::builtins) fn named(name: &str) -> Option<Self> {
        if name == "EdDSA" {
            return Some(Self::new(Family::EdDsa, Hash::Sha512));
        }
        let (family, hash) = name.split_at_checked(2)?;
        let family = match family {
            "HS" => Family::Hmac,
            "RS" => Family::Pkcs1,
            "PS" => Family::Pss,
            "ES" => Family::Ecdsa,
            _ => return None,
        };
        let hash = match hash {
            "256" => Hash::Sha256,
            "384" => Hash::Sha384,
            "512" => Hash::Sha512,
            _ => return None,
        };
        Some(Self::new(family, hash))
    }
}

/// How much is asked of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::builtins) enum Strictness {
    /// As `io.jwt.verify_*`: any salt, numbers of any length.
    Lenient,
    /// As `io.jwt.decode_verify`: what RFC 7518 says.
    Strict,
}

/// Whether a MAC is the one of the message.
pub(in crate::builtins) fn is_mac(hash: Hash, key: &[u8], message: &[u8], mac: &[u8]) -> bool {
    is_same(&hash.hmac(key, message), mac)
}

/// Whether the signature is one of the message. A key of another kind has made none.
/// Errors: the steps are spent.
pub(in crate::builtins) fn verifies(
    context: &Context<'_>,
    algorithm: Algorithm,
    key: &PublicKey,
    message: &[u8],
    signature: &[u8],
    strictness: Strictness,
) -> Result<bool, Exhausted> {
    let hash = algorithm.hash;
    let scheme = match algorithm.family {
        Family::Pss => Scheme::Pss {
            any_salt: strictness == Strictness::Lenient,
        },
        _ => Scheme::Pkcs1,
    };
    match (algorithm.family, key) {
        (Family::Pkcs1 | Family::Pss, PublicKey::Rsa(key)) => {
            context.budget.pay_bytes(message.len())?;
            pay_for_rsa(context, key, Half::Public)?;
            Ok(key.verifies(scheme, hash, &hash.digest(&[message]), signature))
        }
        (Family::Ecdsa, PublicKey::Ec(key)) => {
            context.budget.pay_bytes(message.len())?;
            pay_for_curve(context, key.curve)?;
            let size = key.curve.size();
            if strictness == Strictness::Strict && signature.len() != size.saturating_mul(2) {
                return Ok(false);
            }
            let (r, s) = signature
                .split_at_checked(signature.len() / 2)
                .unwrap_or_default();
            Ok(key.verifies(&hash.digest(&[message]), ecdsa::Signature { r, s }))
        }
        (Family::EdDsa, PublicKey::Ed25519(key)) => {
            // The message is read twice.
            context.budget.pay_bytes(message.len().saturating_mul(2))?;
            context.budget.pay(ED25519_STEPS)?;
            Ok(ed25519_verifies(key, message, signature))
        }
        _ => Ok(false),
    }
}

fn ed25519_verifies(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    use ed25519_dalek::{Signature, Verifier, VerifyingKey};
    let key = VerifyingKey::from_bytes(key);
    let signature = Signature::from_slice(signature);
    match (key, signature) {
        (Ok(key), Ok(signature)) => key.verify(message, &signature).is_ok(),
        _ => false,
    }
}

/// The signature of a message. `None`: the key is of another kind, or can't be used.
/// Errors: the steps are spent.
pub(in crate::builtins) fn sign(
    context: &Context<'_>,
    algorithm: Algorithm,
    key: &PrivateKey,
    message: &[u8],
) -> Result<Option<Vec<u8>>, Exhausted> {
    let hash = algorithm.hash;
    context.budget.pay_bytes(message.len().saturating_mul(2))?;
    Ok(match (algorithm.family, key) {
        (Family::Pkcs1, PrivateKey::Rsa(key)) => {
            pay_for_rsa(context, &key.public, Half::Private)?;
            key.sign(Scheme::Pkcs1, hash, &hash.digest(&[message]), &[])
        }
        (Family::Pss, PrivateKey::Rsa(key)) => {
            pay_for_rsa(context, &key.public, Half::Private)?;
            let digest = hash.digest(&[message]);
            // Nothing is random here, so the salt is what only the key's owner can know.
            let salt = hash.hmac(&key.d, &digest);
            key.sign(Scheme::Pss { any_salt: false }, hash, &digest, &salt)
        }
        (Family::Ecdsa, PrivateKey::Ec(key)) => {
            pay_for_scalar(context, key.public.curve)?;
            key.sign(&hash.digest(&[message]))
        }
        (Family::EdDsa, PrivateKey::Ed25519 { seed, .. }) => {
            use ed25519_dalek::{Signer, SigningKey};
            context.budget.pay(ED25519_STEPS)?;
            let key = SigningKey::from_bytes(seed);
            Some(key.sign(message).to_bytes().to_vec())
        }
        _ => None,
    })
}

/// Which of the two numbers of a key is raised to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Public,
    Private,
}

/// Steps for a signature of Ed25519, either way, or for making a public key.
pub(in crate::builtins) const ED25519_STEPS: u64 = 1_000;

/// RSA's public half takes time with the square of the modulus's length and with the length of the
/// exponent, the private one with the cube of the modulus's. A key of 2048 bits: about 1,900 and
/// 33,000 steps.
fn pay_for_rsa(context: &Context<'_>, key: &rsa::PublicKey, half: Half) -> Result<(), Exhausted> {
    let words = u64::from(key.bits() / 64);
    let square = words.saturating_mul(words);
    let exponent_bits = u64::from(u64::BITS.saturating_sub(key.e.leading_zeros()));
    context.budget.pay(match half {
        Half::Public => square.saturating_mul(exponent_bits.saturating_add(20)) / 20,
        Half::Private => square.saturating_mul(words),
    })
}

/// Steps for multiplying a point: once for a private key or a signature, twice for checking one.
const fn point_steps(curve: ecdsa::Curve) -> u64 {
    match curve {
        ecdsa::Curve::P256 => 4_000,
        ecdsa::Curve::P384 => 9_000,
        ecdsa::Curve::P521 => 15_000,
    }
}

/// Pays for checking a signature.
pub(in crate::builtins) fn pay_for_curve(
    context: &Context<'_>,
    curve: ecdsa::Curve,
) -> Result<(), Exhausted> {
    context.budget.pay(point_steps(curve).saturating_mul(2))
}

/// Pays for a private key on a curve, or for making a signature with it.
pub(in crate::builtins) fn pay_for_scalar(
    context: &Context<'_>,
    curve: ecdsa::Curve,
) -> Result<(), Exhausted> {
    context.budget.pay(point_steps(curve))
}

/// Steps for checking that a public key of as many bytes is one.
pub(in crate::builtins) fn pay_for_public_key(
    context: &Context<'_>,
    bytes: usize,
) -> Result<(), Exhausted> {
    context.budget.pay_bytes(bytes.saturating_mul(64))
}

/// Pays for reading a private key in DER: its numbers are checked, or its public key is made.
pub(in crate::builtins) fn pay_for_private_key(
    context: &Context<'_>,
    der: &[u8],
) -> Result<(), Exhausted> {
    pay_for_numbers(context, der.len())?;
    // Whichever curve it names.
    match super::keys::named_curve(der) {
        Some(curve) => pay_for_scalar(context, curve),
        None => context.budget.pay(ED25519_STEPS),
    }
}

/// Pays for arithmetic with numbers of as many bytes together.
pub(in crate::builtins) fn pay_for_numbers(
    context: &Context<'_>,
    bytes: usize,
) -> Result<(), Exhausted> {
    let words = u64::try_from(bytes / 8).unwrap_or(u64::MAX);
    context.budget.pay(words.saturating_mul(words) / 32)
}
