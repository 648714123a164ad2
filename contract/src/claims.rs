//! The claims set of an access token. Source: RFC 9068 §2.2, RFC 7519 §4.1, RFC 8176.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ids,
    objects::objects_only,
    time::{UnixSeconds, numeric_date},
};

/// `typ` of an access token. Source: RFC 9068 §2.1.
pub const TYP_ACCESS_TOKEN: &str = "at+jwt";

/// Who a token is for: one name or several. Source: RFC 7519 §4.1.3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Audience {
    /// One audience, as a plain string.
    One(String),
    /// Several, as an array.
    Many(Vec<String>),
}

impl Audience {
    /// Says whether `name` is one of the audiences, as a whole element.
    pub fn contains(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Many(many) => many.iter().any(|one| one == name),
        }
    }
}

/// What an access token says of its bearer. Times are in seconds; a fraction is read and passed over.
///
/// A verifier ignores members it does not know (RFC 7519 §4), so a claim can be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self")]
pub struct AccessToken {
    /// The tenant's issuer URL.
    pub iss: String,
    /// The user who has signed in (RFC 7519 §4.1.2).
    pub sub: ids::UserId,
    /// The APIs the token is for.
    pub aud: Audience,
    /// Refused from this second on.
    #[serde(deserialize_with = "numeric_date")]
    #[schemars(with = "f64", range(min = 0))]
    pub exp: UnixSeconds,
    /// Issued in this second.
    #[serde(deserialize_with = "numeric_date")]
    #[schemars(with = "f64", range(min = 0))]
    pub iat: UnixSeconds,
    /// Names this token and no other.
    pub jti: ids::TokenId,
    /// The software that asked for the token.
    pub client_id: String,
    /// The session the token belongs to; revoking it ends the token.
    pub sid: ids::SessionId,
    /// The tenant whose issuer `iss` is.
    pub tenant: ids::TenantId,
    /// The organization the session acts in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<ids::OrganizationId>,
    /// Keys of the roles that the user has in `org`.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The user's token epoch, read before the roles were. It rises whenever tokens issued so far say
    /// too much; from then on a revocation feed names it, and earlier ones are refused.
    pub epoch: u64,
    /// How the user proved who they are: `pwd`, `otp`, `hwk`, … Source: RFC 8176 §2.
    #[serde(default)]
    pub amr: Vec<String>,
    /// When the user last did so.
    #[serde(deserialize_with = "numeric_date")]
    #[schemars(with = "f64", range(min = 0))]
    pub auth_time: UnixSeconds,
}

objects_only!(AccessToken);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_matches_only_as_a_whole_element() {
        let many: Audience =
            serde_json::from_str(r#"["https://api.one","https://api.two"]"#).unwrap();
        assert!(many.contains("https://api.two"));
        assert!(!many.contains("https://api"));
        assert!(!Audience::One("https://api.one".to_owned()).contains("https://api.one/"));
    }
}
