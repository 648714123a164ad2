//! One event of an export: a line, and the hash of its leaf.

use base64ct::{Base64, Encoding};
use plinto_contract::events::{CONTEXT_DIGEST, canonical};
use plinto_tlog::{Hash, hash};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Members that are beside the leaf.
const CONTEXT: &str = "context";
const SALT: &str = "salt";
const LEAF_HASH: &str = "leaf_hash";

/// What a line says.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) seq: u64,
    /// The hash of what the line says.
    pub(super) computed: Hash,
    /// The hash that the line says.
    pub(super) said: Hash,
    /// The context is gone; what it was is still proven.
    pub(super) is_erased: bool,
}

/// Why a line is no event, or not the one that was recorded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It cannot be read as one.
    Unreadable(&'static str),
    /// Its context is not the one that was recorded.
    Context,
}

impl Record {
    pub(super) fn of(mut members: Map<String, Value>) -> Result<Self, Wrong> {
        let seq = members.get("seq").and_then(Value::as_u64);
        let seq = seq.ok_or(Wrong::Unreadable("it has no `seq`"))?;
        let said = take_text(&mut members, LEAF_HASH)
            .and_then(|text| text.parse().ok())
            .ok_or(Wrong::Unreadable("it has no `leaf_hash`"))?;
        let context = members.remove(CONTEXT);
        let salt = take_text(&mut members, SALT);
        let digest = members.get(CONTEXT_DIGEST).and_then(Value::as_str);
        let is_erased = match (&context, &salt) {
            (None, None) => digest.is_some(),
            (Some(context), Some(salt)) => {
                if digest != Some(&context_digest(salt, context)?) {
                    return Err(Wrong::Context);
                }
                false
            }
            _ => return Err(Wrong::Context),
        };
        let leaf = canonical(&Value::Object(members))
            .map_err(|_| Wrong::Unreadable("a number in it is none"))?;
        Ok(Self {
            seq,
            computed: hash::leaf(leaf.as_bytes()),
            said,
            is_erased,
        })
    }
}

fn take_text(members: &mut Map<String, Value>, name: &str) -> Option<String> {
    match members.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

fn context_digest(salt: &str, context: &Value) -> Result<String, Wrong> {
    let context = canonical(context).map_err(|_| Wrong::Context)?;
    let digest = Sha256::new()
        .chain_update(salt)
        .chain_update(context)
        .finalize();
    Ok(Base64::encode_string(&digest))
}
