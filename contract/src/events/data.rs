//! What an event says beside its subject: a type for each kind. Kinds without one here are recorded as
//! JSON until they have it.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::EventKind;
use crate::time::UnixMillis;

/// The data of one kind of event: a JSON object without personal data and secrets.
pub trait EventData: Serialize {
    /// The only kind that it is the data of.
    const KIND: EventKind;
}

/// Structs that are called as their kinds.
macro_rules! data {
    ($($(#[$attribute:meta])+ $name:ident { $($fields:tt)* })+) => {
        $(
            $(#[$attribute])+
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
            pub struct $name { $($fields)* }

            impl EventData for $name {
                const KIND: EventKind = EventKind::$name;
            }
        )+

        /// An object with a member for each kind that has a type, and that type's schema in it.
        pub fn data_schema() -> Schema {
            let mut generator = SchemaGenerator::default();
            let mut kinds = Map::new();
            $(
                let schema = generator.subschema_for::<$name>();
                kinds.insert($name::KIND.as_str().to_owned(), schema.into());
            )+
            json_schema!({
                "$schema": generator.settings().meta_schema,
                "title": "EventData",
                "description": "What `data` of an event holds, by its `type`.",
                "type": "object",
                "properties": kinds,
                "$defs": generator.definitions(),
            })
        }
    };
}

data! {
    /// Data of `tenant.created`.
    TenantCreated {
        /// Its name in paths and in its issuer.
        pub slug: String,
    }

    /// Data of `tenant.updated`.
    TenantUpdated {
        /// The settings that have another value now, as the API calls them.
        pub changed: Vec<String>,
    }

    /// Data of `tenant.sessions_revoked`: the subject says all.
    TenantSessionsRevoked {}

    /// Data of `signing_key.created`.
    SigningKeyCreated {
        /// `token` or `bundle`.
        pub purpose: String,
        /// The key's thumbprint (RFC 7638).
        pub kid: String,
        /// From when on every cache of the published set contains it.
        pub usable_at: UnixMillis,
    }

    /// Data of `signing_key.rotated`. The subject is the key that signs from now on.
    SigningKeyRotated {
        /// `token` or `bundle`.
        pub purpose: String,
        /// The thumbprint of the key that signs from now on.
        pub kid: String,
        /// When the key that signed before leaves the published set; absent when it was withdrawn.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub retires_at: Option<UnixMillis>,
    }

    /// Data of `signing_key.retired`.
    SigningKeyRetired {
        /// `token` or `bundle`.
        pub purpose: String,
        /// The key's thumbprint (RFC 7638).
        pub kid: String,
    }

    /// Data of `signing_key.withdrawn`.
    SigningKeyWithdrawn {
        /// `token` or `bundle`.
        pub purpose: String,
        /// The key's thumbprint (RFC 7638).
        pub kid: String,
    }

    /// Data of `api_key.created`.
    ApiKeyCreated {
        /// What its maker called it.
        pub name: String,
        /// What it may do, such as `users:read`.
        pub permissions: Vec<String>,
    }

    /// Data of `api_key.revoked`.
    ApiKeyRevoked {
        /// What its maker called it.
        pub name: String,
    }

    /// Data of `policy.bundle_published`.
    BundlePublished {
        /// The digest of its content.
        pub revision: String,
        /// The rule that is asked, such as `app/authz/decision`.
        pub entrypoint: String,
    }

    /// Data of `policy.bundle_activated`. The subject is the activation.
    BundleActivated {
        /// The bundle that decides from now on.
        pub revision: String,
        /// The activation's number, which only rises.
        pub sequence: i64,
        /// SHA-256 of the signed artifact.
        pub digest: String,
        /// `activated`.
        pub reason: String,
    }

    /// Data of `policy.bundle_rolled_back`. The subject is the activation.
    BundleRolledBack {
        /// The bundle that decides again.
        pub revision: String,
        /// The activation's number, which only rises.
        pub sequence: i64,
        /// SHA-256 of the signed artifact.
        pub digest: String,
        /// `rolled_back`.
        pub reason: String,
    }

    /// Data of `policy.bundle_renewed`. The subject is the activation.
    BundleRenewed {
        /// The bundle that goes on deciding.
        pub revision: String,
        /// The activation's number, which only rises.
        pub sequence: i64,
        /// SHA-256 of the signed artifact.
        pub digest: String,
        /// `roles_changed`, `key_rotated` or `renewed`.
        pub reason: String,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_absent_is_not_written() {
        let rotated = |retires_at| SigningKeyRotated {
            purpose: "token".to_owned(),
            kid: "k".to_owned(),
            retires_at,
        };
        assert_eq!(
            json!(rotated(None)),
            json!({"purpose": "token", "kid": "k"})
        );
        assert_eq!(
            json!(rotated(Some(UnixMillis(0)))),
            json!({"purpose": "token", "kid": "k", "retires_at": "1970-01-01T00:00:00.000Z"})
        );
        assert_eq!(json!(TenantSessionsRevoked {}), json!({}));
    }
}
