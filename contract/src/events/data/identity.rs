//! Data of events of how people come in and stay.

use super::{
    Described, Deserialize, EventData, EventKind, JsonSchema, SchemaGenerator, Serialize, data,
    json,
};
use crate::ids::{OrganizationId, TenantId, UserId};
use std::collections::BTreeSet;

data! {
    /// Data of `user.unlocked`: the target says all.
    UserUnlocked {} like {}

    /// Data of `password.changed`: the target says all.
    PasswordChanged {} like {}

    /// Data of `sign_in.failed`. The target is the user, or `unknown`.
    SignInFailed {
        /// Why: `wrong_password`, `unknown_user`, `user_disabled` or `not_a_member`.
        pub reason: String,
    } like { "reason": "wrong_password" }

    /// Data of `session.created`.
    SessionCreated {
        /// Whose session it is.
        pub user_id: UserId,
        /// The organization that the session is for.
        pub organization_id: Option<OrganizationId>,
        /// The application that its tokens are for.
        pub client_id: String,
        /// How they proved who they are (RFC 8176).
        pub amr: Vec<String>,
        /// Whether its tokens are for the management API.
        pub is_for_management: bool,
    } like { "client_id": "app", "user_id": "user_01jd0000000000000000000000", "organization_id": "org_01jd0000000000000000000000", "amr": ["pwd"], "is_for_management": false }

    /// Data of `session.refreshed`.
    SessionRefreshed {
        /// Whose session it is.
        pub user_id: UserId,
        /// The application that its tokens are for.
        pub client_id: String,
    } like { "client_id": "app", "user_id": "user_01jd0000000000000000000000" }

    /// Data of `session.revoked`.
    SessionRevoked {
        /// Why it ended, such as `signed_out`.
        pub reason: String,
    } like { "reason": "signed_out" }

    /// Data of `refresh_token.reused`. The target is the session that ended.
    RefreshTokenReused {
        /// Whose session it is.
        pub user_id: UserId,
        /// The application that its tokens are for.
        pub client_id: String,
    } like { "client_id": "app", "user_id": "user_01jd0000000000000000000000" }

    /// Data of `administrator.added`. The target is the user.
    AdministratorAdded {
        /// The tenant whose user they are.
        pub home_tenant_id: TenantId,
        /// The keys of the roles they have now.
        pub roles: BTreeSet<String>,
    } like { "home_tenant_id": "tenant_01jd0000000000000000000000", "roles": ["administrator"] }

    /// Data of `administrator.updated`. The target is the user.
    AdministratorUpdated {
        /// The tenant whose user they are.
        pub home_tenant_id: TenantId,
        /// The keys of the roles they have now.
        pub roles: BTreeSet<String>,
    } like { "home_tenant_id": "tenant_01jd0000000000000000000000", "roles": ["administrator"] }

    /// Data of `administrator.removed`. The target is the user.
    AdministratorRemoved {
        /// The tenant whose user they are.
        pub home_tenant_id: TenantId,
        /// The keys of the roles they have now.
        pub roles: BTreeSet<String>,
    } like { "home_tenant_id": "tenant_01jd0000000000000000000000", "roles": ["administrator"] }

    /// Data of `access.denied`. The target is whoever tried it.
    AccessDenied {
        /// Method and path of what they tried, such as `POST /v1/roles`.
        pub operation: String,
    } like { "operation": "POST /v1/roles" }
}
