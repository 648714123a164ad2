//! A role: a key, and the permissions that whoever has it may use in the customer's application.

use std::collections::{BTreeMap, BTreeSet};

use plinto_contract::{ids::RoleId, problem::FieldError, time::UnixMillis};
use plinto_platform::{
    actor::{Permission, PermissionSet},
    text::{self, DESCRIPTION_CHARS, NAME_CHARS},
};

/// 63 characters: a key fits a DNS label, and so any header or file name.
const KEY_CHARS: usize = 63;
/// 128 characters: `resource:action`.
const PERMISSION_CHARS: usize = 128;
/// 256: permissions of a role.
pub(crate) const PERMISSIONS_MAX: usize = 256;
/// 256: roles of a tenant. All of them travel to the edge in every bundle.
pub(crate) const ROLES_MAX: i64 = 256;

/// The role that an organization always keeps in somebody's hands.
pub const OWNER: &str = "owner";

/// The role that may do everything with the management API, also what a later version adds to it.
pub const ADMINISTRATOR: &str = "administrator";

/// A role that every tenant starts with.
struct Seed {
    key: &'static str,
    name: &'static str,
    description: &'static str,
    permissions: &'static [&'static str],
    management: &'static [Permission],
}

const SEEDS: [Seed; 4] = [
    Seed {
        key: OWNER,
        name: "Owner",
        description: "May do everything in the organization, and hand it over.",
        permissions: &[
            "member:manage",
            "member:read",
            "organization:delete",
            "organization:update",
        ],
        management: IN_ORGANIZATIONS,
    },
    Seed {
        key: "admin",
        name: "Admin",
        description: "May manage the organization and its members.",
        permissions: &["member:manage", "member:read", "organization:update"],
        management: IN_ORGANIZATIONS,
    },
    Seed {
        key: "member",
        name: "Member",
        description: "Belongs to the organization.",
        permissions: &["member:read"],
        management: &[],
    },
    Seed {
        key: ADMINISTRATOR,
        name: "Administrator",
        description: "May do everything with the management API.",
        permissions: &[],
        management: Permission::ALL,
    },
];
/// What members may be allowed in their organization.
const IN_ORGANIZATIONS: &[Permission] = &[
    Permission::OrganizationsRead,
    Permission::OrganizationsWrite,
];

/// A named set of permissions, the same in every organization of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Role {
    /// Names the role for ever.
    pub id: RoleId,
    /// What tokens and policies call it.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it allows in the customer's application: `resource:action`, each once.
    pub permissions: BTreeSet<String>,
    /// What it allows with the management API.
    pub management_permissions: PermissionSet,
    /// Whether Plinto made it: such a role keeps its key and stays.
    pub is_system: bool,
    /// Rises with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it last changed.
    pub updated_at: UnixMillis,
}

/// A role to be made.
#[derive(Debug, Clone)]
pub(crate) struct CreateRole {
    /// See [`Role::key`].
    pub key: String,
    /// See [`Role::name`].
    pub name: String,
    /// See [`Role::description`].
    pub description: String,
    /// See [`Role::permissions`].
    pub permissions: Vec<String>,
    /// See [`Role::management_permissions`].
    pub management_permissions: PermissionSet,
}

/// What shall change of a role; `None` stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct UpdateRole {
    /// See [`Role::name`].
    pub name: Option<String>,
    /// See [`Role::description`].
    pub description: Option<String>,
    /// See [`Role::permissions`]. Replaces the whole set.
    pub permissions: Option<Vec<String>>,
    /// See [`Role::management_permissions`]. Replaces the whole set.
    pub management_permissions: Option<PermissionSet>,
}

/// What several roles allow together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// In the customer's application.
    pub permissions: BTreeSet<String>,
    /// With the management API.
    pub management: PermissionSet,
}

impl Grants {
    /// What several allow together.
    pub fn together<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut together = Self::default();
        for grants in all {
            together
                .permissions
                .extend(grants.permissions.iter().cloned());
            let management = together.management.iter().chain(grants.management.iter());
            together.management = management.collect();
        }
        together
    }

    /// Whether they allow nothing.
    pub fn are_none(&self) -> bool {
        self.permissions.is_empty() && self.management.is_empty()
    }

    /// Whether these allow all that `others` do (Z6).
    pub fn cover(&self, others: &Self) -> bool {
        others.permissions.is_subset(&self.permissions)
            && self.management.covers(&others.management)
    }
}

/// What a policy knows of the tenant's roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyData {
    /// Rises with every change to any role of the tenant.
    pub version: i64,
    /// Role key → its permissions.
    pub roles: BTreeMap<String, BTreeSet<String>>,
}

impl PolicyData {
    /// The document at `data.plinto.roles`: `{role: {permission: true}}`, so that a policy looks a
    /// permission up instead of searching for it.
    pub fn document(&self) -> serde_json::Value {
        let roles = self.roles.iter().map(|(key, permissions)| {
            let permissions = permissions
                .iter()
                .map(|permission| (permission.clone(), serde_json::Value::Bool(true)));
            (
                key.clone(),
                serde_json::Value::Object(permissions.collect()),
            )
        });
        serde_json::Value::Object(roles.collect())
    }
}

