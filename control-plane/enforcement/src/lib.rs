//! What enforcement points fetch. From left to right, a feature uses only the faces to its left:
//! policies, revocations.

pub mod policies;
pub mod revocations;
