//! `/t/{tenant}/edge/…`: what edges fetch.

pub(crate) mod bundle;
mod revocations;
