//! Roots and proofs of a log that is kept as tiles. Each answer has two steps, so that fetching may be
//! asynchronous: `…_needs` says which tiles it needs (a few per answer, never more than two per level),
//! the other computes it from those.
//!
//! The answers are only as true as the tiles: whoever doesn't trust where those come from checks the
//! result with [`proof`](crate::proof) and a root that is trusted.
//!
//! After pruning up to a minimum index (see [`TileId::is_prunable`]) no tile that may be gone is needed
//! for roots, frontiers and consistency of sizes from that index on, and inclusion of entries from it on.

use crate::frontier::Frontier;
use crate::hash::{self, Hash};
use crate::tile::{self, HEIGHT, TileId, TileNeed, Tiles};
use crate::{Error, size};

pub use crate::tile::{prunable_below, union};

/// What [`root`], [`frontier`] and [`Edge::from_tiles`](crate::Edge::from_tiles) need.
/// `size`: in entries, up to that of the log.
/// Errors: `Size`.
pub fn root_needs(size: u64) -> Result<Vec<TileNeed>, Error> {
    size::check(size)?;
    needs(&[Span::until(size)])
}

/// The root of the log as it was when it had `size` entries.
/// Errors: `Size`, `TileMissing`, `TileWidth`.
/// Source: RFC 9162 §2.1.1.
pub fn root(size: u64, tiles: &Tiles) -> Result<Hash, Error> {
    size::check(size)?;
    Span::until(size).root(tiles)
}

/// The complete subtrees that the log consisted of when it had `size` entries: what an export that
/// begins there has to bring along.
/// Errors: `Size`, `TileMissing`, `TileWidth`.
pub fn frontier(size: u64, tiles: &Tiles) -> Result<Frontier, Error> {
    size::check(size)?;
    Frontier::from_hashes(size, Span::until(size).hashes(tiles)?)
}

/// What [`inclusion`] needs.
/// Errors: `Size`, `Index`.
pub fn inclusion_needs(index: u64, size: u64) -> Result<Vec<TileNeed>, Error> {
    needs(&inclusion_path(index, size)?)
}

/// The proof that entry `index` is in the tree of `size` entries: its neighbours' hashes, from the
/// leaf's up.
/// Errors: `Size`, `Index`, `TileMissing`, `TileWidth`.
/// Source: RFC 9162 §2.1.3.1.
pub fn inclusion(index: u64, size: u64, tiles: &Tiles) -> Result<Vec<Hash>, Error> {
    roots(&inclusion_path(index, size)?, tiles)
}

/// What [`consistency`] needs.
/// Errors: `Size`, `SizeOrder`.
pub fn consistency_needs(first: u64, second: u64) -> Result<Vec<TileNeed>, Error> {
    needs(&consistency_path(first, second)?)
}

/// The proof that the tree of `second` entries begins with that of `first` entries. It has no hashes
/// when `first` is 0 or equals `second`.
/// Errors: `Size`, `SizeOrder`, `TileMissing`, `TileWidth`.
/// Source: RFC 9162 §2.1.4.1; for 0, C2SP tlog-witness.
pub fn consistency(first: u64, second: u64, tiles: &Tiles) -> Result<Vec<Hash>, Error> {
    roots(&consistency_path(first, second)?, tiles)
}

/// Neighbouring entries that a hash of a proof stands for, `begin..end`. `begin` is a multiple of the
/// least power of two that is not below its length.
#[derive(Clone, Copy, Debug)]
struct Span {
    begin: u64,
    end: u64,
}

impl Span {
    const fn until(end: u64) -> Self {
        Self { begin: 0, end }
    }

    const fn len(self) -> u64 {
        self.end.saturating_sub(self.begin)
    }

    /// Its left part, as long as the largest power of two below its length, and the rest; none if it
    /// is one entry or empty.
    fn halves(self) -> Option<(Self, Self)> {
        let last = self.len().checked_sub(1)?;
        let left = 1_u64.checked_shl(last.checked_ilog2()?)?;
        let middle = self.begin.checked_add(left)?;
        let (begin, end) = (self.begin, self.end);
        Some((Self { begin, end: middle }, Self { begin: middle, end }))
    }

