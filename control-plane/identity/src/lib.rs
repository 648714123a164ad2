//! How people come in and stay. From left to right, a feature uses only the faces to its left:
//! credentials, administrators, sessions, `sign_in`, oauth.

pub mod administrators;
pub mod credentials;
pub mod oauth;
pub mod sessions;
pub mod sign_in;
