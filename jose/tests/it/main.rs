//! Behaviour of the crate as its users see it, with both backends compiled in.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test ends at the first surprise"
)]

mod algorithms;
mod claims;
mod compact_form;
mod differential;
mod headers;
mod hostile;
mod keys;
mod mint;
mod rfc;
mod wycheproof;
