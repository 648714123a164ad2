//! What a person proves who they are with. So far: a password.
//!
//! Tables: `passwords`. Events: `password.changed`. Passwords are Argon2id PHC strings made on a
//! bounded pool of blocking threads; a verification for somebody who does not exist costs the same
//! as a real one. Hashing happens before a transaction begins, never inside.
//! Source: NIST SP 800-63B-4 §3.1.1, RFC 9106, RFC 8265 §4.

mod error;
mod hashing;
mod model;
mod pool;
mod service;
mod store;

pub use error::CredentialError;
pub use hashing::{HashingError, PasswordMatch};
pub use hashing::{give_back_memory, hash_again, hash_new, verify};
pub use model::{AcceptablePassword, Password, PasswordHash, PasswordProblem};
pub use service::{change_password, confirm, first_password, stored_password};
