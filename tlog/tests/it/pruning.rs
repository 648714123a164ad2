//! What a log can still do when the tiles below a minimum index are gone.

use plinto_tlog::{Edge, Error, TileId, Tiles, proof, tree};

use crate::definition::{fetch, leaf, leaves, log};

/// The tiles that must be kept.
fn pruned(stored: &Tiles, minimum_index: u64) -> Tiles {
    let kept = stored.iter();
    let kept = kept.filter(|tile| !tile.id().is_prunable(minimum_index));
    kept.cloned().collect()
}

#[test]
fn a_tile_may_go_when_all_its_entries_are_below_the_minimum() {
    let id = |level, index| TileId::new(level, index).unwrap();
    for (level, index, end) in [
        (0, 0, 256),
        (0, 1, 512),
        (0, 255, 65_536),
        (1, 0, 65_536),
        (1, 3, 262_144),
        (2, 0, 16_777_216),
    ] {
        assert!(!id(level, index).is_prunable(0));
        assert!(!id(level, index).is_prunable(end - 1));
        assert!(id(level, index).is_prunable(end));
        assert!(id(level, index).is_prunable(u64::MAX));
        assert_eq!(tree::prunable_below(level, end - 1), index);
        assert_eq!(tree::prunable_below(level, end), index + 1);
    }
    assert!(!id(7, 0).is_prunable(u64::MAX), "its end is 2^64");
    assert_eq!(tree::prunable_below(200, u64::MAX), 0);
}

#[test]
fn later_entries_and_sizes_are_proven_without_pruned_tiles() {
    const SIZE: u64 = 66_300;
    let (edge, all) = log(SIZE);
    for minimum in [
        1, 255, 256, 257, 512, 1_000, 65_535, 65_536, 65_537, 65_792, 66_299, SIZE,
    ] {
        let stored = pruned(&all, minimum);
        let gone = minimum / 256 + minimum / 65_536;
        let count = |tiles: &Tiles| tiles.iter().count() as u64;
        assert_eq!(count(&stored), count(&all) - gone);

        let edges = [
            255,
            256,
            300,
            65_535,
            65_536,
            65_537,
            65_791,
            65_792,
            SIZE - 1,
            SIZE,
        ];
        let sizes: Vec<u64> = [minimum, minimum + 1, minimum + 300]
            .into_iter()
            .chain(edges)
            .filter(|size| (minimum..=SIZE).contains(size))
            .collect();
        for &size in &sizes {
            let root = tree::root(size, &all).unwrap();
            assert_eq!(tree::root(size, &stored), Ok(root));
            assert_eq!(tree::frontier(size, &stored).unwrap().root(), root);
            for &first in sizes.iter().filter(|first| **first <= size) {
                let path = tree::consistency(first, size, &stored).unwrap();
                let old = tree::root(first, &all).unwrap();
                proof::verify_consistency(first, size, &old, &root, &path).unwrap();
                if first < size {
                    let path = tree::inclusion(first, size, &stored).unwrap();
                    proof::verify_inclusion(first, size, &leaf(first), &root, &path).unwrap();
                }
            }
        }

        // and the log goes on
        let needs = tree::root_needs(SIZE).unwrap();
        let mut pruned_edge = Edge::from_tiles(SIZE, &fetch(&stored, &needs)).unwrap();
        let more = leaves(SIZE, SIZE + 500);
        let appended = pruned_edge.append(&more).unwrap();
        assert_eq!(appended, edge.clone().append(&more).unwrap());
    }
}

#[test]
fn what_is_needed_of_later_entries_is_never_prunable() {
    for minimum in (0..2_000).step_by(17) {
        for size in (minimum + 1..2_100).step_by(23) {
            let kept = |needs: Vec<plinto_tlog::TileNeed>| {
                assert!(needs.iter().all(|need| !need.id().is_prunable(minimum)));
            };
            kept(tree::root_needs(size).unwrap());
            kept(tree::inclusion_needs(minimum, size).unwrap());
            kept(tree::inclusion_needs(size - 1, size).unwrap());
            kept(tree::consistency_needs(minimum, size).unwrap());
        }
    }
}

#[test]
fn earlier_entries_are_not_proven_any_more() {
    let stored = pruned(&log(600).1, 256);
    let missing = Err(Error::TileMissing { level: 0, index: 0 });
    assert_eq!(tree::inclusion(255, 600, &stored), missing);
    assert_eq!(tree::consistency(200, 600, &stored), missing);
    assert!(tree::inclusion(256, 600, &stored).is_ok());
    assert!(tree::consistency(256, 600, &stored).is_ok());
}
