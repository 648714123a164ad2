//! A role: a key, and the permissions that whoever has it may use in the customer's application.

use std::collections::{BTreeMap, BTreeSet};

use plinto_contract::{ids::RoleId, problem::FieldError, time::UnixMillis};
use plinto_platform::text::{self, DESCRIPTION_CHARS, NAME_CHARS};

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

/// What every tenant starts with: key, name, description, permissions.
const SEEDS: [(&str, &str, &str, &[&str]); 3] = [
    (
        OWNER,
        "Owner",
        "May do everything in the organization, and hand it over.",
        &[
            "member:manage",
            "member:read",
            "organization:delete",
            "organization:update",
        ],
    ),
    (
        "admin",
        "Admin",
        "May manage the organization and its members.",
        &["member:manage", "member:read", "organization:update"],
    ),
    (
        "member",
        "Member",
        "Belongs to the organization.",
        &["member:read"],
    ),
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
    /// `resource:action`, each once.
    pub permissions: BTreeSet<String>,
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
    SEEDS
        .iter()
        .map(|(key, name, description, permissions)| CreateRole {
            key: (*key).to_owned(),
            name: (*name).to_owned(),
            description: (*description).to_owned(),
            permissions: permissions.iter().map(|text| (*text).to_owned()).collect(),
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
        assert_eq!(keys, [OWNER, "admin", "member"]);
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