/// The roles that every tenant starts with.
pub(crate) fn seeds() -> impl Iterator<Item = CreateRole> {
    SEEDS.iter().map(|seed| CreateRole {
        key: seed.key.to_owned(),
        name: seed.name.to_owned(),
        description: seed.description.to_owned(),
        permissions: seed.permissions.iter().map(|it| (*it).to_owned()).collect(),
        management_permissions: seed.management.iter().copied().collect(),
    })
}

impl CreateRole {
    /// Says which values are not acceptable.
    pub(crate) fn check(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if !is_key(&self.key) {
            errors.push(FieldError::new(
                "/key",
                "invalid_key",
                "1 to 63 of `a-z 0-9 _ -`, the first one a letter",
            ));
        }
        check_texts(Some(&self.name), Some(&self.description), &mut errors);
        check_permissions(&self.permissions, &mut errors);
        errors
    }
}

impl UpdateRole {
    /// Says which values are not acceptable.
    pub(crate) fn check(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        check_texts(
            self.name.as_deref(),
            self.description.as_deref(),
            &mut errors,
        );
        check_permissions(self.permissions.as_deref().unwrap_or_default(), &mut errors);
        errors
    }
}

/// Whether a text can be a role's key.
pub fn is_key(text: &str) -> bool {
    text.len() <= KEY_CHARS
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

/// Whether a text reads `resource:action`.
fn is_permission(text: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.'))
    };
    text.len() <= PERMISSION_CHARS
        && text
            .split_once(':')
            .is_some_and(|(resource, action)| is_word(resource) && is_word(action))
}

fn check_texts(name: Option<&str>, description: Option<&str>, errors: &mut Vec<FieldError>) {
    if let Some(Err(problem)) = name.map(|text| text::check_name(text, NAME_CHARS)) {
        errors.push(problem.at("/name"));
    }
    let description = description.map(|text| text::check_description(text, DESCRIPTION_CHARS));
    if let Some(Err(problem)) = description {
        errors.push(problem.at("/description"));
    }
}

fn check_permissions(permissions: &[String], errors: &mut Vec<FieldError>) {
    if permissions.len() > PERMISSIONS_MAX {
        errors.push(FieldError::new(
            "/permissions",
            "too_many",
            format!("at most {PERMISSIONS_MAX}"),
        ));
        return;
    }
    for (index, permission) in permissions.iter().enumerate() {
        if !is_permission(permission) {
            errors.push(FieldError::new(
                format!("/permissions/{index}"),
                "invalid_permission",
                "write `resource:action`, as in `document:read`",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(key: &str, name: &str, permissions: &[&str]) -> CreateRole {
        CreateRole {
            key: key.to_owned(),
            name: name.to_owned(),
            description: String::new(),
            permissions: permissions.iter().map(|text| (*text).to_owned()).collect(),
            management_permissions: PermissionSet::none(),
        }
    }

    fn pointers(errors: &[FieldError]) -> Vec<&str> {
        errors.iter().map(|error| error.pointer.as_str()).collect()
    }

    #[test]
    fn every_seed_is_acceptable_and_one_of_them_is_the_owner() {
        let keys: Vec<_> = seeds()
            .map(|seed| {
                assert_eq!(seed.check(), [], "{}", seed.key);
                seed.key
            })
            .collect();
        assert_eq!(keys, [OWNER, "admin", "member", ADMINISTRATOR]);
    }

    #[test]
    fn each_bad_value_is_pointed_at() {
        let bad = role("Editor", " ", &["document:read", "document", "a:b:c", ":x"]);
        assert_eq!(
            pointers(&bad.check()),
            [
                "/key",
                "/name",
                "/permissions/1",
                "/permissions/2",
                "/permissions/3"
            ]
        );
        let many = vec!["a:b"; PERMISSIONS_MAX + 1];
        assert_eq!(pointers(&role("a", "A", &many).check()), ["/permissions"]);
    }

    /// Z6: both kinds count.
    #[test]
    fn grants_cover_others_only_with_all_of_them() {
        let of = |permissions: &[&str], management: &[Permission]| Grants {
            permissions: permissions.iter().map(|it| (*it).to_owned()).collect(),
            management: management.iter().copied().collect(),
        };
        let all = of(&["a:b", "c:d"], IN_ORGANIZATIONS);
        assert!(all.cover(&of(&["a:b"], &[])) && all.cover(&all));
        assert!(!of(&["a:b", "c:d"], &[]).cover(&all));
        assert!(!of(&["a:b"], IN_ORGANIZATIONS).cover(&all));
    }

    #[test]
    fn a_policy_looks_a_permission_up() {
        let data = PolicyData {
            version: 3,
            roles: BTreeMap::from([(
                "editor".to_owned(),
                BTreeSet::from(["document:read".to_owned()]),
            )]),
        };
        assert_eq!(
            data.document(),
            serde_json::json!({"editor": {"document:read": true}})
        );
    }
}
