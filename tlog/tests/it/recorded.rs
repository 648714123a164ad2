//! What Go's golang.org/x/mod/sumdb says, as `conformance` has recorded it in `vectors`.

use std::collections::BTreeSet;

use base64ct::{Base64, Encoding};
use plinto_tlog::{Checkpoint, Frontier, Hash, SigningKey, VerifierKey, hash, note, proof, tree};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::definition::{leaves, log};
use crate::hashes::bytes;

#[derive(Deserialize)]
struct Trees {
    roots: Vec<Root>,
    inclusion: Vec<Inclusion>,
    consistency: Vec<Consistency>,
    tiles: Vec<RecordedTile>,
    appended: Vec<Appended>,
}

#[derive(Deserialize)]
struct Root {
    size: u64,
    root: String,
}

#[derive(Deserialize)]
struct Inclusion {
    index: u64,
    size: u64,
    path: Vec<String>,
}

#[derive(Deserialize)]
struct Consistency {
    first: u64,
    second: u64,
    path: Vec<String>,
}

#[derive(Deserialize)]
struct RecordedTile {
    size: u64,
    path: String,
    sha256: String,
}

#[derive(Deserialize)]
struct Appended {
    from: u64,
    to: u64,
    paths: Vec<String>,
}

#[derive(Deserialize)]
struct Notes {
    keys: Vec<Key>,
    signed: Vec<Signed>,
    opened: Vec<OpenedNote>,
    verifier_keys: Vec<VerifierKeyText>,
    checkpoints: Vec<RecordedCheckpoint>,
}

#[derive(Deserialize)]
struct Key {
    name: String,
    seed: String,
    #[serde(rename = "verifier_key")]
    text: String,
}

#[derive(Deserialize)]
struct Signed {
    text: String,
    keys: Vec<String>,
    note: String,
}

#[derive(Deserialize)]
struct OpenedNote {
    what: String,
    message_base64: String,
    accepted: bool,
    #[serde(default)]
    text: String,
    #[serde(default)]
    signers: Vec<String>,
}

#[derive(Deserialize)]
struct VerifierKeyText {
    text: String,
    accepted: bool,
}

#[derive(Deserialize)]
struct RecordedCheckpoint {
    size: u64,
    root: String,
    text: String,
}

const LARGEST: u64 = 65_836;

fn trees() -> Trees {
    serde_json::from_str(include_str!("../../vectors/trees.json")).unwrap()
}

fn notes() -> Notes {
    serde_json::from_str(include_str!("../../vectors/notes.json")).unwrap()
}

fn texts(path: &[Hash]) -> Vec<String> {
    path.iter().map(Hash::to_string).collect()
}

#[test]
fn roots_are_the_same() {
    let (_, stored) = log(LARGEST);
    let mut roots = trees().roots;
    let mut frontier = Frontier::new();
    for recorded in &roots {
        let root = tree::root(recorded.size, &stored).unwrap();
        assert_eq!(root.to_string(), recorded.root, "size {}", recorded.size);
    }
    roots.sort_by_key(|recorded| recorded.size);
    for recorded in &roots {
        let more = leaves(frontier.size(), recorded.size);
        for leaf in more {
            frontier.push(leaf).unwrap();
        }
        assert_eq!(frontier.root().to_string(), recorded.root);
    }
    assert_eq!(frontier.size(), LARGEST);
}

#[test]
fn proofs_are_the_same() {
    let (_, stored) = log(LARGEST);
    let trees = trees();
    assert!(trees.inclusion.len() > 80 && trees.consistency.len() > 80);
    for recorded in trees.inclusion {
        let (index, size) = (recorded.index, recorded.size);
        let path = tree::inclusion(index, size, &stored).unwrap();
        assert_eq!(texts(&path), recorded.path, "entry {index} of {size}");
        let root = tree::root(size, &stored).unwrap();
        let leaf = crate::definition::leaf(index);
        proof::verify_inclusion(index, size, &leaf, &root, &path).unwrap();
    }
    for recorded in trees.consistency {
        let (first, second) = (recorded.first, recorded.second);
        let path = tree::consistency(first, second, &stored).unwrap();
        assert_eq!(texts(&path), recorded.path, "from {first} to {second}");
        let root = |size| tree::root(size, &stored).unwrap();
        let (old, new) = (root(first), root(second));
        proof::verify_consistency(first, second, &old, &new, &path).unwrap();
    }
}

