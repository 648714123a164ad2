//! Strict JWK, JWS and JWT: what may be trusted, before and after a signature is checked.
//!
//! The crate parses the compact form and its JSON itself, checks header and claims against
//! an allow-list, and leaves the signature to a backend:
//!
//! - natively [`verify()`] and [`jwt::verify`] (features `aws-lc` or `rust-crypto`; with both,
//!   AWS-LC decides),
//! - in the Worker a [`SignatureJob`] goes to WebCrypto (no feature: no backend is compiled).
//!
//! Files are named for the RFCs: `jwa` (7518), `jwk` and `jwks` (7517), `thumbprint` (7638),
//! `jws` (7515), `jwt` (7519, 8725), `json` (8259).
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, missing_docs)]

mod base64url;
mod error;
pub mod json;
mod jwa;
mod jwk;
mod jwks;
mod jws;
pub mod jwt;
mod roca;
#[cfg(feature = "aws-lc")]
mod signing;
mod thumbprint;
#[cfg(any(feature = "rust-crypto", feature = "aws-lc"))]
mod verify;

pub use error::Error;
pub use jwa::Algorithm;
pub use jwk::{EcCurve, Jwk, OkpCurve, PublicKey};
pub use jwks::{JwkSet, MAX_JWK_SET_BYTES, MAX_JWK_SET_KEYS};
pub use jws::{Header, Jws, MAX_TOKEN_BYTES, SignatureJob};
#[cfg(feature = "aws-lc")]
pub use signing::SigningKey;
#[cfg(any(feature = "rust-crypto", feature = "aws-lc"))]
pub use verify::{Backend, verify, verify_with};
