//! What a user is, and which e-mail addresses and names are acceptable.

use plinto_contract::{
    ids::{TenantId, UserId},
    time::UnixMillis,
};
use unicode_normalization::UnicodeNormalization;

/// 254 bytes: the longest address that fits a mail command. Source: RFC 5321 §4.5.3.1.3.
const EMAIL_BYTES: usize = 254;
/// 64 bytes. Source: RFC 5321 §4.5.3.1.1.
const LOCAL_PART_BYTES: usize = 64;
/// 200 characters: longer than any name in use, short enough for a list.
const NAME_CHARS: usize = 200;

/// An e-mail address that can be written to, as given and as compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// NFC, otherwise as its owner writes it.
    pub written: String,
    /// Lower case throughout, the domain in ASCII: two spellings of one mailbox are equal.
    pub normalized: String,
}

/// Why a string is not an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailProblem {
    /// More than 254 bytes, or more than 64 before the `@`.
    #[error("at most 254 bytes, and at most 64 of them before the `@`")]
    TooLong,
    /// Not of the form `name@domain.example`.
    #[error("an address like `name@example.com` is wanted")]
    Malformed,
}

impl EmailProblem {
    /// A stable name for the field error.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Malformed => "email_invalid",
        }
    }
}

impl Email {
    /// Reads an address.
    /// Errors: see [`EmailProblem`]; quoted local parts and address literals are refused.
    /// Source: RFC 5321 §4.1.2, RFC 6531 §3.3, RFC 5891 for the domain.
    pub fn parse(text: &str) -> Result<Self, EmailProblem> {
        if text.len() > EMAIL_BYTES {
            return Err(EmailProblem::TooLong);
        }
        let written: String = text.nfc().collect();
        let (local, domain) = written.rsplit_once('@').ok_or(EmailProblem::Malformed)?;
        check_local_part(local)?;
        let domain = normal_domain(domain)?;
        let normalized = format!("{}@{domain}", local.to_lowercase());
        // Lower case and Punycode may be longer than what was written.
        if written.len() > EMAIL_BYTES || normalized.len() > EMAIL_BYTES {
            return Err(EmailProblem::TooLong);
        }
        Ok(Self {
            written,
            normalized,
        })
    }

    /// The pieces of the address that a password must not be made of.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.normalized
            .split(|character: char| !character.is_alphanumeric())
    }
}

fn check_local_part(local: &str) -> Result<(), EmailProblem> {
    if local.len() > LOCAL_PART_BYTES {
        return Err(EmailProblem::TooLong);
    }
    let dots_are_inside = !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
    if !local.is_empty() && dots_are_inside && local.chars().all(may_stand_in_local_part) {
        Ok(())
    } else {
        Err(EmailProblem::Malformed)
    }
}

fn may_stand_in_local_part(character: char) -> bool {
    if character.is_ascii() {
        character.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(character)
    } else {
        // Letters, marks and numbers of any script, but nothing that draws as nothing.
        character.is_alphanumeric()
    }
}

fn normal_domain(domain: &str) -> Result<String, EmailProblem> {
    let url::Host::Domain(domain) =
        url::Host::parse(domain).map_err(|_| EmailProblem::Malformed)?
    else {
        return Err(EmailProblem::Malformed);
    };
    let labels_are_sound = domain.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    });
    let has_a_top_level = domain
        .rsplit_once('.')
        .is_some_and(|(_, last)| last.bytes().any(|byte| byte.is_ascii_alphabetic()));
    if labels_are_sound && has_a_top_level {
        Ok(domain)
    } else {
        Err(EmailProblem::Malformed)
    }
}

/// A display name: NFC, trimmed, 1 to 200 characters, no control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Reads a name; `None` when it is empty, too long or holds control characters.
    pub fn parse(text: &str) -> Option<Self> {
        let name: String = text.trim().nfc().collect();
        let length = name.chars().count();
        ((1..=NAME_CHARS).contains(&length) && !name.chars().any(char::is_control))
            .then_some(Self(name))
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
    pub fn standing(&self) -> Standing {
        Standing {
            status: self.status,
            session_epoch: self.session_epoch,
            token_epoch: self.token_epoch,
        }
    }
}

