//! The features, each a folder with the same furniture: `mod model service store rest error`.
//!
//! A feature uses only the faces of those before it in this order (statement N9): tenants, users,
//! organizations, roles, `signing_keys`, `api_keys`, credentials, sessions, `sign_in`, oauth, policies,
//! revocations. `tests/it/architecture.rs` holds it.

pub mod api_keys;
pub mod credentials;
pub mod oauth;
pub mod organizations;
pub mod policies;
pub mod revocations;
pub mod roles;
pub mod sessions;
pub mod sign_in;
pub mod signing_keys;
pub mod tenants;
pub mod users;
