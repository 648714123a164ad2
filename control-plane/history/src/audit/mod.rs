//! A tenant's log as evidence: its events are the leaves of a tree whose root is signed every few
//! seconds, so that whoever has an earlier signature finds out what was changed, removed or slipped in.
//! Source: RFC 9162 §2.1, C2SP tlog-tiles, tlog-checkpoint and signed-note.
//!
//! Tables: `event_tiles`, `event_log_keys`. The log itself is the platform's.

mod error;
mod filter;
mod invariants;
mod model;
pub mod rest;
mod service;
mod store;
mod tasks;

pub use error::AuditError;
pub use invariants::{Broken, broken_invariants};
pub use tasks::seal_due;
