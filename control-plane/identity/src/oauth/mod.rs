//! The OAuth endpoints: token, introspection, revocation. They speak OAuth's own forms and errors.
//!
//! No tables; the work is `sessions`'. Permission: `tokens:introspect`.
//! Source: RFC 6749 §3.2 and §5, RFC 7662, RFC 7009.

mod error;
mod model;
pub mod rest;
mod service;

pub use error::OAuthError;
