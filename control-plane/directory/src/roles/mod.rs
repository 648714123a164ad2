//! RBAC: the roles of a tenant and the permissions they carry.
//!
//! A role has the same meaning in every organization of its tenant. Tokens carry role keys;
//! what a key permits reaches the edge as data of the active policy bundle, so that a change takes
//! effect without a new token. Beside that, a role may carry permissions of the management API: for
//! those who have it as administrators in the whole tenant, as members in their organization. They
//! never leave the control plane.
//!
//! Tables: `roles`, `role_sets`. Events: `role.created`, `role.updated`, `role.deleted`.
//! Permissions: `roles:read`, `roles:write`. Source: NIST RBAC (INCITS 359).

mod error;
mod model;
pub mod rest;
mod service;
mod store;

pub use model::{ADMINISTRATOR, Grants, OWNER, PolicyData, is_key};
pub use service::{
    bundle_built, bundles_due, grants, keys_with, policy_data, put_off_bundle, seed, unknown_keys,
    version,
};
