//! Tenants: the isolation boundary. Each has its issuer, audience, keys and users.
//!
//! Table: `tenants`. Events: `tenant.created`, `tenant.sessions_revoked`.
//! Permissions: `tenant:read`, `tenant:write`, `sessions:revoke`.

mod error;
mod model;
pub mod rest;
mod service;
mod store;

pub use error::TenantsError;
pub use model::{CreateTenant, Tenant};
pub use service::{Cache, all, by_id, by_slug, create, end_sessions, exist, find, get};
