//! Tiles: up to 256 neighbouring hashes of one level (C2SP tlog-tiles), and which of them are needed.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::hash::Hash;
use crate::{Error, MAX_SIZE};

/// How many hashes a full tile has.
pub(crate) const FULL: u16 = 256;
/// How many levels of the tree a tile spans.
pub(crate) const HEIGHT: u32 = 8;
/// How many levels of tiles a log of [`MAX_SIZE`] entries has.
pub(crate) const LEVELS: usize = 8;
/// Digits of an index between two slashes of a path.
const DIGITS: u64 = 1_000;

/// Which tile: its level (0 has the leaves, each further one the roots of full tiles below) and its
/// index in the level. Ordered by level, then index. Its path in a tiled log is its text with the
/// width left out, as for a full tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId {
    level: u8,
    index: u64,
}

impl TileId {
    /// A tile that a log can have.
    /// Errors: `TileId` when it would lie beyond [`MAX_SIZE`].
    pub fn new(level: u8, index: u64) -> Result<Self, Error> {
        let last = entries(MAX_SIZE, level) >> HEIGHT;
        if usize::from(level) >= LEVELS || index > last {
            return Err(Error::TileId);
        }
        Ok(Self { level, index })
    }

    /// 0 to 7; 0 has the leaves.
    pub const fn level(self) -> u8 {
        self.level
    }

    /// The index in its level.
    pub const fn index(self) -> u64 {
        self.index
    }

    /// How many hashes it has in a tree of `size` entries; 0 when that has no such tile.
    pub fn width_in(self, size: u64) -> u16 {
        let begin = self.index.saturating_mul(u64::from(FULL));
        let beyond = entries(size, self.level).saturating_sub(begin);
        u16::try_from(beyond).map_or(FULL, |width| width.min(FULL))
    }

    /// Whether it may be deleted when no entry below `minimum_index` is asked for any more: it has
    /// only hashes of such entries, and no proof about others, no root of a size from there on, and no
    /// further append needs it.
    /// Source: C2SP tlog-tiles, "Pruning": the tile's end index is not above the minimum index.
    pub fn is_prunable(self, minimum_index: u64) -> bool {
        self.index < prunable_below(self.level, minimum_index)
    }

    /// Where a tiled log serves it: `tile/<level>/<index>[.p/<width>]`.
    /// `width`: 1 to 256, see [`TileId::width_in`].
    /// Source: C2SP tlog-tiles, "Merkle Tree".
    pub fn path(self, width: u16) -> String {
        if width < FULL {
            format!("{self}.p/{width}")
        } else {
            self.to_string()
        }
    }

    /// Reads what [`TileId::path`] writes, and gives the width, too.
    /// Errors: `TileId`.
    pub fn from_path(path: &str) -> Result<(Self, u16), Error> {
        let (full, width) = match path.split_once(".p/") {
            Some((full, width)) => (full, width.parse().map_err(|_| Error::TileId)?),
            None => (path, FULL),
        };
        let id: Self = full.parse()?;
        // one spelling only
        if width == 0 || id.path(width) != path {
            return Err(Error::TileId);
        }
        Ok((id, width))
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut groups = format!("{:03}", self.index % DIGITS);
        let mut rest = self.index / DIGITS;
        while rest > 0 {
            groups = format!("x{:03}/{groups}", rest % DIGITS);
            rest /= DIGITS;
        }
        write!(f, "tile/{}/{groups}", self.level)
    }
}

impl FromStr for TileId {
    type Err = Error;

    /// Errors: `TileId`.
    fn from_str(path: &str) -> Result<Self, Error> {
        let (level, groups) = path
            .strip_prefix("tile/")
            .and_then(|rest| rest.split_once('/'))
            .ok_or(Error::TileId)?;
        let digits: String = groups.chars().filter(|c| !matches!(c, 'x' | '/')).collect();
        let id = Self::new(
            level.parse().map_err(|_| Error::TileId)?,
            digits.parse().map_err(|_| Error::TileId)?,
        )?;
        // one spelling only
        if id.to_string() != path {
            return Err(Error::TileId);
        }
        Ok(id)
    }
}

/// The first index in `level` that must be kept when no entry below `minimum_index` is asked for any
/// more; those below it may be deleted, as [`TileId::is_prunable`] says.
pub fn prunable_below(level: u8, minimum_index: u64) -> u64 {
    entries(minimum_index, level) >> HEIGHT
}

