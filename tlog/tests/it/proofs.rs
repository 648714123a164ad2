//! Every proof of every tree up to a size beyond one tile, and some of larger ones, against the
//! definition.

use plinto_tlog::{Error, Hash, MAX_SIZE, TileNeed, Tiles, hash, proof, tree};

use crate::definition::{Definition, fetch, leaf, log, narrowed};

/// Beyond the first tile, with some of the second.
const SIZE: u64 = 300;

/// The entries of a tree whose proofs are computed: all of the smallest trees and of those around a full
/// tile; a thirteenth of the others, not the same in each.
fn asked(size: u64) -> impl Iterator<Item = u64> {
    let all = size <= 40 || (255..=258).contains(&size);
    (0..size).filter(move |index| all || (index + size).is_multiple_of(13))
}

/// Each of `needs` is needed, and each of its hashes up to the width.
fn nothing_is_needed_in_vain(
    stored: &Tiles,
    needs: &[TileNeed],
    compute: impl Fn(&Tiles) -> Result<(), Error>,
) {
    for need in needs {
        let (level, index) = (need.id().level(), need.id().index());
        let mut tiles = fetch(stored, needs);
        tiles.remove(need.id());
        assert_eq!(compute(&tiles), Err(Error::TileMissing { level, index }));
        let tile = narrowed(stored, *need);
        if let Some((_, hashes)) = tile.hashes().split_last()
            && !hashes.is_empty()
        {
            tiles.insert(plinto_tlog::Tile::new(need.id(), hashes.to_vec()).unwrap());
            let width = need.width() - 1;
            let needed = need.width();
            assert!(matches!(
                compute(&tiles),
                Err(Error::TileWidth { level: l, index: i, width: w, needed: n })
                    if (l, i, w) == (level, index, width) && n > width && n <= needed
            ));
        }
    }
}

fn check_inclusion(definition: &mut Definition, stored: &Tiles, index: u64, size: u64) {
    let needs = tree::inclusion_needs(index, size).unwrap();
    let path = tree::inclusion(index, size, &fetch(stored, &needs)).unwrap();
    assert_eq!(
        path,
        definition.path(index, 0, size),
        "entry {index} of {size}"
    );
    let root = definition.root(0, size);
    proof::verify_inclusion(index, size, &leaf(index), &root, &path).unwrap();
}

fn check_consistency(definition: &mut Definition, stored: &Tiles, first: u64, second: u64) {
    let needs = tree::consistency_needs(first, second).unwrap();
    let path = tree::consistency(first, second, &fetch(stored, &needs)).unwrap();
    let defined = definition.proof(first, second);
    assert_eq!(path, defined, "from {first} to {second}");
    let (old, new) = (definition.root(0, first), definition.root(0, second));
    proof::verify_consistency(first, second, &old, &new, &path).unwrap();
}

#[test]
fn every_proof_of_every_small_tree_holds() {
    let mut definition = Definition::default();
    for size in 1..=SIZE {
        let root = definition.root(0, size);
        for index in 0..size {
            let path = definition.path(index, 0, size);
            proof::verify_inclusion(index, size, &leaf(index), &root, &path).unwrap();
            let first = index + 1;
            let (old, path) = (definition.root(0, first), definition.proof(first, size));
            proof::verify_consistency(first, size, &old, &root, &path).unwrap();
        }
    }
}

#[test]
fn entries_are_proven_from_tiles_to_be_in_every_small_tree() {
    let (mut definition, (_, stored)) = (Definition::default(), log(SIZE));
    for size in 1..=SIZE {
        for index in asked(size) {
            check_inclusion(&mut definition, &stored, index, size);
        }
    }
}

#[test]
fn every_small_tree_is_proven_from_tiles_to_continue_smaller_ones() {
    let (mut definition, (_, stored)) = (Definition::default(), log(SIZE));
    for second in 1..=SIZE {
        for before in asked(second) {
            check_consistency(&mut definition, &stored, before + 1, second);
        }
    }
}

#[test]
fn every_small_root_comes_from_the_tiles_that_are_named() {
    let (mut definition, (_, stored)) = (Definition::default(), log(600));
    for size in 0..=600 {
        let needs = tree::root_needs(size).unwrap();
        let tiles = fetch(&stored, &needs);
        let defined = definition.root(0, size);
        assert_eq!(tree::root(size, &tiles), Ok(defined));
        assert_eq!(tree::frontier(size, &tiles).unwrap().root(), defined);
    }
}

/// Sizes around where a level of tiles begins or ends.
const LARGE: [u64; 7] = [511, 513, 65_279, 65_535, 65_536, 65_537, 66_000];

