//! Every shape that crosses a process boundary: ids, claims, policy, bundles, problems, events.
//!
//! No I/O, no clock, no cryptography. What is here is a promise to the edge, the CLI, the SDKs
//! and the customer's own code; known answers for it live in `contract/vectors/` and JSON Schemas,
//! generated from these types, in `contract/schema/`.

#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, missing_docs)]

pub mod bundle;
pub mod claims;
pub mod events;
pub mod headers;
pub mod ids;
pub mod limits;
mod objects;
pub mod policy;
pub mod problem;
pub mod revocation;
pub mod text;
pub mod time;
