//! Proofs that were changed are refused, whatever was changed.

use plinto_tlog::{Error, Hash, MAX_SIZE, proof};

use crate::definition::{Definition, leaf};

fn flipped(hash: &Hash, bit: usize) -> Hash {
    let mut bytes = *hash.as_bytes();
    *bytes.get_mut(bit / 8).unwrap() ^= 1 << (bit % 8);
    Hash::from_bytes(bytes)
}

/// Every way to change a list of hashes a little.
fn changed(path: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    let mut change = |how: &dyn Fn(&mut Vec<Hash>)| {
        let mut other = path.to_vec();
        how(&mut other);
        if other != path {
            all.push(other);
        }
    };
    for (place, hash) in path.iter().enumerate() {
        for bit in [0, 7, 100, 255] {
            change(&|other| *other.get_mut(place).unwrap() = flipped(hash, bit));
        }
        change(&|other| {
            other.remove(place);
        });
        change(&|other| other.insert(place, *hash));
        change(&|other| other.swap(place, 0));
        change(&|other| other.truncate(place));
    }
    change(&|other| other.push(leaf(0)));
    change(&|other| other.insert(0, leaf(0)));
    change(&|other| other.reverse());
    change(&|other| other.extend(vec![leaf(1); 64]));
    all
}

fn refused(result: Result<(), Error>) -> bool {
    matches!(result, Err(Error::Proof | Error::ProofLength))
}

#[test]
fn an_inclusion_proof_that_was_changed_is_refused() {
    let mut definition = Definition::default();
    for size in (1..=34).chain([257]) {
        let root = definition.root(0, size);
        for index in 0..size {
            let path = definition.path(index, 0, size);
            let leaf_hash = leaf(index);
            let verify = |index, leaf: &Hash, root: &Hash, path: &[Hash]| {
                proof::verify_inclusion(index, size, leaf, root, path)
            };
            assert_eq!(verify(index, &leaf_hash, &root, &path), Ok(()));
            for other in changed(&path) {
                assert!(refused(verify(index, &leaf_hash, &root, &other)));
            }
            for bit in [0, 128, 255] {
                assert!(refused(verify(
                    index,
                    &flipped(&leaf_hash, bit),
                    &root,
                    &path
                )));
                assert!(refused(verify(
                    index,
                    &leaf_hash,
                    &flipped(&root, bit),
                    &path
                )));
            }
            for other in (0..size.min(40)).filter(|other| *other != index) {
                assert!(refused(verify(other, &leaf_hash, &root, &path)));
            }
            assert_eq!(verify(size, &leaf_hash, &root, &path), Err(Error::Index));
        }
    }
}

#[test]
fn a_consistency_proof_that_was_changed_is_refused() {
    let mut definition = Definition::default();
    for second in (1..=34).chain([257]) {
        let new = definition.root(0, second);
        for first in 1..=second {
            let old = definition.root(0, first);
            let path = definition.proof(first, second);
            let verify = |first, old: &Hash, new: &Hash, path: &[Hash]| {
                proof::verify_consistency(first, second, old, new, path)
            };
            assert_eq!(verify(first, &old, &new, &path), Ok(()));
            for other in changed(&path) {
                assert!(refused(verify(first, &old, &new, &other)));
            }
            for bit in [0, 128, 255] {
                assert!(refused(verify(first, &flipped(&old, bit), &new, &path)));
                assert!(refused(verify(first, &old, &flipped(&new, bit), &path)));
            }
            for other in (0..=second.min(40)).filter(|other| *other != first) {
                assert!(refused(verify(other, &old, &new, &path)));
            }
        }
    }
}

#[test]
fn a_tree_that_differs_in_one_old_entry_does_not_continue() {
    let mut definition = Definition::default();
    let (old, path) = (definition.root(0, 6), definition.proof(6, 8));
    let forged = plinto_tlog::hash::node(&leaf(1), &definition.root(4, 8));
    let result = proof::verify_consistency(6, 8, &old, &forged, &path);
    assert_eq!(result, Err(Error::Proof));
}

#[test]
fn a_proof_for_the_largest_tree_ends_where_it_must() {
    let root = leaf(0);
    for length in [0, 62, 64, 1_000] {
        let path = vec![root; length];
        let result = proof::verify_inclusion(0, MAX_SIZE, &root, &root, &path);
        assert_eq!(result, Err(Error::ProofLength), "{length} hashes");
    }
    let result = proof::verify_inclusion(0, MAX_SIZE, &root, &root, &[root; 63]);
    assert_eq!(result, Err(Error::Proof));
}
