//! Leaves, and what is kept of a tenant's tree.

use base64ct::{Base64, Encoding};
use plinto_contract::events::{NotCanonical, canonical, canonical_context, leaf_object};
use plinto_platform::events::Logged;
use plinto_tlog::{Hash, hash};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// How a tenant's tree stands.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    /// The number of the last event.
    pub(super) head: i64,
    /// How many events the tree has.
    pub(super) sealed: i64,
    /// What was last signed of it; a C2SP signed note.
    pub(super) checkpoint: Option<String>,
}

/// An event with the hash that it has in the tree.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) logged: Logged,
    pub(super) leaf: Map<String, Value>,
    pub(super) hash: Hash,
}

impl Record {
    /// Errors: as of [`canonical`].
    pub(super) fn of(logged: Logged) -> Result<Self, NotCanonical> {
        let digest = match &logged.salt {
            Some(salt) => Some(context_digest(salt, &logged)?),
            None => logged.context_digest.clone(),
        };
        let leaf = leaf_object(&logged.event, digest);
        let text = canonical(&Value::Object(leaf.clone()))?;
        Ok(Self {
            hash: hash::leaf(text.as_bytes()),
            leaf,
            logged,
        })
    }
}

fn context_digest(salt: &str, logged: &Logged) -> Result<String, NotCanonical> {
    let context = canonical_context(&logged.event.context)?;
    let digest = Sha256::new()
        .chain_update(salt)
        .chain_update(context)
        .finalize();
    Ok(Base64::encode_string(&digest))
}

/// The size of a tree as the crate of trees has it.
pub(super) fn size(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
