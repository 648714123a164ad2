//! Tenants and what each of them signs and opens with. From left to right, a feature uses only the
//! faces to its left: tenants, `signing_keys`, `api_keys`.

pub mod api_keys;
pub mod signing_keys;
pub mod tenants;
