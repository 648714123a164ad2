//! People of a tenant: e-mail address, name, standing.
//!
//! Tables: `users`. Events: `user.created`, `user.disabled`, `user.enabled`, and
//! `session.revoked` when all sessions of a user end at once. A user's sessions live under the
//! user's *session epoch*: raising that number ends them all in one statement, whatever another
//! transaction is opening meanwhile. Permissions: `users:read`, `users:write`.

mod error;
mod model;
pub mod rest;
mod service;
mod store;

pub use error::UserError;
pub use model::{Email, EmailProblem, Name, Standing, Status, User};
pub use service::{Filter, disable, enable, end_sessions, get, list, me};
pub(crate) use service::{create, ended_since, exists, find, find_by_email, standing};
