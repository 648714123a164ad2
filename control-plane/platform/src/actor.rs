//! Who asks, and what they may do.

use std::{fmt, net::IpAddr, str::FromStr};

use plinto_contract::{
    events::EventActor,
    ids::{ApiKeyId, RequestId, SessionId, TenantId, UserId},
    problem::FieldError,
    time::UnixSeconds,
};

macro_rules! permissions {
    ($($name:ident = $text:literal, $doc:literal;)+) => {
        /// What a caller may do with the management API; the names stand on API keys and on roles.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission {
            $(#[doc = $doc] $name,)+
        }

        impl Permission {
            /// Every permission, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// One line for people.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => $doc),+ }
            }
        }
    };
}

permissions! {
    TenantRead = "tenant:read", "See the tenant's settings.";
    TenantWrite = "tenant:write", "Change the tenant's settings.";
    UsersRead = "users:read", "List and see users.";
    UsersWrite = "users:write", "Disable and enable users, but for administrators who may do more.";
    SessionsRead = "sessions:read", "See sessions.";
    SessionsRevoke = "sessions:revoke", "End sessions: one, all of a user's, all of the tenant's.";
    TokensIntrospect = "tokens:introspect", "Ask whether a token is good; for API keys.";
    OrganizationsRead = "organizations:read", "List and see organizations and members.";
    OrganizationsWrite = "organizations:write", "Create and change organizations and members.";
    RolesRead = "roles:read", "List and see roles.";
    RolesWrite = "roles:write", "Create, change and delete roles.";
    AdministratorsRead = "administrators:read", "List and see administrators.";
    AdministratorsWrite = "administrators:write", "Make people administrators, change and end that.";
    ApiKeysRead = "api_keys:read", "List and see API keys.";
    ApiKeysWrite = "api_keys:write", "Create and revoke API keys.";
    PoliciesRead = "policies:read", "List and fetch policy bundles.";
    PoliciesPublish = "policies:publish", "Publish policy bundles.";
    PoliciesActivate = "policies:activate", "Activate and roll back policy bundles.";
    SigningKeysRead = "signing_keys:read", "List signing keys.";
    SigningKeysRotate = "signing_keys:rotate", "Rotate and withdraw signing keys.";
    EventsRead = "events:read", "Read the tenant's events, and keep places in them.";
}

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        Self::ALL
            .iter()
            .find(|permission| permission.as_str() == text)
            .copied()
            .ok_or_else(|| UnknownPermission(text.to_owned()))
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// No permission has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no permission is called `{0}`")]
pub struct UnknownPermission(pub String);

/// Some of the permissions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PermissionSet(std::collections::BTreeSet<Permission>);

impl PermissionSet {
    /// None of them.
    pub fn none() -> Self {
        Self::default()
    }

    /// All of them.
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// Whether this one is among them.
    pub fn contains(&self, permission: Permission) -> bool {
        self.0.contains(&permission)
    }

    /// Whether all of `others` are among them (statement Z6).
    pub fn covers(&self, others: &Self) -> bool {
        others.0.is_subset(&self.0)
    }

    /// One after the other, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = Permission> + '_ {
        self.0.iter().copied()
    }

    /// Those that are in one of the two sets and not in the other.
    #[must_use]
    pub fn difference(&self, others: &Self) -> Self {
        Self(self.0.symmetric_difference(&others.0).copied().collect())
    }

    /// Those that are in both.
    #[must_use]
    pub fn intersection(&self, others: &Self) -> Self {
        Self(self.0.intersection(&others.0).copied().collect())
    }

    /// Reads what a request names. `pointer`: where the list stands in it.
    /// Errors: which of the names are none.
    pub fn read(names: &[String], pointer: &str) -> Result<Self, Vec<FieldError>> {
        let (mut known, mut errors) = (Vec::new(), Vec::new());
        for (index, name) in names.iter().enumerate() {
            match name.parse() {
                Ok(permission) => known.push(permission),
                Err(_) => errors.push(FieldError::new(
                    format!("{pointer}/{index}"),
                    "permission_unknown",
                    "no permission has this name",
                )),
            }
        }
        if errors.is_empty() {
            Ok(known.into_iter().collect())
        } else {
            Err(errors)
        }
    }

    /// Their names on the wire, in the order of the table.
    pub fn names(&self) -> Vec<&'static str> {
        self.iter().map(Permission::as_str).collect()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for PermissionSet {
    type Err = UnknownPermission;

    /// Reads a JSON array of names, as tables keep it.
    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        let names: Vec<String> =
            serde_json::from_str(text).map_err(|_| UnknownPermission(text.to_owned()))?;
        names.iter().map(|name| name.parse()).collect()
    }
}

impl fmt::Display for PermissionSet {
    /// Writes a JSON array of names.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", serde_json::json!(self.names()))
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().collect())
    }
}

