//! What a user is, and which e-mail addresses and names are acceptable.

mod email;

use plinto_contract::{
    ids::{TenantId, UserId},
    time::UnixMillis,
};
use plinto_platform::text::{self, PERSON_NAME_CHARS, TextProblem};

pub use email::{Email, EmailProblem};

/// A display name of 1 to 200 characters, without the white space that a form leaves at its ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Reads a name. Errors: see [`text::check_name`].
    pub fn parse(text: &str) -> Result<Self, TextProblem> {
        let text = text.trim();
        text::check_name(text, PERSON_NAME_CHARS).map(|()| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a user may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// May sign in.
    Active,
    /// May not; every session has ended.
    Disabled,
}

impl Status {
    /// The text in the table and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    /// Reads the text of the table.
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Active, Self::Disabled]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The tenant the person belongs to.
    pub tenant: TenantId,
    /// Names the person in tokens and policies (`sub`).
    pub id: UserId,
    /// As its owner writes it.
    pub email: String,
    /// Display name, if given.
    pub name: Option<String>,
    /// Whether the user may sign in.
    pub status: Status,
    /// The number a session must have begun under to be alive.
    pub session_epoch: i64,
    /// The number an access token must carry at least.
    pub token_epoch: i64,
    /// When the user was made.
    pub created_at: UnixMillis,
    /// When the row last changed.
    pub updated_at: UnixMillis,
    /// Since when the user is disabled.
    pub disabled_at: Option<UnixMillis>,
}

impl User {
    /// What decides over the user's sessions and access tokens.
    pub fn user_state(&self) -> UserState {
        UserState {
            status: self.status,
            session_epoch: self.session_epoch,
            token_epoch: self.token_epoch,
        }
    }
}

/// What decides over a user's sessions and access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserState {
    /// Whether the user may sign in.
    pub status: Status,
    /// The number a session must have begun under to be alive.
    pub session_epoch: i64,
    /// The number an access token must carry at least.
    pub token_epoch: i64,
}

impl UserState {
    /// Whether an access token with this epoch says what is still true.
    pub fn accepts_epoch(self, epoch: u64) -> bool {
        u64::try_from(self.token_epoch).is_ok_and(|least| epoch >= least)
    }

    /// Whether a session that began under `epoch` is still carried by its user.
    pub fn is_current_epoch(self, epoch: i64) -> bool {
        self.status == Status::Active && self.session_epoch == epoch
    }
}

/// A user whose earlier access tokens say too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outdated {
    /// Whose.
    pub user: UserId,
    /// The least token epoch that is still good.
    pub least: u64,
    /// Since when.
    pub at: UnixMillis,
    /// If all sessions of the user ended in the time that was asked about: the token epoch since, and
    /// when that was.
    pub ended: Option<(u64, UnixMillis)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_of_another_epoch_or_a_disabled_user_is_not_carried() {
        let user_state = UserState {
            status: Status::Active,
            session_epoch: 3,
            token_epoch: 0,
        };
        assert!(user_state.is_current_epoch(3));
        assert!(!user_state.is_current_epoch(2));
        let disabled = UserState {
            status: Status::Disabled,
            ..user_state
        };
        assert!(!disabled.is_current_epoch(3));
    }

    #[test]
    fn a_token_of_an_earlier_epoch_is_not_taken() {
        let user_state = UserState {
            status: Status::Active,
            session_epoch: 3,
            token_epoch: 2,
        };
        assert!(!user_state.accepts_epoch(1));
        assert!(user_state.accepts_epoch(2) && user_state.accepts_epoch(3));
    }
}
