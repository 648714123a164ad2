//! Behaviour of a log as its keeper and its verifiers see it.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod appending;
mod checkpoints;
mod definition;
mod frontiers;
mod hashes;
mod keys;
mod log_proofs;
mod notes;
mod proofs;
mod pruning;
mod recorded;
mod tampered;
mod tiles;
