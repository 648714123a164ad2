//! `/t/{tenant}/…`: what is under an issuer, for people, applications and edges.

pub(crate) mod edge;
mod oauth;
mod v1;
mod well_known;
