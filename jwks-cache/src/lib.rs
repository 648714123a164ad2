//! When an issuer's keys are fresh, stale or missing, and when they may be fetched.
//!
//! The crate does no I/O and reads no clock. A verifier asks [`KeyCache::lookup`] for a key and
//! is told to use it, to use it and refresh behind the request, or that it is missing. Whoever
//! wants to fetch takes a [`Lease`] first, so that many requests cause one fetch without waiting
//! for each other's promises (which a Worker can't do); [`Attempts`] is that rule alone, for documents
//! that are no keys. Times are milliseconds since the epoch.
//!
//! Rules kept here (T12, T14, T15):
//! - an unknown key id costs at most one fetch per cooldown and issuer, even with an empty set;
//! - no key id, however often or randomly asked for, evicts a good key;
//! - a failed fetch never takes a usable key away before its hard maximum age;
//! - only issuers named at the start are ever fetched, from a pinned address.
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, missing_docs)]

mod attempts;
mod cache;
mod issuer;
mod settings;
mod source;
mod unknown;

pub use attempts::{Attempts, Pace};
pub use cache::{KeyCache, Lease, Lookup};
pub use issuer::Absence;
pub use settings::Settings;
pub use source::{Response, SourceError, max_age_s};
