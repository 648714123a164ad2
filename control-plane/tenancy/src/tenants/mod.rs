//! Tenants: the isolation boundary. Each has its issuer, audience, keys and users.
//!
//! Table: `tenants`. Events: `tenant.created`, `tenant.updated`, `tenant.sessions_revoked`.
//! Permissions: `tenant:read`, `tenant:write`, `sessions:revoke`.

mod error;
mod model;
pub mod rest;
mod service;
mod store;

pub use error::TenantsError;
pub use model::{CreateTenant, DEFAULT_CLIENT, SignUpMode, Tenant, is_client_id};
pub use service::{
    all, allows_origin, by_id, by_slug, create, end_sessions, exist, find, find_by_slug, get,
    keys_changed, only, published, update,
};
