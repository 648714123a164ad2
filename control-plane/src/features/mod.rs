//! The features, each a folder with the same furniture: `mod model service store rest error`.
//!
//! A feature uses only the faces of those above it in this list (statement N9).

pub mod tenants;
pub mod signing_keys;
