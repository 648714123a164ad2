//! Organizations: a customer's company inside a tenant, its members and their roles.
//!
//! An organization with members has an owner, always (Z6, I8): changes of members queue behind
//! each other, and each leaves an owner or is refused. Tokens carry a member's roles, so a change
//! of them ends the tokens the member holds.
//!
//! Tables: `organizations`, `members`, `member_roles`.
//! Events: `organization.created`, `organization.updated`, `organization.deleted`, `member.added`,
//! `member.updated`, `member.removed`. Permissions: `organizations:read`, `organizations:write`.

mod error;
mod model;
pub mod rest;
mod service;
mod store;

pub use service::members::membership;
