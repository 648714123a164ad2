//! `/t/{tenant}/…`: what is under an issuer, for people, applications and edges.

mod edge;
mod oauth;
mod v1;
