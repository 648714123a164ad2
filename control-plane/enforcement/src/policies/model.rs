//! Bundles and their activations: what is active, where a roll-back leads, when to build anew.

use plinto_contract::{
    bundle::ROLES_FILE,
    ids::{ActivationId, BundleId},
    time::UnixMillis,
};

/// 64 hexadecimal characters: SHA-256.
const DIGEST_CHARS: usize = 64;
/// The data path that the control plane fills.
const ROLES_ROOT: &str = "plinto/roles";

/// A published bundle, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bundle {
    /// Names the bundle for ever.
    pub id: BundleId,
    /// SHA-256 of its content; the name people and programs use.
    pub revision: String,
    /// SHA-256 of the archive.
    pub digest: String,
    /// Size of the archive.
    pub size_bytes: i64,
    /// Files in it, without the manifest.
    pub file_count: i64,
    /// The rule that decides: `app/authz/decision`.
    pub entrypoint: String,
    /// How many of its own tests it passed; none failed.
    pub tests_passed: i64,
    /// The engine that compiled it and ran its tests, with its version.
    pub checked_by: String,
    /// Who published it: a user's or key's id, or `system`.
    pub published_by: String,
    /// When it was published first; publishing it again changes nothing.
    pub created_at: UnixMillis,
    /// Whether it is what the edge enforces.
    pub is_active: bool,
}

/// Why an activation was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Somebody activated the revision.
    Activated,
    /// Somebody went back to it.
    RolledBack,
    /// The roles it carries had changed.
    RolesChanged,
    /// The key that had signed it is not the tenant's current one any more.
    KeyRotated,
    /// It would have expired.
    Renewed,
}

impl Reason {
    const ALL: [Self; 5] = [
        Self::Activated,
        Self::RolledBack,
        Self::RolesChanged,
        Self::KeyRotated,
        Self::Renewed,
    ];

    /// Whether somebody chose the revision, rather than what is in force being brought up to date.
    pub(crate) const fn is_choice(self) -> bool {
        matches!(self, Self::Activated | Self::RolledBack)
    }

    /// The name on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Activated => "activated",
            Self::RolledBack => "rolled_back",
            Self::RolesChanged => "roles_changed",
            Self::KeyRotated => "key_rotated",
            Self::Renewed => "renewed",
        }
    }

    /// The reason of this name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// One step in what the edge enforces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Activation {
    /// Names the activation.
    pub id: ActivationId,
    /// Rises by one with every activation of the tenant; the highest is active.
    pub sequence: i64,
    /// The digest that names the bundle.
    pub revision: String,
    /// Where a roll-back from here leads.
    pub previous_revision: Option<String>,
    /// Why it was made.
    pub reason: Reason,
    /// SHA-256 of the signed artifact.
    pub digest: String,
    /// Size of the signed artifact.
    pub size_bytes: i64,
    /// The version of the tenant's roles that it carries.
    pub roles_version: i64,
    /// The bundle key that signed it.
    pub signed_by_kid: String,
    /// Who made it: a user's or key's id, or `system`.
    pub activated_by: String,
    /// When it was signed.
    pub created_at: UnixMillis,
    /// From when on the edge refuses it.
    pub expires_at: UnixMillis,
}

impl Activation {
    /// Whether the artifact must be built anew, and why.
    /// `roles_version`, `kid`: what a new one would have. `renew_before_s`: how long before its
    /// expiry an artifact is replaced.
    pub(crate) fn is_outdated(
        &self,
        roles_version: i64,
        kid: &str,
        now: UnixMillis,
        renew_before_s: i64,
    ) -> Option<Reason> {
        if self.roles_version != roles_version {
            Some(Reason::RolesChanged)
        } else if self.signed_by_kid != kid {
            Some(Reason::KeyRotated)
        } else if self.expires_at <= now.plus_seconds(renew_before_s) {
            Some(Reason::Renewed)
        } else {
            None
        }
    }
}

/// What shall become active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// The digest that names the bundle.
    pub revision: String,
    /// Where a roll-back from there leads.
    pub previous_revision: Option<String>,
    /// What the activation will say it was made for.
    pub reason: Reason,
}

impl Step {
    /// Activates a revision. Activating what is active keeps the way back.
    pub(crate) fn activate(active: Option<&Activation>, revision: &str) -> Self {
        let previous_revision = active.and_then(|active| {
            if active.revision == revision {
                active.previous_revision.clone()
            } else {
                Some(active.revision.clone())
            }
        });
        Self {
            revision: revision.to_owned(),
            previous_revision,
            reason: Reason::Activated,
        }
    }

