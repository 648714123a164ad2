//! Events: what happened, to whom, by whom. The same JSON everywhere it is read.

mod asyncapi;
mod data;
mod leaf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    ids::{EventId, OrganizationId, RequestId, SessionId, TenantId},
    time::UnixMillis,
};

pub use asyncapi::{asyncapi, example};
pub use data::*;
pub use leaf::{CONTEXT_DIGEST, NotCanonical, canonical, canonical_context, leaf_object};

macro_rules! kinds {
    ($($name:ident = $kind:literal, $doc:literal;)+) => {
        /// What happened: `noun.verb` in the past tense.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum EventKind {
            $(
                #[doc = $doc]
                #[serde(rename = $kind)]
                $name,
            )+
        }

        impl EventKind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $kind),+ }
            }

            /// One line for people.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => $doc),+ }
            }
        }
    };
}

kinds! {
    TenantCreated = "tenant.created", "A tenant was created.";
    TenantUpdated = "tenant.updated", "A tenant's settings were changed.";
    TenantSessionsRevoked = "tenant.sessions_revoked", "All sessions of the tenant ended before their time.";
    SigningKeyCreated = "signing_key.created", "A signing key was made and published.";
    SigningKeyRotated = "signing_key.rotated", "Another key signs from now on.";
    SigningKeyRetired = "signing_key.retired", "A signing key left the published set.";
    SigningKeyWithdrawn = "signing_key.withdrawn", "A signing key was ended before its time; what it signed is refused.";
    ApiKeyCreated = "api_key.created", "An API key was made.";
    ApiKeyRevoked = "api_key.revoked", "An API key was revoked.";
    UserCreated = "user.created", "A person signed up or was added.";
    UserDisabled = "user.disabled", "A user was disabled; their sessions ended.";
    UserEnabled = "user.enabled", "A disabled user was enabled again.";
    UserUnlocked = "user.unlocked", "A user's failed sign-ins were forgotten; they may try again.";
    UserSessionsRevoked = "user.sessions_revoked", "All sessions of a user ended before their time.";
    PasswordChanged = "password.changed", "A user changed their password.";
    SignInFailed = "sign_in.failed", "A sign-in failed.";
    SessionCreated = "session.created", "A session began.";
    SessionRefreshed = "session.refreshed", "A refresh token was exchanged for its successor.";
    SessionRevoked = "session.revoked", "A session ended before its time.";
    RefreshTokenReused = "refresh_token.reused", "A spent refresh token came again; its family was revoked.";
    OrganizationCreated = "organization.created", "An organization was created.";
    OrganizationUpdated = "organization.updated", "An organization was changed.";
    OrganizationDeleted = "organization.deleted", "An organization was deleted.";
    MemberAdded = "member.added", "A user joined an organization.";
    MemberUpdated = "member.updated", "A member's roles changed.";
    MemberRemoved = "member.removed", "A user left an organization.";
    AdministratorAdded = "administrator.added", "A user became an administrator of the tenant.";
    AdministratorUpdated = "administrator.updated", "An administrator's roles changed.";
    AdministratorRemoved = "administrator.removed", "A user is no administrator of the tenant any more.";
    RoleCreated = "role.created", "A role was created.";
    RoleUpdated = "role.updated", "A role's permissions changed.";
    RoleDeleted = "role.deleted", "A role was deleted.";
    AccessDenied = "access.denied", "Somebody tried what they may not; told once a minute for each operation.";
    BundlePublished = "policy.bundle_published", "A policy bundle was published.";
    BundleActivated = "policy.bundle_activated", "A policy bundle decides from now on.";
    BundleRolledBack = "policy.bundle_rolled_back", "An earlier policy bundle decides again.";
    BundleRenewed = "policy.bundle_renewed", "The active bundle was signed anew with current data.";
}

impl EventKind {
    /// How what happened ended for whoever tried it.
    pub const fn result(self) -> EventResult {
        match self {
            Self::SignInFailed | Self::RefreshTokenReused => EventResult::Failure,
            Self::AccessDenied => EventResult::Denied,
            _ => EventResult::Success,
        }
    }
}

/// How it ended for whoever tried it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventResult {
    /// It was done.
    Success,
    /// It could not be done, such as a sign-in with a wrong password.
    Failure,
    /// It was not allowed.
    Denied,
}

impl EventResult {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Success, Self::Failure, Self::Denied];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Denied => "denied",
        }
    }
}

/// Who made it happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventActor {
    /// `anonymous`, `user`, `api_key` or `system`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The user's or key's id; empty for the other two.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The session that the user acted in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
}

/// From where it was asked for: personal data, which is erased with the person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventContext {
    /// The client's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The client's `User-Agent`, at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

impl EventContext {
    /// Whether nothing is known.
    pub const fn is_empty(&self) -> bool {
        self.ip.is_none() && self.user_agent.is_none()
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Names the event; the same in every place it is read.
    pub id: EventId,
    /// Its place in the tenant's log: 1, 2, 3 … without a gap.
    pub seq: i64,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// The version of the shape of `data`.
    pub version: i64,
    /// The tenant that it happened in.
    pub tenant_id: TenantId,
    /// The time on the server that made it happen.
    pub created_at: UnixMillis,
    /// How it ended.
    pub result: EventResult,
    /// Who made it happen.
    pub actor: EventActor,
    /// Id of the thing it happened to; `unknown` where nobody could find out.
    pub target: String,
    /// The organization that it concerns alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<OrganizationId>,
    /// The request it happened in; absent for background work and commands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// From where it was asked for; absent for background work, and once it is erased.
    #[serde(default, skip_serializing_if = "EventContext::is_empty")]
    pub context: EventContext,
    /// What more there is to say, as the schema `EventData` has it for the kind; no personal data, no
    /// secrets.
    #[serde(default)]
    pub data: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_read_the_same_as_text_and_as_json() {
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert!(kind.as_str().contains('.'), "{kind:?} has no noun");
        }
    }
}