/// How many hashes `level` has in a tree of `size` entries.
/// Source: C2SP tlog-tiles, "Partial Tiles": `floor(s / 256**l)`.
pub(crate) fn entries(size: u64, level: u8) -> u64 {
    let bits = u32::from(level).saturating_mul(HEIGHT);
    size.checked_shr(bits).unwrap_or(0)
}

/// A tile that has to be fetched, and how many of its hashes matter. A wider one will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileNeed {
    id: TileId,
    width: u16,
}

impl TileNeed {
    pub(crate) const fn new(id: TileId, width: u16) -> Self {
        Self { id, width }
    }

    /// Which tile.
    pub const fn id(self) -> TileId {
        self.id
    }

    /// How many hashes it must have at least, 1 to 256.
    pub const fn width(self) -> u16 {
        self.width
    }
}

/// Each tile once, with the largest width, in order: for fetching together what several answers need.
pub fn union(needs: impl IntoIterator<Item = TileNeed>) -> Vec<TileNeed> {
    let mut widths: BTreeMap<TileId, u16> = BTreeMap::new();
    for need in needs {
        let width = widths.entry(need.id).or_default();
        *width = need.width.max(*width);
    }
    let needs = widths.into_iter();
    needs.map(|(id, width)| TileNeed { id, width }).collect()
}

/// A tile and its hashes. Kept by its id; the one of an id that has more hashes replaces the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    id: TileId,
    hashes: Vec<Hash>,
}

impl Tile {
    /// Errors: `TileContent` when there are none or more than 256.
    pub fn new(id: TileId, hashes: Vec<Hash>) -> Result<Self, Error> {
        if hashes.is_empty() || hashes.len() > usize::from(FULL) {
            return Err(Error::TileContent);
        }
        Ok(Self { id, hashes })
    }

    /// A tile as it is served and kept: its hashes one after another.
    /// Errors: `TileContent`.
    pub fn from_bytes(id: TileId, bytes: &[u8]) -> Result<Self, Error> {
        let (hashes, rest) = bytes.as_chunks();
        if !rest.is_empty() {
            return Err(Error::TileContent);
        }
        Self::new(id, hashes.iter().copied().map(Hash::from_bytes).collect())
    }

    /// Its hashes one after another, 32 to 8,192 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = self.hashes.iter().flat_map(Hash::as_bytes);
        bytes.copied().collect()
    }

    /// Which tile it is.
    pub const fn id(&self) -> TileId {
        self.id
    }

    /// Its hashes, 1 to 256.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// How many hashes it has, 1 to 256.
    pub fn width(&self) -> u16 {
        u16::try_from(self.hashes.len()).unwrap_or(FULL)
    }

    pub(crate) fn width_error(&self, needed: u16) -> Error {
        Error::TileWidth {
            level: self.id.level,
            index: self.id.index,
            width: self.width(),
            needed,
        }
    }
}

/// Tiles that have been fetched. Of two with the same id the later one stays.
#[derive(Clone, Debug, Default)]
pub struct Tiles(BTreeMap<TileId, Tile>);

impl Tiles {
    /// None yet.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds a tile, in place of the one with its id.
    pub fn insert(&mut self, tile: Tile) {
        self.0.insert(tile.id, tile);
    }

    /// Takes a tile away.
    pub fn remove(&mut self, id: TileId) -> Option<Tile> {
        self.0.remove(&id)
    }

    /// The tile of this id, if it is there.
    pub fn get(&self, id: TileId) -> Option<&Tile> {
        self.0.get(&id)
    }

    /// All of them, by level and index.
    pub fn iter(&self) -> impl Iterator<Item = &Tile> {
        self.0.values()
    }

    /// Errors: `TileMissing`.
    pub(crate) fn require(&self, id: TileId) -> Result<&Tile, Error> {
        self.get(id).ok_or(Error::TileMissing {
            level: id.level,
            index: id.index,
        })
    }
}

impl FromIterator<Tile> for Tiles {
    fn from_iter<I: IntoIterator<Item = Tile>>(tiles: I) -> Self {
        let mut all = Self::new();
        all.extend(tiles);
        all
    }
}

impl Extend<Tile> for Tiles {
    fn extend<I: IntoIterator<Item = Tile>>(&mut self, tiles: I) {
        tiles.into_iter().for_each(|tile| self.insert(tile));
    }
}
