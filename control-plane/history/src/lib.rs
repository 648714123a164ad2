//! What happened, for those who read it. From left to right, a feature uses only the faces to its left:
//! events, audit.

pub mod audit;
pub mod events;
