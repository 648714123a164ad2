//! The revocation feed: what ended before its tokens did, for edges that never call home.
//!
//! Nothing is copied here: the feed is read from those who revoke (sessions, users, tenant),
//! limited to the life of an access token, and signed with the tenant's bundle key. Its version is
//! the moment it was read, so that no number has to be written before it can be served.
//!
//! Table: none of its own. Events: none, those who revoke record theirs. Statements S3, S4, Z5.

mod error;
mod model;
pub mod rest;
mod service;