/// Whose credentials came with the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal {
    /// None came.
    Anonymous,
    /// A person's access token.
    User {
        /// The person.
        user: UserId,
        /// The tenant whose user they are. Another than the actor's when they administer several.
        home: TenantId,
        /// Their session.
        session: SessionId,
        /// What decides how long the token is good.
        token: PresentedToken,
    },
    /// A machine's API key.
    ApiKey {
        /// The key.
        key: ApiKeyId,
    },
    /// Ourselves: background work, the command line of the server.
    System,
}

/// What an access token says of its own life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresentedToken {
    /// When it runs out.
    pub expires_at: UnixSeconds,
    /// The token epoch of its user that it was issued under.
    pub epoch: u64,
    /// SHA-256 of the id of the key that signed it.
    pub signer: [u8; 32],
    /// The version of the tenant's keys under which that key was published.
    pub keys_version: i64,
    /// Whether it was issued for the management API.
    pub is_for_management: bool,
}

/// Who asks, in which tenant, from where.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The tenant that everything this actor does happens in.
    pub tenant: TenantId,
    /// Whose credentials came.
    pub principal: Principal,
    /// What they allow.
    pub permissions: PermissionSet,
    /// The client's address; `None` for our own work.
    pub ip: Option<IpAddr>,
    /// The client's `User-Agent`, at most 256 characters; may be empty.
    pub user_agent: String,
    /// The request; `None` for our own work.
    pub request_id: Option<RequestId>,
}

/// The actor may not do this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No credentials came with the request.
    #[error("this needs credentials")]
    Unauthenticated,
    /// The credentials do not allow it.
    #[error("this needs the permission `{0}`")]
    Lacks(Permission),
    /// This is for people, not for machines.
    #[error("this needs the access token of a user of this tenant")]
    NotAUser,
    /// The person administers no such tenant.
    #[error("you are no administrator of this tenant")]
    NotAnAdministrator,
    /// The API key is revoked, expired or gone.
    #[error("the API key is not valid")]
    KeyNotLive,
    /// The access token has run out.
    #[error("the access token has expired")]
    TokenExpired,
    /// The access token's session has ended.
    #[error("the access token has been revoked")]
    TokenRevoked,
    /// The access token's session goes on, but what the token says of its user is true no more.
    #[error("the user's roles have changed since this access token was issued; refresh it")]
    TokenOutdated,
}

impl Actor {
    /// Ourselves, allowed everything in `tenant`.
    pub fn system(tenant: TenantId) -> Self {
        Self {
            tenant,
            principal: Principal::System,
            permissions: PermissionSet::all(),
            ip: None,
            user_agent: String::new(),
            request_id: None,
        }
    }

    /// Errors when the actor lacks the permission: the first line of a verb.
    pub fn require(&self, permission: Permission) -> Result<(), Denied> {
        if self.permissions.contains(permission) {
            Ok(())
        } else if self.principal == Principal::Anonymous {
            Err(Denied::Unauthenticated)
        } else {
            Err(Denied::Lacks(permission))
        }
    }

    /// The person and session behind the request. Errors for anybody else, and for users of another
    /// tenant.
    pub fn user(&self) -> Result<(UserId, SessionId), Denied> {
        match self.principal {
            Principal::User {
                user,
                home,
                session,
                ..
            } if home == self.tenant => Ok((user, session)),
            Principal::Anonymous => Err(Denied::Unauthenticated),
            _ => Err(Denied::NotAUser),
        }
    }

    /// The person behind the request if they may use the management API in an organization of theirs.
    pub fn managing_user(&self) -> Option<UserId> {
        match self.principal {
            Principal::User {
                user, home, token, ..
            } if home == self.tenant && token.is_for_management => Some(user),
            _ => None,
        }
    }

    /// How events name this actor.
    pub fn for_event(&self) -> EventActor {
        let session_id = match self.principal {
            Principal::User { session, .. } => Some(session),
            _ => None,
        };
        let (kind, id) = match self.principal {
            Principal::Anonymous => ("anonymous", String::new()),
            Principal::User { user, .. } => ("user", user.to_string()),
            Principal::ApiKey { key } => ("api_key", key.to_string()),
            Principal::System => ("system", String::new()),
        };
        EventActor {
            kind: kind.to_owned(),
            id,
            session_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permission_names_read_back() {
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(*permission));
        }
        assert!("users:everything".parse::<Permission>().is_err());
    }

    /// Z6: a set covers another only when it has all of it.
    #[test]
    fn a_smaller_set_does_not_cover_a_larger_one() {
        let some: PermissionSet = [Permission::UsersRead].into_iter().collect();
        assert!(PermissionSet::all().covers(&some));
        assert!(!some.covers(&PermissionSet::all()));
        assert!(some.covers(&PermissionSet::none()));
    }
}
