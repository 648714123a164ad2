//! What the tests stand on: real processes, a control plane in this process, a real edge.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::print_stderr,
    clippy::return_self_not_must_use,
    reason = "a test that can't go on should say where"
)]

pub mod authority;
pub mod edge;
pub mod pgbouncer;
pub mod process;
pub mod world;
