//! Behaviour of the crate as its users see it, with both backends compiled in.

mod differential;
mod hostile;
mod mint;
mod rfc;
mod statements;
mod wycheproof;
