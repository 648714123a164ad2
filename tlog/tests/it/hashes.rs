//! Known answers of certificate-transparency's own tests for RFC 6962, and the text of a hash.

use plinto_tlog::{Edge, Error, Frontier, Hash, Tiles, hash, proof, tree};

const ENTRIES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// Index and size of an entry, and its path.
const PATHS: [(u64, u64, &[&str]); 4] = [
    (0, 1, &[]),
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        1,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

/// Two sizes, and what proves that one continues the other.
const CONTINUATIONS: [(u64, u64, &[&str]); 4] = [
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn hashes(all: &[&str]) -> Vec<Hash> {
    let hashes = all.iter().map(|hex| Hash::from_slice(&bytes(hex)).unwrap());
    hashes.collect()
}

fn at(hashes: &[Hash], index: u64) -> &Hash {
    hashes.get(usize::try_from(index).unwrap()).unwrap()
}

fn leaves() -> Vec<Hash> {
    ENTRIES.iter().map(|hex| hash::leaf(&bytes(hex))).collect()
}

fn stored() -> Tiles {
    let tiles = Edge::new().append(&leaves()).unwrap();
    tiles.into_iter().collect()
}

#[test]
fn roots_are_those_of_the_reference() {
    let mut frontier = Frontier::new();
    let mut roots = vec![frontier.root()];
    for leaf in leaves() {
        frontier.push(leaf).unwrap();
        roots.push(frontier.root());
    }
    assert_eq!(roots, hashes(&ROOTS));
    let from_tiles = (0..=8).map(|size| tree::root(size, &stored()).unwrap());
    assert_eq!(from_tiles.collect::<Vec<_>>(), hashes(&ROOTS));
}

#[test]
fn proofs_are_those_of_the_reference() {
    let (roots, leaves) = (hashes(&ROOTS), leaves());
    for (index, size, path) in PATHS {
        let path = hashes(path);
        assert_eq!(tree::inclusion(index, size, &stored()).unwrap(), path);
        let (leaf, root) = (at(&leaves, index), at(&roots, size));
        proof::verify_inclusion(index, size, leaf, root, &path).unwrap();
    }
    for (first, second, path) in CONTINUATIONS {
        let path = hashes(path);
        assert_eq!(tree::consistency(first, second, &stored()).unwrap(), path);
        let (old, new) = (at(&roots, first), at(&roots, second));
        proof::verify_consistency(first, second, old, new, &path).unwrap();
    }
}

#[test]
fn a_leaf_is_not_taken_for_a_node() {
    let (left, right) = (hash::leaf(b"l"), hash::leaf(b"r"));
    let both = [*left.as_bytes(), *right.as_bytes()].concat();
    assert_ne!(hash::node(&left, &right), hash::leaf(&both));
    assert_ne!(hash::node(&left, &right), hash::node(&right, &left));
}

#[test]
fn the_text_of_a_hash_has_one_spelling() {
    let text = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    assert_eq!(hash::EMPTY_ROOT.to_string(), text);
    assert_eq!(text.parse(), Ok(hash::EMPTY_ROOT));
    for (other, error) in [
        ("", Error::Hash),
        ("AAAA", Error::Hash),
        ("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFVV", Error::Hash),
        ("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", Error::Base64),
        (
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=",
            Error::Base64,
        ),
        (
            "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
            Error::Base64,
        ),
        (
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
            Error::Base64,
        ),
        (
            " 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            Error::Base64,
        ),
    ] {
        assert_eq!(other.parse::<Hash>(), Err(error), "{other:?}");
    }
}
