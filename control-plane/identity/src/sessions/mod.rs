//! Sessions: one sign-in of one person, its access tokens and its family of refresh tokens.
//!
//! Tables: `sessions`, `refresh_tokens`. Events: `session.created`, `session.refreshed`,
//! `session.revoked`, `refresh_token.reused`. Permissions: `sessions:read`, `sessions:revoke`.
//!
//! The story of a refresh (RFC 9700 §4.14, statement S8): one statement spends the presented token
//! if nobody has, it is not expired, its session lives and the client is the session's own. Whoever
//! comes second within ten seconds, from the same client, gets the very same successor: it is
//! `HMAC-SHA-256(spent token, nonce)`, and only the nonce is stored, so neither the database nor an
//! old token alone gives it away. Whoever comes later, or after the successor was itself used, holds
//! a copy: the session ends. Another client's use is refused and harms nobody (S9).
//!
//! Entering another organization spends the current refresh token too, and begins a session under
//! another id in which the family goes on (S2): a reuse of any of its tokens ends that one.
//!
//! A session is its own family: all its refresh tokens end with it. It lives while it is not
//! revoked, not expired, and its user is active and, like its tenant, still in the *session epoch* it
//! began in.

mod error;
mod model;
pub mod rest;
mod service;
mod store;

pub use error::SessionError;
pub use model::{Client, IssuedTokens, RefreshToken, RevokedReason, Session};
pub use service::{
    NewSession, Opened, open,
    refresh::refresh,
    require_client, revoke_others, revoked_since, run_due_work,
    tokens::{
        Introspection, authenticate, authenticate_for_management, introspect, issue, recheck,
        revoke_token,
    },
};
