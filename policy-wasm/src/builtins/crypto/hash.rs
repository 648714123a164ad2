//! Digests, and MACs made of them.

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

    /// Bytes that a digest reads at once.
    const fn block_size(self) -> usize {
        match self {
            Self::Md5 | Self::Sha1 | Self::Sha256 => 64,
            Self::Sha384 | Self::Sha512 => 128,
        }
    }

    /// The HMAC of a message, under a key of any length. Source: RFC 2104.
    pub(in crate::builtins) fn hmac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        let mut block = if key.len() > self.block_size() {
            self.digest(&[key])
        } else {
            key.to_vec()
        };
        block.resize(self.block_size(), 0);
        let covered = |cover: u8| -> Vec<u8> { block.iter().map(|byte| byte ^ cover).collect() };
        let inner = self.digest(&[&covered(0x36), message]);
        self.digest(&[&covered(0x5c), &inner])
    }
}

fn digest_of<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut digest = D::new();
    for part in parts {
        digest.update(part);
    }
    digest.finalize().to_vec()
}

/// Whether both are the same, in a time that tells only of their lengths.
pub(in crate::builtins) fn is_same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}