#[test]
fn tiles_are_the_same() {
    let trees = trees();
    let sizes: BTreeSet<u64> = trees.tiles.iter().map(|tile| tile.size).collect();
    for size in sizes {
        let (_, stored) = log(size);
        for recorded in trees.tiles.iter().filter(|tile| tile.size == size) {
            let (id, width) = plinto_tlog::TileId::from_path(&recorded.path).unwrap();
            let tile = stored.get(id).unwrap();
            assert_eq!(tile.width(), width, "{}", recorded.path);
            assert_eq!(id.width_in(size), width, "{}", recorded.path);
            let digest: [u8; 32] = Sha256::digest(tile.to_bytes()).into();
            assert_eq!(digest.to_vec(), bytes(&recorded.sha256));
        }
    }
    for recorded in trees.appended {
        let (mut edge, _) = log(recorded.from);
        let changed = edge.append(&leaves(recorded.from, recorded.to)).unwrap();
        let paths = changed.iter().map(|tile| tile.id().path(tile.width()));
        assert_eq!(paths.collect::<Vec<_>>(), recorded.paths);
    }
}

fn key(recorded: &Key) -> SigningKey {
    let seed = bytes(&recorded.seed).try_into().unwrap();
    SigningKey::from_seed(&recorded.name, &seed).unwrap()
}

#[test]
fn keys_and_signatures_are_the_same() {
    let notes = notes();
    for recorded in &notes.keys {
        assert_eq!(key(recorded).verifier().to_string(), recorded.text);
    }
    assert!(notes.signed.len() > 8);
    for recorded in &notes.signed {
        let by_seed = |seed: &String| notes.keys.iter().find(|key| key.seed == *seed).unwrap();
        let keys: Vec<_> = recorded
            .keys
            .iter()
            .map(|seed| key(by_seed(seed)))
            .collect();
        let keys: Vec<_> = keys.iter().collect();
        let note = note::sign(&recorded.text, &keys).unwrap();
        assert_eq!(note, recorded.note);
    }
}

/// What Go's package lets through and we don't.
const STRICTER: [&str; 2] = [
    "stray bits after a signature",
    "a wrong signature after a good one of the same key",
];

#[test]
fn notes_are_opened_and_refused_alike() {
    let notes = notes();
    let known: Vec<VerifierKey> = notes.keys[..2]
        .iter()
        .map(|key| key.text.parse().unwrap())
        .collect();
    assert!(notes.opened.len() > 40);
    for recorded in &notes.opened {
        let message = Base64::decode_vec(&recorded.message_base64).unwrap();
        let opened = note::open(&message, &known);
        if STRICTER.contains(&recorded.what.as_str()) {
            assert!(recorded.accepted && opened.is_err(), "{}", recorded.what);
            continue;
        }
        assert_eq!(opened.is_ok(), recorded.accepted, "{}", recorded.what);
        if let Ok(opened) = opened {
            let signers = opened.signers.iter();
            let signers = signers.map(|key| format!("{}+{:08x}", key.name(), key.id()));
            assert_eq!(signers.collect::<Vec<_>>(), recorded.signers);
            assert_eq!(opened.text, recorded.text);
        }
    }
}

#[test]
fn verifier_keys_are_read_and_refused_alike() {
    for recorded in notes().verifier_keys {
        let read = recorded.text.parse::<VerifierKey>();
        assert_eq!(read.is_ok(), recorded.accepted, "{}", recorded.text);
        if let Ok(key) = read {
            assert_eq!(key.to_string(), recorded.text);
        }
    }
}

#[test]
fn checkpoints_are_the_same() {
    for recorded in notes().checkpoints {
        let root: Hash = recorded.root.parse().unwrap();
        let made = Checkpoint::new("go.sum database tree", recorded.size, root).unwrap();
        assert_eq!(made.to_string(), recorded.text);
        assert_eq!(recorded.text.parse(), Ok(made));
    }
    assert_eq!(trees().roots[0].root, hash::EMPTY_ROOT.to_string());
}
