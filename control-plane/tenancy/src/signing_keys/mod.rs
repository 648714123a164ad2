//! Signing keys: each tenant's own, one set for tokens and one for policy bundles.
//!
//! A key goes `next` → `active` → `retiring` → `retired`. It is published before it signs and stays
//! published while what it signed lives, so that no verifier meets a signature whose key it could
//! not have fetched. Private keys are sealed at rest (statement W10) and erased when retired. One that
//! somebody else may have is withdrawn: at once, whatever it signed.
//!
//! Table: `signing_keys`. Events: `signing_key.created`, `.rotated`, `.retired`, `.withdrawn`.
//! Permissions: `signing_keys:read`, `signing_keys:rotate`. Source: RFC 7517, RFC 7638.

mod error;
mod model;
pub mod rest;
mod service;
mod store;

pub use error::SigningKeysError;
pub use model::{Purpose, SigningKeyRecord, State};
pub use service::{
    active_kid, check_master_key, document, jwks, jwks_in, list, prepare, provision, published,
    rotate, run_due_work, sign, withdrawn_since,
};
pub use service::{bundle_signed, bundles_due, put_off_bundle};
