//! The hashes of a Merkle tree over SHA-256 (RFC 9162 §2.1.1; the same as RFC 6962 §2.1).

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::{Error, base64};

/// The root of the tree without entries: the hash of nothing.
/// Source: RFC 9162 §2.1.1.
pub const EMPTY_ROOT: Hash = Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// A hash of a tree. As text it is base64 with padding, 44 characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; Hash::BYTES]);

impl Hash {
    /// How long a hash is, in bytes.
    pub const BYTES: usize = 32;

    /// A hash that was kept as bytes.
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// A hash that was kept as bytes of a length that the type doesn't tell.
    /// Errors: `Hash` when it isn't 32.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Error> {
        bytes.try_into().map(Self).map_err(|_| Error::Hash)
    }

    /// The hash as bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

/// The hash of an entry.
/// Source: RFC 9162 §2.1.1, `HASH(0x00 || d(0))`.
pub fn leaf(entry: &[u8]) -> Hash {
    let digest = Sha256::new().chain_update([0]).chain_update(entry);
    Hash(digest.finalize().into())
}

/// The hash of two subtrees that lie side by side.
/// Source: RFC 9162 §2.1.1, `HASH(0x01 || left || right)`.
pub fn node(left: &Hash, right: &Hash) -> Hash {
    let digest = Sha256::new().chain_update([1]);
    let digest = digest.chain_update(left.0).chain_update(right.0);
    Hash(digest.finalize().into())
}

/// The root over subtrees from left to right, each larger than all to its right; without any, of the
/// empty tree.
pub(crate) fn join(subtrees: impl DoubleEndedIterator<Item = Hash>) -> Hash {
    let mut from_the_right = subtrees.rev();
    let Some(last) = from_the_right.next() else {
        return EMPTY_ROOT;
    };
    from_the_right.fold(last, |right, left| node(&left, &right))
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64::encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = Error;

    /// Errors: `Base64`, `Hash`.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::from_slice(&base64::decode(text)?)
    }
}
