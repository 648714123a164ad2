//! The trees of RFC 9162 §2.1 as it defines them, by recursion over all leaves; and a log to compare.

use std::collections::HashMap;

use plinto_tlog::{Edge, Hash, Tile, TileNeed, Tiles, hash};

/// The hash of the entry that the log has at `index`.
pub(crate) fn leaf(index: u64) -> Hash {
    hash::leaf(format!("entry {index}").as_bytes())
}

/// The hashes of entries `begin..end`.
pub(crate) fn leaves(begin: u64, end: u64) -> Vec<Hash> {
    (begin..end).map(leaf).collect()
}

/// Leaves, and what was already computed over them.
#[derive(Default)]
pub(crate) struct Definition {
    roots: HashMap<(u64, u64), Hash>,
}

impl Definition {
    /// `MTH(D[begin:end])`.
    pub(crate) fn root(&mut self, begin: u64, end: u64) -> Hash {
        if let Some(known) = self.roots.get(&(begin, end)) {
            return *known;
        }
        let root = match end - begin {
            0 => hash::EMPTY_ROOT,
            1 => leaf(begin),
            n => {
                let middle = begin + split(n);
                let left = self.root(begin, middle);
                hash::node(&left, &self.root(middle, end))
            }
        };
        self.roots.insert((begin, end), root);
        root
    }

    /// `PATH(index, D_n)` over `begin..end`, of which `index` counts from `begin`.
    pub(crate) fn path(&mut self, index: u64, begin: u64, end: u64) -> Vec<Hash> {
        if end - begin == 1 {
            return Vec::new();
        }
        let k = split(end - begin);
        let middle = begin + k;
        let (mut path, neighbour) = if index < k {
            let path = self.path(index, begin, middle);
            (path, self.root(middle, end))
        } else {
            let path = self.path(index - k, middle, end);
            (path, self.root(begin, middle))
        };
        path.push(neighbour);
        path
    }

    /// `PROOF(first, D_second)`.
    pub(crate) fn proof(&mut self, first: u64, second: u64) -> Vec<Hash> {
        self.subproof(first, 0, second, true)
    }

    fn subproof(&mut self, m: u64, begin: u64, end: u64, whole: bool) -> Vec<Hash> {
        let n = end - begin;
        if m == n {
            return if whole {
                Vec::new()
            } else {
                vec![self.root(begin, end)]
            };
        }
        let k = split(n);
        let middle = begin + k;
        let (mut path, neighbour) = if m <= k {
            let path = self.subproof(m, begin, middle, whole);
            (path, self.root(middle, end))
        } else {
            let path = self.subproof(m - k, middle, end, false);
            (path, self.root(begin, middle))
        };
        path.push(neighbour);
        path
    }
}

/// The largest power of two below `n`.
fn split(n: u64) -> u64 {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

/// A log of `size` entries as a keeper has it.
pub(crate) fn log(size: u64) -> (Edge, Tiles) {
    let mut edge = Edge::new();
    let stored = edge.append(&leaves(0, size)).unwrap();
    (edge, stored.into_iter().collect())
}

/// What a keeper fetches: the tiles that are needed, not a hash more.
pub(crate) fn fetch(stored: &Tiles, needs: &[TileNeed]) -> Tiles {
    needs.iter().map(|need| narrowed(stored, *need)).collect()
}

/// One tile, cut to the width that is needed.
pub(crate) fn narrowed(stored: &Tiles, need: TileNeed) -> Tile {
    let hashes = stored.get(need.id()).unwrap().hashes();
    let hashes = hashes.get(..usize::from(need.width())).unwrap();
    Tile::new(need.id(), hashes.to_vec()).unwrap()
}
