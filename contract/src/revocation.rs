//! The revocation feed: what ended before its token did. Signed, versioned, and short, since an
//! entry leaves it once every token it concerns has expired.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{SessionId, TenantId, UserId},
    objects::objects_only,
    time::UnixSeconds,
};

/// `typ` of the feed's JWS.
pub const TYP_REVOCATIONS: &str = "plinto-revocations+jwt";

/// Payload of the feed, a compact JWS by the tenant's bundle key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Feed {
    /// The tenant's issuer URL.
    pub iss: String,
    /// Whose feed it is.
    pub tenant: TenantId,
    /// Never falls. An older feed than the one in hand is refused.
    pub version: u64,
    /// Signed in this second.
    pub iat: UnixSeconds,
    /// Refused from this second on.
    pub exp: UnixSeconds,
    /// Tokens of the whole tenant issued before this second are refused: their sessions have ended.
    pub issued_before: UnixSeconds,
    /// Tokens of the whole tenant issued before this second are refused: they may say what is true no
    /// more.
    pub outdated_before: UnixSeconds,
    /// Sessions that ended.
    pub sessions: Vec<SessionId>,
    /// Users whose sessions have all ended, and their token epoch since: tokens that carry an earlier
    /// one are refused. No clock decides, so a token issued in the moment of the change is judged by
    /// what it says.
    pub subjects: BTreeMap<UserId, u64>,
    /// Users of whom earlier tokens say what is true no more, though their sessions go on; the number
    /// as in `subjects`.
    pub outdated: BTreeMap<UserId, u64>,
    /// Key ids, of tokens and of bundles, whose keys were withdrawn: what they signed is refused, also
    /// where a published set that is still in hand holds them.
    pub withdrawn_keys: Vec<String>,
}

objects_only!(Feed);
