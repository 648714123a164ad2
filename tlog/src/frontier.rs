//! A tree of which only the right edge is known: enough to go on and to tell the root.

use crate::hash::{self, Hash};
use crate::{Error, size};

/// The roots of the complete subtrees that a tree consists of, largest (and leftmost) first; at most
/// 63 of them, one for each bit that is set in the size. Takes in a stream of leaf hashes of any length.
///
/// An export that begins at entry k brings the hashes of the frontier of size k: start from those,
/// push the entries, and compare the root with that of the checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    pub const fn new() -> Self {
        Self {
            size: 0,
            hashes: Vec::new(),
        }
    }

    /// A tree that somebody else has begun.
    /// `size`: in entries. `hashes`: as [`Frontier::hashes`] gives them. Nothing is proven by them
    /// until a root that comes of them equals one that is trusted.
    /// Errors: `Size`, `Frontier` when there are more or fewer than the size has bits.
    pub fn from_hashes(size: u64, hashes: Vec<Hash>) -> Result<Self, Error> {
        size::check(size)?;
        if u32::try_from(hashes.len()) != Ok(size.count_ones()) {
            return Err(Error::Frontier);
        }
        Ok(Self { size, hashes })
    }

    /// `hashes`: one for each bit of `size`.
    pub(crate) const fn of(size: u64, hashes: Vec<Hash>) -> Self {
        Self { size, hashes }
    }

    /// Takes in the next entry.
    /// `leaf`: as [`hash::leaf`] gives it.
    /// Errors: `Size`; the frontier is then as before.
    pub fn push(&mut self, leaf: Hash) -> Result<(), Error> {
        let size = size::add(self.size, 1)?;
        let mut right = leaf;
        // each subtree of its size that is there already becomes its left half
        for _ in 0..self.size.trailing_ones() {
            let left = self.hashes.pop().ok_or(Error::Frontier)?;
            right = hash::node(&left, &right);
        }
        self.hashes.push(right);
        self.size = size;
        Ok(())
    }

    /// How many entries the tree has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of its complete subtrees, from left to right.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The root of the tree.
    /// Source: RFC 9162 §2.1.1.
    pub fn root(&self) -> Hash {
        hash::join(self.hashes.iter().copied())
    }
}
