//! Evidence about one entry of a made-up log, for `go run . verify` in `conformance`.
//!
//! ```text
//! cargo run -p plinto-tlog --example evidence | go run -C tlog/conformance . verify
//! ```

use std::error::Error;
use std::io::Write;

use plinto_tlog::{Checkpoint, Edge, Hash, SigningKey, Tiles, hash, tree};
use serde_json::json;

const NAME: &str = "log.example/acme";
const OLD: u64 = 70_000;
const NEW: u64 = 70_300;
const INDEX: u64 = 65_537;

fn entry(index: u64) -> String {
    format!("entry {index}")
}

fn main() -> Result<(), Box<dyn Error>> {
    let key = SigningKey::from_seed(NAME, &[7; 32])?;
    let (mut edge, mut stored) = (Edge::new(), Tiles::new());
    let mut grow = |size| -> Result<String, Box<dyn Error>> {
        let leaves: Vec<Hash> = (edge.size()..size)
            .map(|index| hash::leaf(entry(index).as_bytes()))
            .collect();
        stored.extend(edge.append(&leaves)?);
        let checkpoint = Checkpoint::new(NAME, edge.size(), edge.root())?;
        Ok(checkpoint.sign(&[&key])?)
    };
    let (old_note, note) = (grow(OLD)?, grow(NEW)?);
    let texts = |path: Vec<Hash>| path.iter().map(Hash::to_string).collect::<Vec<_>>();
    let evidence = json!({
        "verifier_key": key.verifier().to_string(),
        "note": note,
        "record_proof": texts(tree::inclusion(INDEX, NEW, &stored)?),
        "leaf_base64": <base64ct::Base64 as base64ct::Encoding>::encode_string(entry(INDEX).as_bytes()),
        "index": INDEX,
        "tree_proof": texts(tree::consistency(OLD, NEW, &stored)?),
        "old_note": old_note,
    });
    writeln!(std::io::stdout(), "{evidence:#}")?;
    Ok(())
}