#[test]
fn proofs_of_larger_trees_are_right_and_need_few_tiles() {
    let (mut definition, (_, stored)) = (Definition::default(), log(66_000));
    for size in LARGE {
        let around = [
            0,
            1,
            255,
            256,
            257,
            32_767,
            32_768,
            65_535,
            65_536,
            size - 1,
        ];
        for index in around.into_iter().filter(|index| *index < size) {
            check_inclusion(&mut definition, &stored, index, size);
            let needs = tree::inclusion_needs(index, size).unwrap();
            assert!(needs.len() <= 6, "two for each of three levels");
            nothing_is_needed_in_vain(&stored, &needs, |tiles| {
                tree::inclusion(index, size, tiles).map(drop)
            });
            check_consistency(&mut definition, &stored, index + 1, size);
            let needs = tree::consistency_needs(index + 1, size).unwrap();
            assert!(needs.len() <= 6, "two for each of three levels");
            nothing_is_needed_in_vain(&stored, &needs, |tiles| {
                tree::consistency(index + 1, size, tiles).map(drop)
            });
        }
        let needs = tree::root_needs(size).unwrap();
        let root = tree::root(size, &fetch(&stored, &needs));
        assert_eq!(root, Ok(definition.root(0, size)));
        nothing_is_needed_in_vain(&stored, &needs, |tiles| tree::root(size, tiles).map(drop));
    }
}

#[test]
fn what_several_proofs_need_is_fetched_once() {
    let one = tree::inclusion_needs(3, 300).unwrap();
    let other = tree::inclusion_needs(299, 300).unwrap();
    let both = tree::union(one.iter().chain(&other).copied());
    let (_, stored) = log(300);
    let tiles = fetch(&stored, &both);
    tree::inclusion(3, 300, &tiles).unwrap();
    tree::inclusion(299, 300, &tiles).unwrap();
    let mut ids: Vec<_> = both.iter().map(|need| need.id()).collect();
    ids.dedup();
    assert_eq!(ids.len(), both.len());
    assert!(both.len() < one.len() + other.len());
}

#[test]
fn the_empty_tree_is_continued_by_all_and_has_one_root() {
    let (root, none): (Hash, &[Hash]) = (leaf(1), &[]);
    assert_eq!(tree::consistency_needs(0, 9), Ok(Vec::new()));
    assert_eq!(tree::consistency(0, 9, &Tiles::new()), Ok(Vec::new()));
    assert_eq!(tree::root(0, &Tiles::new()), Ok(hash::EMPTY_ROOT));
    let verify = proof::verify_consistency;
    assert_eq!(verify(0, 9, &hash::EMPTY_ROOT, &root, none), Ok(()));
    assert_eq!(
        verify(0, 0, &hash::EMPTY_ROOT, &hash::EMPTY_ROOT, none),
        Ok(())
    );
    assert_eq!(verify(0, 9, &root, &root, none), Err(Error::Proof));
    assert_eq!(verify(0, 0, &root, &root, none), Err(Error::Proof));
    assert_eq!(
        verify(0, 0, &hash::EMPTY_ROOT, &root, none),
        Err(Error::Proof)
    );
    assert_eq!(
        verify(0, 9, &hash::EMPTY_ROOT, &root, &[root]),
        Err(Error::ProofLength)
    );
    assert_eq!(
        proof::verify_inclusion(0, 0, &root, &hash::EMPTY_ROOT, none),
        Err(Error::Index)
    );
}

#[test]
fn sizes_and_indexes_that_cannot_be_are_refused() {
    let tiles = Tiles::new();
    assert_eq!(tree::inclusion_needs(5, 5), Err(Error::Index));
    assert_eq!(tree::inclusion(u64::MAX, 5, &tiles), Err(Error::Index));
    assert_eq!(tree::consistency_needs(6, 5), Err(Error::SizeOrder));
    assert_eq!(tree::consistency(6, 5, &tiles), Err(Error::SizeOrder));
    for size in [MAX_SIZE + 1, u64::MAX] {
        assert_eq!(tree::root_needs(size), Err(Error::Size));
        assert_eq!(tree::root(size, &tiles), Err(Error::Size));
        assert_eq!(tree::frontier(size, &tiles), Err(Error::Size));
        assert_eq!(tree::inclusion_needs(0, size), Err(Error::Size));
        assert_eq!(tree::consistency_needs(1, size), Err(Error::Size));
        let root = leaf(0);
        let inclusion = proof::verify_inclusion(0, size, &root, &root, &[]);
        assert_eq!(inclusion, Err(Error::Size));
        let consistency = proof::verify_consistency(1, size, &root, &root, &[]);
        assert_eq!(consistency, Err(Error::Size));
    }
    // and the largest that can be work, apart from the tiles that nobody has
    for index in [0, 1, MAX_SIZE / 2, MAX_SIZE - 1] {
        assert!(tree::inclusion_needs(index, MAX_SIZE).unwrap().len() <= 16);
        assert!(tree::consistency_needs(index + 1, MAX_SIZE).unwrap().len() <= 16);
    }
    assert_eq!(tree::root_needs(MAX_SIZE).unwrap().len(), 8);
    let missing = tree::root(MAX_SIZE, &tiles);
    assert!(matches!(
        missing,
        Err(Error::TileMissing { level: 7, index: 0 })
    ));
}
