//! Data of events of policies.

use super::{
    Described, Deserialize, EventData, EventKind, JsonSchema, SchemaGenerator, Serialize, data,
    json,
};

data! {
    /// Data of `policy.bundle_published`.
    BundlePublished {
        /// The digest of its content.
        pub revision: String,
        /// The rule that is asked, such as `app/authz/decision`.
        pub entrypoint: String,
    } like { "revision": "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", "entrypoint": "app/authz/decision" }

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
    } like { "revision": "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", "sequence": 7, "digest": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", "reason": "activated" }

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
    } like { "revision": "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", "sequence": 8, "digest": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", "reason": "rolled_back" }

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
    } like { "revision": "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", "sequence": 9, "digest": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", "reason": "roles_changed" }
}
