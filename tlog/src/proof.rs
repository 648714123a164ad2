//! Checking proofs: that an entry is in a tree, and that one tree continues another.
//!
//! A root says nothing of the size of its tree, and some proofs fit two sizes: take both from one
//! checkpoint that is signed.

use crate::hash::{self, EMPTY_ROOT, Hash};
use crate::{Error, size};

/// Whether the entry with hash `leaf` is entry `index` of the tree of `size` entries with `root`.
/// `path`: neighbours' hashes from the leaf's up, as [`tree::inclusion`](crate::tree::inclusion) gives them.
/// Errors: `Size`, `Index`, `ProofLength`; `Proof` when it isn't.
/// Source: RFC 9162 §2.1.3.2.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    root: &Hash,
    path: &[Hash],
) -> Result<(), Error> {
    size::check_index(index, size)?;
    let mut climb = Climb::new(index, size)?;
    let mut reached = *leaf;
    for neighbour in path {
        reached = match climb.next()? {
            Side::Left => hash::node(neighbour, &reached),
            Side::Right => hash::node(&reached, neighbour),
        };
    }
    climb.end()?;
    equal(&reached, root)
}

/// Whether the tree of `second` entries with `second_root` begins with the tree of `first` entries with
/// `first_root`.
/// `path`: as [`tree::consistency`](crate::tree::consistency) gives it. It must be empty when `first` is
/// 0, which every tree continues, or equals `second`.
/// Errors: `Size`, `SizeOrder`, `ProofLength`; `Proof` when it doesn't.
/// Source: RFC 9162 §2.1.4.2; for 0, C2SP tlog-witness.
pub fn verify_consistency(
    first: u64,
    second: u64,
    first_root: &Hash,
    second_root: &Hash,
    path: &[Hash],
) -> Result<(), Error> {
    size::check_order(first, second)?;
    if first == 0 || first == second {
        if !path.is_empty() {
            return Err(Error::ProofLength);
        }
        let begin = if first == 0 { &EMPTY_ROOT } else { second_root };
        return equal(first_root, begin).and_then(|()| empty_is_empty(second, second_root));
    }
    let mut rest = path.iter();
    // a first tree that is complete is in the second one as it is, so its root is not repeated
    let begin = if first.is_power_of_two() {
        first_root
    } else {
        rest.next().ok_or(Error::ProofLength)?
    };
    let mut climb = Climb::new(first.saturating_sub(1), second)?;
    climb.skip_left_turns();
    let (mut first_reached, mut second_reached) = (*begin, *begin);
    for neighbour in rest {
        match climb.next()? {
            Side::Left => {
                first_reached = hash::node(neighbour, &first_reached);
                second_reached = hash::node(neighbour, &second_reached);
            }
            Side::Right => second_reached = hash::node(&second_reached, neighbour),
        }
    }
    climb.end()?;
    equal(&first_reached, first_root)?;
    equal(&second_reached, second_root)
}

fn equal(reached: &Hash, root: &Hash) -> Result<(), Error> {
    if reached != root {
        return Err(Error::Proof);
    }
    Ok(())
}

/// The tree without entries has one root only.
fn empty_is_empty(size: u64, root: &Hash) -> Result<(), Error> {
    if size == 0 {
        return equal(root, &EMPTY_ROOT);
    }
    Ok(())
}

/// On which side the next neighbour lies.
enum Side {
    Left,
    Right,
}

/// The way from an entry up to the root: `fn` and `sn` of RFC 9162 §2.1.3.2.
struct Climb {
    node: u64,
    last: u64,
}

impl Climb {
    /// Errors: `Index` in an empty tree.
    fn new(index: u64, size: u64) -> Result<Self, Error> {
        let last = size.checked_sub(1).ok_or(Error::Index)?;
        Ok(Self { node: index, last })
    }

    /// Goes up while the node is a right child: those neighbours are in the first tree's last subtree.
    fn skip_left_turns(&mut self) {
        while self.node & 1 == 1 {
            self.up();
        }
    }

    /// Goes up by one neighbour.
    /// Errors: `ProofLength` at the root.
    fn next(&mut self) -> Result<Side, Error> {
        if self.last == 0 {
            return Err(Error::ProofLength);
        }
        let side = if self.node & 1 == 1 || self.node == self.last {
            // the last node of a row with an odd length goes up alone
            while self.node & 1 == 0 && self.node != 0 {
                self.up();
            }
            Side::Left
        } else {
            Side::Right
        };
        self.up();
        Ok(side)
    }

    fn up(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }

    /// Errors: `ProofLength` below the root.
    fn end(&self) -> Result<(), Error> {
        if self.last != 0 {
            return Err(Error::ProofLength);
        }
        Ok(())
    }
}
