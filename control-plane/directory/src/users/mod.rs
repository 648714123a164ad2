//! People of a tenant: e-mail address, name, whether they may act.
//!
//! Tables: `users`. Events: `user.created`, `user.disabled`, `user.enabled`,
//! `user.sessions_revoked`. A user's sessions live under the user's *session epoch*: raising that
//! number ends them all in one statement, whatever another transaction is opening meanwhile. The
//! *token epoch* rises with it, and alone whenever what a user's access tokens say has changed:
//! tokens carry it, and earlier ones are refused. Permissions: `users:read`, `users:write`.

mod error;
mod model;
pub mod rest;
mod service;
mod store;

pub use error::UserError;
pub use model::{Email, EmailProblem, Name, Outdated, Status, User, UserState};
pub use service::{Filter, disable, enable, end_sessions, get, list, me};
pub use service::{
    create, end_all_sessions, exists, find, find_by_email, outdate_tokens, outdated_since,
    user_state, user_states,
};
