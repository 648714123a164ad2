//! A transparency log: append-only hashes, proofs about them, and signed statements of the log's size.
//!
//! The crate does no I/O, reads no clock and takes no chance: keys are passed in, and so are tiles.
//! Whoever keeps tiles in a database asks which ones an answer needs, fetches them, and computes:
//!
//! ```
//! # fn main() -> Result<(), plinto_tlog::Error> {
//! use plinto_tlog::{Edge, Tiles, hash, proof, tree};
//!
//! let leaves: Vec<_> = [b"a", b"b", b"c"].iter().map(|entry| hash::leaf(*entry)).collect();
//! let mut edge = Edge::new();
//! let stored: Tiles = edge.append(&leaves)?.into_iter().collect(); // into the database
//!
//! for need in tree::inclusion_needs(1, 3)? {
//!     assert!(stored.get(need.id()).is_some()); // out of the database
//! }
//! let path = tree::inclusion(1, 3, &stored)?;
//! proof::verify_inclusion(1, 3, &hash::leaf(b"b"), &edge.root(), &path)
//! # }
//! ```
//!
//! Files are named for what they hold: `hash`, `frontier` and `proof` (RFC 9162 §2.1), `tile`, `tree`
//! and `edge` (C2SP tlog-tiles), `key` and `note` (C2SP signed-note), `checkpoint` (C2SP
//! tlog-checkpoint), `log_proof` (C2SP tlog-proof).
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, missing_docs)]

mod base64;
mod checkpoint;
mod edge;
mod error;
mod frontier;
pub mod hash;
mod key;
mod log_proof;
pub mod note;
pub mod proof;
mod size;
mod tile;
pub mod tree;

pub use checkpoint::Checkpoint;
pub use edge::Edge;
pub use error::Error;
pub use frontier::Frontier;
pub use hash::Hash;
pub use key::{SigningKey, VerifierKey};
pub use log_proof::LogProof;
pub use size::MAX_SIZE;
pub use tile::{Tile, TileId, TileNeed, Tiles};
