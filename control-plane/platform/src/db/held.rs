//! What a transaction holds until it ends, so that nobody ends it in between.
//!
//! Whoever acts by something (an API key, a session) shares it; whoever ends it holds it alone. So of
//! a write and the revocation of its authority, one commits first and the other sees that. The
//! names queue in the order of asking: a stream of those who share does not keep out the one who
//! wants it alone, as it would with a row's lock.

use std::fmt::Display;

use sha2::{Digest, Sha256};

/// Names that a transaction holds from its beginning.
#[derive(Debug, Clone, Default)]
pub struct Held(Vec<Name>);

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    /// What the engine knows it by.
    pub(super) number: i64,
    /// Nobody else holds it at the same time.
    pub(super) is_alone: bool,
}

impl Held {
    /// Holds an id together with others who share it.
    #[must_use]
    pub fn shared(mut self, id: impl Display) -> Self {
        self.0.push(Name {
            number: number(&id),
            is_alone: false,
        });
        self
    }

    /// Holds an id alone.
    #[must_use]
    pub fn alone(mut self, id: impl Display) -> Self {
        self.0.push(Name {
            number: number(&id),
            is_alone: true,
        });
        self
    }

    pub(super) fn names(&self) -> &[Name] {
        &self.0
    }
}

/// Two ids with the same number, one pair in 2^64, wait for each other and are none the worse for it.
pub(super) fn number(id: &impl Display) -> i64 {
    let digest = Sha256::digest(id.to_string().as_bytes());
    digest
        .first_chunk::<8>()
        .map_or(0, |bytes| i64::from_be_bytes(*bytes))
}
