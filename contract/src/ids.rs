//! Ids as they stand on the wire: `TypeID` 0.3, a prefix and 26 base-32 characters of a `UUIDv7`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::time::UnixMillis;

/// Crockford's base 32 in lower case, as `TypeID` 0.3 prescribes.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 130 bits in groups of five; the two leading bits of the first character are always zero.
const SUFFIX_LEN: usize = 26;

/// Why a string is not the id it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The part before the last underscore is not the prefix of this kind of id.
    #[error("expected an id that starts with `{expected}_`")]
    Prefix {
        /// The prefix of the wanted kind.
        expected: &'static str,
    },
    /// The part after the last underscore is not 26 base-32 characters of a 128-bit number.
    #[error("the part after `{prefix}_` must be 26 characters of lower-case base 32")]
    Suffix {
        /// The prefix of the wanted kind.
        prefix: &'static str,
    },
}

fn encode(uuid: Uuid) -> String {
    let mut value = uuid.as_u128();
    let mut characters = [0_u8; SUFFIX_LEN];
    for slot in characters.iter_mut().rev() {
        let digit = usize::try_from(value & 31).unwrap_or_default();
        *slot = ALPHABET.get(digit).copied().unwrap_or(b'0');
        value >>= 5;
    }
    characters.iter().map(|byte| char::from(*byte)).collect()
}

fn decode(suffix: &str) -> Option<Uuid> {
    let bytes = suffix.as_bytes();
    // The first character carries three bits; more would not fit 128.
    if bytes.len() != SUFFIX_LEN || !matches!(bytes.first(), Some(b'0'..=b'7')) {
        return None;
    }
    bytes
        .iter()
        .try_fold(0_u128, |value, byte| {
            let digit = ALPHABET.iter().position(|symbol| symbol == byte)?;
            Some((value << 5) | u128::try_from(digit).ok()?)
        })
        .map(Uuid::from_u128)
}

/// Builds a `UUIDv7` from its two ingredients, both passed in. Source: RFC 9562 §5.7.
fn uuid_v7(unix_millis: i64, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(unix_millis).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What stands before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Makes an id from a moment (Unix milliseconds) and 80 random bits.
            pub fn from_parts(unix_millis: i64, random: [u8; 10]) -> Self {
                Self(uuid_v7(unix_millis, random))
            }

            /// The moment that it was made from. Source: RFC 9562 §5.7.
            pub fn made_at(self) -> UnixMillis {
                UnixMillis(i64::try_from(self.0.as_u128() >> 80).unwrap_or_default())
            }

            /// The UUID behind the id.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}_{}", $prefix, encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, formatter)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let (prefix, suffix) =
                    text.rsplit_once('_').ok_or(IdError::Prefix { expected: $prefix })?;
                if prefix != $prefix {
                    return Err(IdError::Prefix { expected: $prefix });
                }
                decode(suffix).map(Self).ok_or(IdError::Suffix { prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "pattern": concat!("^", $prefix, "_[0-7][0-9a-hjkmnp-tv-z]{25}$"),
                })
            }
        }
    )+};
}

ids! {
    /// The isolation boundary: own issuer, keys, users.
    TenantId = "tenant";
    /// A person.
    UserId = "user";
    /// One sign-in of one person.
    SessionId = "sess";
    /// A customer's company inside a tenant.
    OrganizationId = "org";
    /// A person's membership of an organization.
    MemberId = "mem";
    /// A named set of permissions.
    RoleId = "role";
    /// A machine's credential.
    ApiKeyId = "key";
    /// A private key that signs tokens or bundles.
    SigningKeyId = "sigkey";
    /// A published policy bundle.
    BundleId = "bundle";
    /// One activation of a bundle.
    ActivationId = "act";
    /// Something that happened.
    EventId = "evt";
    /// One request to the control plane or the edge.
    RequestId = "req";
    /// A refresh token's row, never the token itself.
    RefreshTokenId = "rtok";
    /// A refresh token's lineage.
    FamilyId = "fam";
    /// An access token (`jti`).
    TokenId = "tok";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: `TypeID` 0.3, `spec/valid.yml`.
    #[test]
    fn known_answers_of_the_typeid_specification() {
        let known = [
            (
                "00000000000000000000000000",
                "00000000-0000-0000-0000-000000000000",
            ),
            (
                "00000000000000000000000001",
                "00000000-0000-0000-0000-000000000001",
            ),
            (
                "0000000000000000000000000a",
                "00000000-0000-0000-0000-00000000000a",
            ),
            (
                "0000000000000000000000000g",
                "00000000-0000-0000-0000-000000000010",
            ),
            (
                "00000000000000000000000010",
                "00000000-0000-0000-0000-000000000020",
            ),
            (
                "7zzzzzzzzzzzzzzzzzzzzzzzzz",
                "ffffffff-ffff-ffff-ffff-ffffffffffff",
            ),
            (
                "01h455vb4pex5vsknk084sn02q",
                "01890a5d-ac96-774b-bcce-b302099a8057",
            ),
        ];
        for (suffix, uuid) in known {
            let id = UserId::from(Uuid::parse_str(uuid).unwrap());
            assert_eq!(id.to_string(), format!("user_{suffix}"));
            assert_eq!(format!("user_{suffix}").parse(), Ok(id));
        }
    }

    /// Source: `TypeID` 0.3, `spec/invalid.yml`.
    #[test]
    fn malformed_ids_are_refused() {
        for text in [
            "",
            "user",
            "user_",
            "_01h455vb4pex5vsknk084sn02q",
            "USER_01h455vb4pex5vsknk084sn02q",
            "org_01h455vb4pex5vsknk084sn02q",
            "user_01H455VB4PEX5VSKNK084SN02Q",
            "user_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "user_01h455vb4pex5vsknk084sn02",
            "user_01h455vb4pex5vsknk084sn02qq",
            "user_01h455vb4pex5vsknk084sn02u",
            "user_01h455vb4pex5vsknk084sn0é",
        ] {
            assert!(
                text.parse::<UserId>().is_err(),
                "{text} was taken for a user id"
            );
        }
    }

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let earlier = SessionId::from_parts(1_700_000_000_000, [255; 10]);
        let later = SessionId::from_parts(1_700_000_000_001, [0; 10]);
        assert!(earlier < later);
        assert!(earlier.to_string() < later.to_string());
        assert_eq!(earlier.uuid().get_version_num(), 7);
    }
}
