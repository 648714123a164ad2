//! Streams of entries, from the beginning or from the middle of a log.

use plinto_tlog::{Error, Frontier, MAX_SIZE, hash, proof, tree};

use crate::definition::{Definition, fetch, leaf, log};

#[test]
fn a_stream_has_the_root_of_the_tree_at_each_entry() {
    let (mut definition, mut frontier) = (Definition::default(), Frontier::new());
    for size in 0..700 {
        assert_eq!(frontier.size(), size);
        assert_eq!(frontier.root(), definition.root(0, size));
        assert_eq!(frontier.hashes().len(), size.count_ones() as usize);
        frontier.push(leaf(size)).unwrap();
    }
}

#[test]
fn an_export_may_begin_at_any_entry() {
    let (edge, stored) = log(66_000);
    for begin in [0, 1, 255, 256, 300, 65_535, 65_536, 65_537, 65_999, 66_000] {
        let needs = tree::root_needs(begin).unwrap();
        let before = tree::frontier(begin, &fetch(&stored, &needs)).unwrap();
        // what travels with the export
        let hashes = before.hashes().to_vec();
        let mut frontier = Frontier::from_hashes(begin, hashes).unwrap();
        assert_eq!(frontier, before);
        for index in begin..66_000 {
            frontier.push(leaf(index)).unwrap();
        }
        assert_eq!(frontier.root(), edge.root(), "from {begin}");
        assert_eq!(frontier, edge.frontier());
    }
}

#[test]
fn an_export_that_ends_early_is_tied_to_a_later_root() {
    let (edge, stored) = log(1_000);
    let mut frontier = tree::frontier(300, &stored).unwrap();
    for index in 300..700 {
        frontier.push(leaf(index)).unwrap();
    }
    let path = tree::consistency(700, 1_000, &stored).unwrap();
    let verify = |root| proof::verify_consistency(700, 1_000, root, &edge.root(), &path);
    assert_eq!(verify(&frontier.root()), Ok(()));
}

#[test]
fn an_export_with_a_wrong_hash_or_entry_has_another_root() {
    let (edge, stored) = log(400);
    let before = tree::frontier(300, &stored).unwrap();
    for wrong in 0..before.hashes().len() {
        let mut hashes = before.hashes().to_vec();
        hashes[wrong] = hash::EMPTY_ROOT;
        let mut frontier = Frontier::from_hashes(300, hashes).unwrap();
        (300..400).for_each(|index| frontier.push(leaf(index)).unwrap());
        assert_ne!(frontier.root(), edge.root());
    }
    for wrong in 300..400 {
        let mut frontier = before.clone();
        for index in 300..400 {
            let index = if index == wrong { 0 } else { index };
            frontier.push(leaf(index)).unwrap();
        }
        assert_ne!(frontier.root(), edge.root());
    }
}

#[test]
fn hashes_that_do_not_fit_the_size_are_refused() {
    for (size, count) in [(0, 1), (1, 0), (1, 2), (6, 1), (6, 3), (256, 8)] {
        let result = Frontier::from_hashes(size, vec![leaf(0); count]);
        assert_eq!(result, Err(Error::Frontier), "{count} for {size}");
    }
    let result = Frontier::from_hashes(MAX_SIZE + 1, vec![leaf(0)]);
    assert_eq!(result, Err(Error::Size));
    let mut largest = Frontier::from_hashes(MAX_SIZE, vec![leaf(0); 63]).unwrap();
    let before = largest.clone();
    assert_eq!(largest.push(leaf(1)), Err(Error::Size));
    assert_eq!(largest, before);
}
