//! The right edge of a log in tiles: where entries are appended.

use crate::frontier::Frontier;
use crate::hash::Hash;
use crate::tile::{self, FULL, HEIGHT, LEVELS, Tile, TileId, Tiles};
use crate::{Error, size, tree};

/// The tiles of a log that are not full yet, at most one per level: at most 255 hashes each, however
/// long the log is. One writer may keep it between batches, or read it anew for each:
///
/// 1. [`tree::root_needs`] of the current size, and fetch those tiles;
/// 2. [`Edge::from_tiles`], [`Edge::append`];
/// 3. store the tiles that it returns (each in place of the one with its id) and the new size together.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    size: u64,
    /// The hashes of the tile that is not full, by level; none if the level's last one is full.
    levels: [Vec<Hash>; LEVELS],
}

impl Edge {
    /// That of an empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// That of a log of `size` entries.
    /// `tiles`: those that [`tree::root_needs`] names, just as wide: a wider one shows that the log is
    /// longer than `size`, and going on from there would fork it.
    /// Errors: `Size`, `TileMissing`, `TileWidth`.
    pub fn from_tiles(size: u64, tiles: &Tiles) -> Result<Self, Error> {
        let mut edge = Self::new();
        edge.size = size;
        for need in tree::root_needs(size)? {
            let tile = tiles.require(need.id())?;
            if tile.width() != need.width() {
                return Err(tile.width_error(need.width()));
            }
            *edge.level(need.id().level())? = tile.hashes().to_vec();
        }
        Ok(edge)
    }

    /// Appends entries and returns the tiles that are new or have become wider, each once, by level and
    /// index. Takes memory for those, so a very long list is better appended in parts.
    /// `leaves`: as [`hash::leaf`](crate::hash::leaf) gives them.
    /// Errors: `Size`; nothing is appended then.
    pub fn append(&mut self, leaves: &[Hash]) -> Result<Vec<Tile>, Error> {
        let more = u64::try_from(leaves.len()).map_err(|_| Error::Size)?;
        let before = self.size;
        let after = size::add(before, more)?;
        let mut changed = Vec::new();
        for leaf in leaves {
            // no overflow: `after` is larger
            self.size = self.size.saturating_add(1);
            self.push(*leaf, &mut changed)?;
        }
        for (level, hashes) in (0..).zip(&self.levels) {
            let entries = tile::entries(after, level);
            if entries != tile::entries(before, level) && !hashes.is_empty() {
                let id = TileId::new(level, entries >> HEIGHT)?;
                changed.push(Tile::new(id, hashes.clone())?);
            }
        }
        changed.sort_unstable_by_key(Tile::id);
        Ok(changed)
    }

    /// Puts a hash on level 0, and the root of each tile that becomes full on the level above.
    fn push(&mut self, leaf: Hash, full: &mut Vec<Tile>) -> Result<(), Error> {
        let mut hash = leaf;
        for level in 0_u8.. {
            let hashes = self.level(level)?;
            hashes.push(hash);
            if hashes.len() < usize::from(FULL) {
                break;
            }
            let hashes = std::mem::take(hashes);
            hash = tree::complete(&hashes);
            // the entries of this level, this one included, fill it and all tiles before it
            let filled = tile::entries(self.size, level) >> HEIGHT;
            let index = filled.checked_sub(1).ok_or(Error::TileId)?;
            full.push(Tile::new(TileId::new(level, index)?, hashes)?);
        }
        Ok(())
    }

    fn level(&mut self, level: u8) -> Result<&mut Vec<Hash>, Error> {
        let hashes = self.levels.get_mut(usize::from(level));
        hashes.ok_or(Error::TileId)
    }

    /// How many entries the log has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the log.
    /// Source: RFC 9162 §2.1.1.
    pub fn root(&self) -> Hash {
        self.frontier().root()
    }

    /// The complete subtrees that the log consists of.
    pub fn frontier(&self) -> Frontier {
        let mut hashes = Vec::new();
        for level in self.levels.iter().rev() {
            let mut rest = level.as_slice();
            while let Some(height) = rest.len().checked_ilog2() {
                let count = 1_usize.checked_shl(height).unwrap_or(usize::MAX);
                let Some((subtree, after)) = rest.split_at_checked(count) else {
                    break;
                };
                hashes.push(tree::complete(subtree));
                rest = after;
            }
        }
        Frontier::of(self.size, hashes)
    }
}