    /// The complete subtrees that it consists of, from left to right.
    fn subtrees(self) -> impl Iterator<Item = Subtree> {
        let mut begin = self.begin;
        std::iter::from_fn(move || {
            let height = self.end.checked_sub(begin)?.checked_ilog2()?;
            let subtree = Subtree { height, begin };
            begin = begin.checked_add(1_u64.checked_shl(height)?)?;
            Some(subtree)
        })
    }

    fn hashes(self, tiles: &Tiles) -> Result<Vec<Hash>, Error> {
        self.subtrees().map(|subtree| subtree.root(tiles)).collect()
    }

    fn root(self, tiles: &Tiles) -> Result<Hash, Error> {
        Ok(hash::join(self.hashes(tiles)?.into_iter()))
    }
}

/// A subtree of `2^height` entries from `begin` on, which is a multiple of that.
#[derive(Clone, Copy, Debug)]
struct Subtree {
    height: u32,
    begin: u64,
}

/// Where a subtree's hashes are: in one tile, from `offset` on, a power of two of them.
#[derive(Clone, Copy, Debug)]
struct Place {
    id: TileId,
    offset: u16,
    end: u16,
}

impl Subtree {
    /// Errors: `TileId`, which can't be: sizes are checked before.
    fn place(self) -> Result<Place, Error> {
        let level = u8::try_from(self.height / HEIGHT).map_err(|_| Error::TileId)?;
        let entry = tile::entries(self.begin, level);
        let count = 1_u16.checked_shl(self.height % HEIGHT);
        let [.., offset] = entry.to_be_bytes(); // entry modulo 256
        let offset = u16::from(offset);
        let end = count.and_then(|count| offset.checked_add(count));
        Ok(Place {
            id: TileId::new(level, entry >> HEIGHT)?,
            offset,
            end: end.ok_or(Error::TileId)?,
        })
    }

    /// Errors: `TileMissing`, `TileWidth`.
    fn root(self, tiles: &Tiles) -> Result<Hash, Error> {
        let place = self.place()?;
        let tile = tiles.require(place.id)?;
        let range = usize::from(place.offset)..usize::from(place.end);
        let hashes = tile.hashes().get(range);
        Ok(complete(hashes.ok_or_else(|| tile.width_error(place.end))?))
    }
}

/// The root over a power of two of hashes.
pub(crate) fn complete(hashes: &[Hash]) -> Hash {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        let (pairs, _) = row.as_chunks();
        row = pairs.iter().map(|[l, r]| hash::node(l, r)).collect();
    }
    row.first().copied().unwrap_or(hash::EMPTY_ROOT)
}

fn needs(spans: &[Span]) -> Result<Vec<TileNeed>, Error> {
    let subtrees = spans.iter().flat_map(|span| span.subtrees());
    let needs: Result<Vec<_>, Error> = subtrees
        .map(|subtree| {
            let place = subtree.place()?;
            Ok(TileNeed::new(place.id, place.end))
        })
        .collect();
    Ok(union(needs?))
}

fn roots(spans: &[Span], tiles: &Tiles) -> Result<Vec<Hash>, Error> {
    spans.iter().map(|span| span.root(tiles)).collect()
}

/// `PATH(index, D_size)` as spans.
fn inclusion_path(index: u64, size: u64) -> Result<Vec<Span>, Error> {
    size::check_index(index, size)?;
    let mut here = Span::until(size);
    let mut path = Vec::new();
    while let Some((left, right)) = here.halves() {
        let is_left = index < left.end;
        path.push(if is_left { right } else { left });
        here = if is_left { left } else { right };
    }
    path.reverse();
    Ok(path)
}

/// `PROOF(first, D_second)` as spans.
fn consistency_path(first: u64, second: u64) -> Result<Vec<Span>, Error> {
    size::check_order(first, second)?;
    let mut here = Span::until(second);
    let mut path = Vec::new();
    if first == 0 {
        return Ok(path);
    }
    while here.end != first {
        let Some((left, right)) = here.halves() else {
            break;
        };
        let is_left = first <= left.end;
        path.push(if is_left { right } else { left });
        here = if is_left { left } else { right };
    }
    // the whole first tree is a hash that the verifier has
    if here.begin != 0 {
        path.push(here);
    }
    path.reverse();
    Ok(path)
}
