//! A tenant's events in the order of its log, for programs that follow along: none is left out and none
//! comes twice, if a reader goes on from where it stood.
//!
//! Table: `event_cursors`. The log itself is the platform's.

mod error;
mod model;
pub mod rest;
mod service;
mod store;

pub use error::EventsError;
pub(crate) use model::Kinds;
pub use model::WAIT_MAX;
pub(crate) use rest::EventBody;
