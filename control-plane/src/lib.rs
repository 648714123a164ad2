//! The server: starts, mounts every feature's handlers, does background work.
//!
//! Arrows point down only: `main` → `commands` → `start`, `router`, `worker` → the crates of features →
//! `plinto_platform` → contract and jose. `docs/architecture.md` walks through it.

pub mod authentication;
pub mod backup;
pub mod bootstrap;
pub mod commands;
pub mod logging;
pub mod openapi;
pub mod ops;
pub mod problem_pages;
pub mod refusals;
pub mod router;
pub mod start;
pub mod worker;