    /// Goes back to what was active before. `earlier`: the latest activation of that revision,
    /// which knows what lies before it: two roll-backs go two steps back, not there and back.
    pub(crate) fn roll_back(earlier: &Activation) -> Self {
        Self {
            revision: earlier.revision.clone(),
            previous_revision: earlier.previous_revision.clone(),
            reason: Reason::RolledBack,
        }
    }

    /// Builds the active artifact anew.
    pub(crate) fn rebuild(active: &Activation, reason: Reason) -> Self {
        Self {
            revision: active.revision.clone(),
            previous_revision: active.previous_revision.clone(),
            reason,
        }
    }
}

/// What is active, and whether it is all it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    /// The active artifact; `None` before the first activation.
    pub active: Option<Activation>,
    /// Why it will be built anew shortly; `None`: it is up to date.
    pub outdated: Option<Reason>,
    /// The version of the tenant's roles.
    pub roles_version: i64,
}

/// Whether a text can be a revision or a digest.
pub(crate) fn is_digest(text: &str) -> bool {
    text.len() == DIGEST_CHARS
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Adds the root of the roles' data unless a root covers it, so that stock OPA takes the bundle.
pub(crate) fn add_roles_root(roots: &mut Vec<String>) {
    let is_covered = roots.iter().any(|root| {
        root.is_empty() || {
            ROLES_FILE
                .strip_prefix(root.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        }
    });
    if !is_covered {
        roots.push(ROLES_ROOT.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activation(sequence: i64, revision: &str, previous: Option<&str>) -> Activation {
        Activation {
            id: ActivationId::from_parts(0, [0; 10]),
            sequence,
            revision: revision.to_owned(),
            previous_revision: previous.map(str::to_owned),
            reason: Reason::Activated,
            digest: String::new(),
            size_bytes: 0,
            roles_version: 1,
            signed_by_kid: "kid".to_owned(),
            activated_by: "system".to_owned(),
            created_at: UnixMillis(0),
            expires_at: UnixMillis(100_000),
        }
    }

    #[test]
    fn reasons_read_back() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(Reason::parse("because"), None);
    }

    #[test]
    fn an_artifact_is_outdated_by_roles_then_key_then_age() {
        let active = activation(1, "a", None);
        let at = |roles, kid, now| active.is_outdated(roles, kid, UnixMillis(now), 10);
        assert_eq!(at(1, "kid", 0), None);
        assert_eq!(at(2, "other", 0), Some(Reason::RolesChanged));
        assert_eq!(at(1, "other", 0), Some(Reason::KeyRotated));
        assert_eq!(at(1, "kid", 89_999), None);
        assert_eq!(at(1, "kid", 90_000), Some(Reason::Renewed));
    }

    #[test]
    fn two_roll_backs_go_two_steps_back() {
        let a = activation(1, "a", None);
        let b = activation(
            2,
            "b",
            Step::activate(Some(&a), "b").previous_revision.as_deref(),
        );
        let c = activation(
            3,
            "c",
            Step::activate(Some(&b), "c").previous_revision.as_deref(),
        );
        assert_eq!(c.previous_revision.as_deref(), Some("b"));
        let back = Step::roll_back(&b);
        assert_eq!(
            (back.revision.as_str(), back.previous_revision.as_deref()),
            ("b", Some("a"))
        );
        let further = Step::roll_back(&a);
        assert_eq!(
            (further.revision.as_str(), further.previous_revision),
            ("a", None)
        );
    }

    #[test]
    fn activating_what_is_active_keeps_the_way_back() {
        let b = activation(2, "b", Some("a"));
        assert_eq!(
            Step::activate(Some(&b), "b").previous_revision.as_deref(),
            Some("a")
        );
        assert_eq!(
            Step::rebuild(&b, Reason::Renewed)
                .previous_revision
                .as_deref(),
            Some("a")
        );
    }

    #[test]
    fn the_roles_root_is_added_only_where_it_is_missing() {
        let with = |roots: &[&str]| {
            let mut roots: Vec<_> = roots.iter().map(|text| (*text).to_owned()).collect();
            add_roles_root(&mut roots);
            roots
        };
        assert_eq!(with(&["app", "plinto"]), ["app", "plinto"]);
        assert_eq!(with(&["app", "plinto/roles"]), ["app", "plinto/roles"]);
        assert_eq!(
            with(&["app", "plinto/routes"]),
            ["app", "plinto/routes", "plinto/roles"]
        );
        assert_eq!(with(&["app", "plint"]), ["app", "plint", "plinto/roles"]);
    }

    #[test]
    fn a_digest_is_sixty_four_lower_case_hexadecimal_characters() {
        assert!(is_digest(&"0a".repeat(32)));
        for wrong in ["", "abc", &"A".repeat(64), &"g".repeat(64), &"a".repeat(65)] {
            assert!(!is_digest(wrong), "{wrong}");
        }
    }
}
