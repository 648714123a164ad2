//! The server: identities, sessions, policies, events.
