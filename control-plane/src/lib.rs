//! The server: identities, sessions, policies, events.
//!
//! Arrows point down only: `main` → `app` → (`router`, `worker`) → `features` (doors → service →
//! model, store) → (`http`, `events`) → (`db`, `clock`, `random`, `config`, `envelope`, `text`) → contract
//! and jose. `docs/architecture.md` walks through it.

pub mod actor;
pub mod authentication;
pub mod authority;
pub mod bootstrap;
pub mod clock;
pub mod commands;
pub mod config;
pub mod db;
pub mod envelope;
pub mod events;
pub mod features;
pub mod http;
pub mod logging;
pub mod openapi;
pub mod ops;
pub mod platform;
pub mod problem_pages;
pub mod random;
pub mod recheck;
pub mod router;
pub mod secret;
pub mod start;
pub mod text;
pub mod worker;
