//! Behaviour of the cache as a verifier sees it.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod keys;
mod lookup;
mod model;
mod restore;
mod rotation;
mod source;
