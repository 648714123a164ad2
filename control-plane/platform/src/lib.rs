//! What every feature of the control plane stands on. Knows no feature.
//!
//! Arrows point down only: `http` → `events` → `authority` → `feed` → `platform` → `recheck` → `actor` → `db` →
//! `clock`, `random`, `config`, `envelope`, `secret`, `text`, `fault`.

pub mod actor;
pub mod authority;
pub mod clock;
pub mod config;
pub mod db;
pub mod envelope;
pub mod events;
pub mod fault;
pub mod feed;
pub mod http;
mod platform;
pub mod random;
pub mod recheck;
pub mod secret;
pub mod text;

pub use platform::{Parts, Platform, PlatformState};
