//! API keys: how machines and the command line prove who they are.
//!
//! A secret is `plinto_sk_`, 256 random bits in base 62, and a CRC-32 that tells it from junk
//! offline. Only its SHA-256 is stored; the secret is shown once, when the key is made. Nobody
//! can make or revoke a key that may do more than they may (Z6).
//!
//! Table: `api_keys`. Events: `api_key.created`, `api_key.revoked`.
//! Permissions: `api_keys:read`, `api_keys:write`.

mod error;
mod model;
pub mod rest;
mod service;
mod store;

pub use model::ApiKeySecret;
pub use model::{CreateApiKey, PREFIX};
pub use service::is_genuine;
pub use service::{authenticate, issue, recheck};
