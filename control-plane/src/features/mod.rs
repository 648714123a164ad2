//! The features, each a folder with the same furniture: `mod model service store rest error`.
//!
//! A feature uses only the faces of those above it in this list (statement N9).

pub mod tenants;
pub mod users;
pub mod roles;
pub mod organizations;
pub mod signing_keys;
pub mod api_keys;
pub mod credentials;
pub mod sessions;
pub mod sign_in;
pub mod oauth;
pub mod policies;
pub mod revocations;
