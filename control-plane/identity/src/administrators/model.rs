//! An administrator, and which roles they may have. Pure.

use std::collections::BTreeSet;

use plinto_contract::{
    ids::{TenantId, UserId},
    problem::FieldError,
    time::UnixMillis,
};

/// 16: roles of one administrator.
pub(super) const ROLES_MAX: usize = 16;
/// 1,000: administrators of a tenant.
pub(super) const ADMINISTRATORS_MAX: i64 = 1_000;

/// A person who may use the management API on the whole tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Administrator {
    /// The person.
    pub(super) user: UserId,
    /// The tenant whose user they are.
    pub(super) home: TenantId,
    /// Keys of their roles, at least one.
    pub(super) roles: BTreeSet<String>,
    /// Rises with every change of the roles.
    pub(super) version: i64,
    /// When they became one.
    pub(super) created_at: UnixMillis,
    /// When their roles last changed.
    pub(super) updated_at: UnixMillis,
}

/// Says what is wrong with a number of roles.
pub(super) fn check_roles(keys: &[String]) -> Vec<FieldError> {
    let (code, detail) = match keys.len() {
        0 => (
            "required",
            "an administrator has at least one role".to_owned(),
        ),
        1..=ROLES_MAX => return Vec::new(),
        _ => ("too_many", format!("at most {ROLES_MAX}")),
    };
    vec![FieldError::new("/roles", code, detail)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_administrator_has_one_to_sixteen_roles() {
        let of = |count| check_roles(&vec!["administrator".to_owned(); count]);
        assert_eq!(of(0)[0].code, "required");
        assert!(of(1).is_empty() && of(ROLES_MAX).is_empty());
        assert_eq!(of(ROLES_MAX + 1)[0].code, "too_many");
    }
}