/// What decides over a user's sessions and access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether the user may sign in.
    pub status: Status,
    /// The number a session must have begun under to be alive.
    pub session_epoch: i64,
    /// The number an access token must carry at least.
    pub token_epoch: i64,
}

impl Standing {
    /// Whether an access token with this epoch says what is still true.
    pub fn takes(self, epoch: u64) -> bool {
        u64::try_from(self.token_epoch).is_ok_and(|least| epoch >= least)
    }

    /// Whether a session that began under `epoch` is still carried by its user.
    pub fn carries(self, epoch: i64) -> bool {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mailbox_has_one_normal_form() {
        for (written, normalized) in [
            ("alice@example.com", "alice@example.com"),
            ("Alice.B@EXAMPLE.Com", "alice.b@example.com"),
            ("alice+tag@example.com", "alice+tag@example.com"),
            (
                "ali\u{0063}e@b\u{00fc}cher.example",
                "alice@xn--bcher-kva.example",
            ),
            (
                "alice@bu\u{0308}cher.example",
                "alice@xn--bcher-kva.example",
            ),
            ("J\u{00d6}RG@example.com", "j\u{00f6}rg@example.com"),
            ("jo\u{0308}rg@example.com", "j\u{00f6}rg@example.com"),
            ("o'neil@example.co.uk", "o'neil@example.co.uk"),
        ] {
            assert_eq!(
                Email::parse(written).unwrap().normalized,
                normalized,
                "{written}"
            );
        }
    }

    #[test]
    fn what_cannot_be_written_to_is_refused() {
        for text in [
            "",
            "@",
            "alice",
            "alice@",
            "@example.com",
            "alice@example",
            "a@b@example.com",
            "alice @example.com",
            " alice@example.com",
            "alice@exa mple.com",
            "alice@example.com ",
            ".alice@example.com",
            "alice.@example.com",
            "al..ice@example.com",
            "alice@-a.example",
            "alice@a-.example",
            "alice@.example",
            "alice@example..com",
            "alice@example.com.",
            "alice@127.0.0.1",
            "alice@[::1]",
            "alice@example.1",
            "\"al ice\"@example.com",
            "alice\n@example.com",
            "alice\u{200b}@example.com",
            "alice\0@example.com",
            "<alice@example.com>",
            "alice@exa_mple.com",
            "alice@example.com\r\nBcc: x",
        ] {
            assert_eq!(Email::parse(text), Err(EmailProblem::Malformed), "{text:?}");
        }
    }

    #[test]
    fn lengths_end_at_254_and_64_bytes() {
        let domain = format!(
            "{}.{}.{}.example",
            "d".repeat(63),
            "d".repeat(63),
            "d".repeat(53)
        );
        let longest = format!("{}@{domain}", "a".repeat(64));
        assert_eq!(longest.len(), 254);
        assert!(Email::parse(&longest).is_ok());
        assert_eq!(
            Email::parse(&format!("{longest}x")),
            Err(EmailProblem::TooLong)
        );
        let local = format!("{}@example.com", "a".repeat(65));
        assert_eq!(Email::parse(&local), Err(EmailProblem::TooLong));
    }

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(Name::parse("  Alice B. ").unwrap().as_str(), "Alice B.");
        for text in ["", "   ", "a\u{0000}b", "a\nb", &"x".repeat(201)] {
            assert_eq!(Name::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_session_of_another_epoch_or_a_disabled_user_is_not_carried() {
        let standing = Standing {
            status: Status::Active,
            session_epoch: 3,
            token_epoch: 0,
        };
        assert!(standing.carries(3));
        assert!(!standing.carries(2));
        let disabled = Standing {
            status: Status::Disabled,
            ..standing
        };
        assert!(!disabled.carries(3));
    }

    #[test]
    fn a_token_of_an_earlier_epoch_is_not_taken() {
        let standing = Standing {
            status: Status::Active,
            session_epoch: 3,
            token_epoch: 2,
        };
        assert!(!standing.takes(1));
        assert!(standing.takes(2) && standing.takes(3));
    }
}
