//! One binary of integration tests: behaviour across crates, journeys, the rules of the house.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that can't go on should say where"
)]

mod api;
mod architecture;
mod edge;
mod generated;
mod journeys;
mod setup;
mod store;
mod vectors;
