//! Data of events of users, roles, organizations and their members.

use super::{
    Described, Deserialize, EventData, EventKind, JsonSchema, SchemaGenerator, Serialize, data,
    json,
};
use crate::ids::{OrganizationId, UserId};
use std::collections::BTreeSet;

data! {
    /// Data of `user.created`: the target says all.
    UserCreated {} like {}

    /// Data of `user.disabled`: the target says all.
    UserDisabled {} like {}

    /// Data of `user.enabled`: the target says all.
    UserEnabled {} like {}

    /// Data of `user.sessions_revoked`: the target says all.
    UserSessionsRevoked {} like {}

    /// Data of `organization.created`.
    OrganizationCreated {
        /// Its name in paths.
        pub slug: String,
    } like { "slug": "initech" }

    /// Data of `organization.updated`.
    OrganizationUpdated {
        /// Its name in paths.
        pub slug: String,
    } like { "slug": "initech" }

    /// Data of `organization.deleted`.
    OrganizationDeleted {
        /// Its name in paths.
        pub slug: String,
    } like { "slug": "initech" }

    /// Data of `member.added`.
    MemberAdded {
        /// The organization.
        pub organization_id: OrganizationId,
        /// Who it is about.
        pub user_id: UserId,
        /// The keys of the roles they have now.
        pub roles: BTreeSet<String>,
    } like { "organization_id": "org_01jd0000000000000000000000", "user_id": "user_01jd0000000000000000000000", "roles": ["editor"] }

    /// Data of `member.updated`.
    MemberUpdated {
        /// The organization.
        pub organization_id: OrganizationId,
        /// Who it is about.
        pub user_id: UserId,
        /// The keys of the roles they have now.
        pub roles: BTreeSet<String>,
    } like { "organization_id": "org_01jd0000000000000000000000", "user_id": "user_01jd0000000000000000000000", "roles": ["editor"] }

    /// Data of `member.removed`.
    MemberRemoved {
        /// The organization.
        pub organization_id: OrganizationId,
        /// Who it is about.
        pub user_id: UserId,
        /// The keys of the roles they have now.
        pub roles: BTreeSet<String>,
    } like { "organization_id": "org_01jd0000000000000000000000", "user_id": "user_01jd0000000000000000000000", "roles": ["editor"] }

    /// Data of `role.created`.
    RoleCreated {
        /// The role as policies name it.
        pub key: String,
        /// What it allows in policies.
        pub permissions: BTreeSet<String>,
        /// What it allows with the management API.
        pub management_permissions: Vec<String>,
    } like { "key": "editor", "permissions": ["document:write"], "management_permissions": [] }

    /// Data of `role.updated`.
    RoleUpdated {
        /// The role as policies name it.
        pub key: String,
        /// What it allows in policies.
        pub permissions: BTreeSet<String>,
        /// What it allows with the management API.
        pub management_permissions: Vec<String>,
    } like { "key": "editor", "permissions": ["document:write"], "management_permissions": [] }

    /// Data of `role.deleted`.
    RoleDeleted {
        /// The role as policies name it.
        pub key: String,
    } like { "key": "editor" }
}
