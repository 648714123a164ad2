//! Digests, and MACs made of them.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

/// Which digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::builtins) enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// Bytes of a digest.
    pub(in crate::builtins) const fn size(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The digest of all parts, one after the other.
    pub(in crate::builtins) fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Md5 => digest_of::<Md5>(parts),
            Self::Sha1 => digest_of::<Sha1>(parts),
            Self::Sha256 => digest_of::<Sha256>(parts),
            Self::Sha384 => digest_of::<Sha384>(parts),
            Self::Sha512 => digest_of::<Sha512>(parts),
        }
    }

    /// The HMAC of a message, under a key of any length. Source: RFC 2104.
    pub(in crate::builtins) fn hmac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => hmac_of::<Hmac<Md5>>(key, message),
            Self::Sha1 => hmac_of::<Hmac<Sha1>>(key, message),
            Self::Sha256 => hmac_of::<Hmac<Sha256>>(key, message),
            Self::Sha384 => hmac_of::<Hmac<Sha384>>(key, message),
            Self::Sha512 => hmac_of::<Hmac<Sha512>>(key, message),
        }
    }
}

fn digest_of<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut digest = D::new();
    for part in parts {
        digest.update(part);
    }
    digest.finalize().to_vec()
}

fn hmac_of<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    // A key of any length will do, so there is always a MAC.
    M::new_from_slice(key).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        },
    )
}

/// Whether both are the same, in a time that tells only of their lengths.
pub(in crate::builtins) fn is_same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}
