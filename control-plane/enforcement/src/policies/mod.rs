//! Policies: bundles are published, activated, rolled back, and fetched by edges.
//!
//! Publishing checks a bundle whole (archive, digests, compilation, entrypoint, its own tests), in
//! a process of its own that is bounded in time and memory, and stores it under its revision.
//! Activating adds the tenant's roles and a sequence that only rises, signs the result with the
//! tenant's bundle key, reads it back as an edge would, and only then makes it active (N15). The
//! worker builds the active artifact anew when roles or key changed and before it expires. An edge
//! refuses a lower sequence, so a roll-back is an activation too.
//!
//! Tables: `bundles`, `bundle_archives`, `activations`, `artifacts`.
//! Events: `policy.bundle_published`, `policy.bundle_activated`, `policy.bundle_rolled_back`,
//! `policy.bundle_renewed`. Permissions: `policies:read`, `policies:publish`,
//! `policies:activate`. Source: OPA, "Bundles".

mod error;
mod model;
pub mod rest;
mod service;
mod store;
mod tasks;

pub use service::workbench::CHECK_BUNDLE;
pub use service::{check::outcome, workbench::confine};
pub use tasks::{rebuild_outdated, renew_expiring};
