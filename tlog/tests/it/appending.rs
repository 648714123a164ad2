//! Appending in batches of any size gives the same tiles as appending at once, and only what changed.

use std::collections::BTreeMap;

use plinto_tlog::{Edge, Error, MAX_SIZE, Tile, TileId, Tiles, tree};
use proptest::prelude::*;

use crate::definition::{Definition, fetch, leaf, leaves, log};

fn contents(tiles: &Tiles) -> BTreeMap<TileId, Vec<u8>> {
    tiles
        .iter()
        .map(|tile| (tile.id(), tile.to_bytes()))
        .collect()
}

#[test]
fn tiles_hold_what_the_specification_says() {
    let (mut definition, (edge, stored)) = (Definition::default(), log(66_000));
    let mut count = 0;
    for level in 0..8_u8 {
        let span = 256_u64.pow(u32::from(level));
        let hashes = 66_000 / span;
        for index in 0..hashes.div_ceil(256) {
            let tile = stored.get(TileId::new(level, index).unwrap()).unwrap();
            assert_eq!(u64::from(tile.width()), (hashes - index * 256).min(256));
            assert_eq!(tile.width(), tile.id().width_in(66_000));
            for (hash, i) in tile.hashes().iter().zip(0_u64..) {
                let begin = (index * 256 + i) * span;
                assert_eq!(*hash, definition.root(begin, begin + span));
            }
            count += 1;
        }
    }
    assert_eq!(stored.iter().count(), count, "and no others");
    assert_eq!(edge.root(), definition.root(0, 66_000));
    assert_eq!(edge.size(), 66_000);
}

#[test]
fn the_example_of_the_specification_has_its_tiles() {
    let (_, stored) = log(70_000);
    let of = |level| stored.iter().filter(move |tile| tile.id().level() == level);
    let widths = |level| of(level).map(Tile::width).collect::<Vec<_>>();
    assert_eq!(widths(0), [vec![256; 273], vec![112]].concat());
    assert_eq!(widths(1), [256, 17]);
    assert_eq!(widths(2), [1]);
    assert!(widths(3).is_empty());
}

#[test]
fn one_by_one_gives_every_root_and_only_tiles_that_changed() {
    let mut definition = Definition::default();
    let mut edge = Edge::new();
    let mut stored = Tiles::new();
    for size in 0..600_u64 {
        assert_eq!(edge.root(), definition.root(0, size));
        let changed = edge.append(&[leaf(size)]).unwrap();
        for tile in &changed {
            let before = stored.get(tile.id()).map_or(&[][..], Tile::hashes);
            assert_eq!(before.len() + 1, tile.hashes().len());
            assert_eq!(before, &tile.hashes()[..before.len()]);
        }
        stored.extend(changed);
    }
    assert_eq!(contents(&stored), contents(&log(600).1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn batches_do_not_matter(batches in prop::collection::vec(0..700_u64, 1..8)) {
        let mut stored = Tiles::new();
        let mut size = 0;
        for batch in batches {
            // as a keeper does who has nothing in memory
            let needs = tree::root_needs(size).unwrap();
            prop_assert!(needs.len() <= 8);
            let mut edge = Edge::from_tiles(size, &fetch(&stored, &needs)).unwrap();
            let changed = edge.append(&leaves(size, size + batch)).unwrap();
            let ids: Vec<_> = changed.iter().map(Tile::id).collect();
            prop_assert!(ids.is_sorted_by(|a, b| a < b), "each once, in order");
            stored.extend(changed);
            size += batch;
            prop_assert_eq!(edge.root(), tree::root(size, &stored).unwrap());
        }
        prop_assert_eq!(contents(&stored), contents(&log(size).1));
    }
}

#[test]
fn going_on_across_levels_two_needs_three_tiles() {
    let (_, mut stored) = log(65_530);
    let mut edge = Edge::from_tiles(65_530, &stored).unwrap();
    for size in 65_530..65_540 {
        stored.extend(edge.append(&[leaf(size)]).unwrap());
        let needs = tree::root_needs(size + 1).unwrap();
        let again = Edge::from_tiles(size + 1, &fetch(&stored, &needs)).unwrap();
        assert_eq!(again.root(), edge.root());
    }
    assert_eq!(contents(&stored), contents(&log(65_540).1));
    let levels: Vec<_> = tree::root_needs(65_540).unwrap();
    let levels: Vec<_> = levels.iter().map(|need| need.id().level()).collect();
    assert_eq!(levels, [0, 2]);
}

#[test]
fn nothing_appended_changes_nothing() {
    assert_eq!(Edge::new().append(&[]), Ok(Vec::new()));
    let (mut edge, _) = log(300);
    let root = edge.root();
    assert_eq!(edge.append(&[]), Ok(Vec::new()));
    assert_eq!((edge.root(), edge.size()), (root, 300));
}

#[test]
fn a_log_does_not_go_on_from_tiles_that_do_not_fit_its_size() {
    let (_, longer) = log(301);
    let shorter = log(299).1;
    let id = TileId::new(0, 1).unwrap();
    for (tiles, width) in [(longer, 45), (shorter, 43)] {
        let result = Edge::from_tiles(300, &tiles);
        let (level, index, needed) = (id.level(), id.index(), 44);
        let error = Error::TileWidth {
            level,
            index,
            width,
            needed,
        };
        assert_eq!(result.unwrap_err(), error);
    }
    let error = Error::TileMissing { level: 0, index: 1 };
    assert_eq!(Edge::from_tiles(300, &Tiles::new()).unwrap_err(), error);
    let error = Edge::from_tiles(u64::MAX, &Tiles::new()).unwrap_err();
    assert_eq!(error, Error::Size);
}

#[test]
fn a_log_ends_at_its_largest_size() {
    // tiles of a log that nobody could fill: what they hold doesn't matter here
    let full = |size| {
        let needs = tree::root_needs(size).unwrap();
        let tile = |id, width| Tile::new(id, vec![leaf(0); usize::from(width)]).unwrap();
        let tiles: Tiles = needs.iter().map(|n| tile(n.id(), n.width())).collect();
        Edge::from_tiles(size, &tiles).unwrap()
    };
    let mut edge = full(MAX_SIZE - 1);
    let root = edge.root();
    assert_eq!(edge.append(&[leaf(1), leaf(2)]), Err(Error::Size));
    assert_eq!((edge.root(), edge.size()), (root, MAX_SIZE - 1));
    let changed = edge.append(&[leaf(1)]).unwrap();
    assert_eq!(edge.size(), MAX_SIZE);
    assert_eq!(changed.len(), 1, "2^63 - 1 fills no tile");
    assert_eq!(edge.append(&[leaf(1)]), Err(Error::Size));
}
