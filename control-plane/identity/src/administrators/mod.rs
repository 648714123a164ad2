//! Administrators: people who may use the management API on a whole tenant, by their roles.
//!
//! What a role allows there are its *management permissions*; its permissions in the customer's
//! application mean nothing here, and no token carries any of it: rights are read when they are used.
//! Whoever administers several tenants is an administrator of each, and a user of one: their *home*.
//! Nobody gives or takes a right that they lack (Z6).
//!
//! Tables: `administrators`, `administrator_roles`. Events: `administrator.added`,
//! `administrator.updated`, `administrator.removed`. Permissions: `administrators:read`,
//! `administrators:write`.

mod error;
mod model;
pub mod rest;
mod service;
mod store;

pub use service::{permissions, rights_of};
