//! Data of events of tenants, their signing keys and API keys.

use super::{
    Described, Deserialize, EventData, EventKind, JsonSchema, SchemaGenerator, Serialize, data,
    json,
};
use crate::time::UnixMillis;

data! {
    /// Data of `tenant.created`.
    TenantCreated {
        /// Its name in paths and in its issuer.
        pub slug: String,
    } like { "slug": "acme" }

    /// Data of `tenant.updated`.
    TenantUpdated {
        /// The settings that have another value now, as the API calls them.
        pub changed: Vec<String>,
    } like { "changed": ["name", "audience"] }

    /// Data of `tenant.sessions_revoked`: the subject says all.
    TenantSessionsRevoked {} like {}

    /// Data of `signing_key.created`.
    SigningKeyCreated {
        /// `token` or `bundle`.
        pub purpose: String,
        /// The key's thumbprint (RFC 7638).
        pub kid: String,
        /// From when on every cache of the published set contains it.
        pub usable_at: UnixMillis,
    } like { "purpose": "token", "kid": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "usable_at": "2026-01-31T12:05:00.000Z" }

    /// Data of `signing_key.rotated`. The subject is the key that signs from now on.
    SigningKeyRotated {
        /// `token` or `bundle`.
        pub purpose: String,
        /// The thumbprint of the key that signs from now on.
        pub kid: String,
        /// When the key that signed before leaves the published set; absent when it was withdrawn.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub retires_at: Option<UnixMillis>,
    } like { "purpose": "token", "kid": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "retires_at": "2026-01-31T13:00:00.000Z" }

    /// Data of `signing_key.retired`.
    SigningKeyRetired {
        /// `token` or `bundle`.
        pub purpose: String,
        /// The key's thumbprint (RFC 7638).
        pub kid: String,
    } like { "purpose": "token", "kid": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" }

    /// Data of `signing_key.withdrawn`.
    SigningKeyWithdrawn {
        /// `token` or `bundle`.
        pub purpose: String,
        /// The key's thumbprint (RFC 7638).
        pub kid: String,
    } like { "purpose": "token", "kid": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" }

    /// Data of `api_key.created`.
    ApiKeyCreated {
        /// What its maker called it.
        pub name: String,
        /// What it may do, such as `users:read`.
        pub permissions: Vec<String>,
    } like { "name": "Nightly build", "permissions": ["policies:publish"] }

    /// Data of `api_key.revoked`.
    ApiKeyRevoked {
        /// What its maker called it.
        pub name: String,
    } like { "name": "Nightly build" }
}
