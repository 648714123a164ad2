//! Organizations and their members. Whoever changes members asks [`check_owners`] first.

use std::collections::BTreeSet;

use plinto_contract::{
    ids::{MemberId, OrganizationId, UserId},
    problem::FieldError,
    time::UnixMillis,
};
use plinto_platform::text::{self, NAME_CHARS};

use crate::roles::{OWNER, is_key};

/// 63 characters: a slug fits a DNS label.
const SLUG_CHARS: usize = 63;
/// 16: roles of one member. They all travel in every token.
pub(crate) const ROLES_PER_MEMBER: usize = 16;

/// A customer's company inside a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Organization {
    /// Names the organization for ever.
    pub id: OrganizationId,
    /// Names it in URLs; unique in its tenant.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// Rises with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it last changed.
    pub updated_at: UnixMillis,
}

/// A person's membership of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// Names the membership.
    pub id: MemberId,
    /// The organization.
    pub organization: OrganizationId,
    /// The person.
    pub user: UserId,
    /// Keys of their roles there.
    pub roles: BTreeSet<String>,
    /// Rises with every change of the roles.
    pub version: i64,
    /// When they joined.
    pub created_at: UnixMillis,
    /// When their roles last changed.
    pub updated_at: UnixMillis,
}

/// An organization to be made.
#[derive(Debug, Clone)]
pub(crate) struct CreateOrganization {
    /// See [`Organization::slug`].
    pub slug: String,
    /// See [`Organization::name`].
    pub name: String,
    /// Its first owner. Without one, the first member must be an owner.
    pub owner: Option<UserId>,
}

/// What shall change of an organization; `None` stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct UpdateOrganization {
    /// See [`Organization::slug`].
    pub slug: Option<String>,
    /// See [`Organization::name`].
    pub name: Option<String>,
}

impl CreateOrganization {
    /// Says which values are not acceptable.
    pub(crate) fn check(&self) -> Vec<FieldError> {
        check(Some(&self.slug), Some(&self.name))
    }
}

impl UpdateOrganization {
    /// Says which values are not acceptable.
    pub(crate) fn check(&self) -> Vec<FieldError> {
        check(self.slug.as_deref(), self.name.as_deref())
    }
}

/// Says which of a member's role keys cannot be keys at all.
pub(crate) fn check_roles(roles: &[String]) -> Vec<FieldError> {
    if roles.is_empty() {
        return vec![FieldError::new(
            "/roles",
            "required",
            "a member has at least one role",
        )];
    }
    if roles.len() > ROLES_PER_MEMBER {
        let detail = format!("at most {ROLES_PER_MEMBER}");
        return vec![FieldError::new("/roles", "too_many", detail)];
    }
    roles
        .iter()
        .enumerate()
        .filter(|(_, key)| !is_key(key))
        .map(|(index, _)| {
            FieldError::new(
                format!("/roles/{index}"),
                "invalid_key",
                "not the key of a role",
            )
        })
        .collect()
}

/// Whether an organization may go from one set of members to another (Z6, I8): one that has
/// members has an owner.
/// `has_owner`, `has_members`: whether there will be any.
pub(crate) const fn check_owners(has_owner: bool, has_members: bool) -> bool {
    has_owner || !has_members
}

/// Whether these roles make somebody an owner.
pub(crate) fn is_owner(roles: &BTreeSet<String>) -> bool {
    roles.contains(OWNER)
}

fn check(slug: Option<&str>, name: Option<&str>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if slug.is_some_and(|slug| !is_slug(slug)) {
        errors.push(FieldError::new(
            "/slug",
            "invalid_slug",
            "1 to 63 of `a-z 0-9 -`, first and last a letter or digit",
        ));
    }
    if let Some(Err(problem)) = name.map(|text| text::check_name(text, NAME_CHARS)) {
        errors.push(problem.at("/name"));
    }
    errors
}

fn is_slug(text: &str) -> bool {
    (1..=SLUG_CHARS).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_dns_labels() {
        for slug in ["a", "acme", "acme-2", "0"] {
            assert!(is_slug(slug), "{slug}");
        }
        for slug in ["", "-a", "a-", "Acme", "a_b", "a b", "ä", &"a".repeat(64)] {
            assert!(!is_slug(slug), "{slug}");
        }
    }

    #[test]
    fn each_bad_role_is_pointed_at() {
        let pointers = |roles: &[&str]| -> Vec<String> {
            let roles: Vec<_> = roles.iter().map(|text| (*text).to_owned()).collect();
            check_roles(&roles)
                .into_iter()
                .map(|error| error.pointer)
                .collect()
        };
        assert_eq!(pointers(&[]), ["/roles"]);
        assert_eq!(pointers(&["a"; ROLES_PER_MEMBER + 1]), ["/roles"]);
        assert_eq!(pointers(&["admin", "", "A"]), ["/roles/1", "/roles/2"]);
    }

    /// I8.
    #[test]
    fn an_organization_with_members_has_an_owner() {
        assert!(check_owners(false, false));
        assert!(check_owners(true, true));
        assert!(!check_owners(false, true));
    }
}
