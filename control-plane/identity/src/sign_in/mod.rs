//! Signing up and signing in with e-mail address and password, and changing the password.
//!
//! Table: `sign_in_throttles`. Events: `user.created`, `session.created`, `sign_in.failed`,
//! `password.changed`, `session.revoked`, `user.unlocked`. Permission: `users:write` to lift a throttle.
//!
//! The story of a sign-in: the attempt is counted *before* the password is looked at, in one
//! statement per account and per network address, so that many attempts at once cannot share one
//! count; whoever finds nothing left waits for how those turn out that are being judged. Then the
//! password is verified outside any transaction, against a hash of nobody when there is no such user.
//! A right password takes its counts back; a wrong one leaves them, with an event. After
//! ten failures in a row each further attempt waits twice as long, up to a quarter of an hour; after
//! a hundred the account waits for an administrator or for its owner's next reset. Accounts that do
//! not exist are counted alike, so neither answer nor time nor throttle tells them apart.
//! Source: NIST SP 800-63B-4 §3.2.2, statements A3 to A5.

mod error;
mod model;
pub mod rest;
mod service;
mod store;

pub use error::SignInError;
pub use service::run_due_work;
pub use service::{
    ChangePassword, SignIn, SignUp, SignedIn, change_password, sign_in, sign_up, unlock,
};
