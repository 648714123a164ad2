//! Places in a log, and which of its events are wanted.

use std::{fmt, str::FromStr, time::Duration};

use plinto_contract::{
    events::EventKind, ids::TenantId, problem::FieldError, text::number, time::UnixMillis,
};

/// 30 s: how long a request may wait for an event.
pub const WAIT_MAX: Duration = Duration::from_secs(30);
/// 100: named cursors of a tenant.
pub(super) const CURSORS_MAX: i64 = 100;
/// 64 characters in the name of a cursor.
pub(super) const CURSOR_NAME_MAX: usize = 64;

/// A place in a tenant's log: behind the event of this number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    pub(super) tenant: TenantId,
    /// Which of the histories that the database has had.
    pub(super) epoch: String,
    /// 0: the beginning.
    pub(super) seq: i64,
}

/// Where to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum After {
    Beginning,
    /// Only what happens from now on.
    Latest,
    Position(Position),
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenant, epoch, seq } = self;
        write!(formatter, "{tenant}.{epoch}.{seq}")
    }
}

/// The text is no position.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoPosition;

impl FromStr for Position {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        let mut parts = text.split('.');
        let (Some(tenant), Some(epoch), Some(seq), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NoPosition);
        };
        let is_epoch = !epoch.is_empty() && epoch.bytes().all(|byte| byte.is_ascii_hexdigit());
        Ok(Self {
            tenant: tenant.parse().map_err(|_| NoPosition)?,
            epoch: is_epoch.then(|| epoch.to_owned()).ok_or(NoPosition)?,
            seq: number(seq)
                .filter(|seq: &i64| *seq >= 0)
                .ok_or(NoPosition)?,
        })
    }
}

impl FromStr for After {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        text.parse().map(Self::Position).map_err(|NoPosition| {
            let detail = "expected `latest` or the `position` of an answer";
            FieldError::new("?after", "invalid_value", detail)
        })
    }
}

/// The kinds of events that are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kinds {
    All,
    Only(Vec<EventKind>),
}

impl FromStr for Kinds {
    type Err = FieldError;

    /// Reads names with commas between them; one that ends in `.*` stands for all that begin so.
    fn from_str(text: &str) -> Result<Self, FieldError> {
        let mut wanted = Vec::new();
        for name in text.split(',') {
            let before = wanted.len();
            let is_meant = |kind: &EventKind| match name.strip_suffix('*') {
                None => kind.as_str() == name,
                Some("") => true,
                Some(start) => start.ends_with('.') && kind.as_str().starts_with(start),
            };
            wanted.extend(EventKind::ALL.iter().copied().filter(is_meant));
            if wanted.len() == before {
                let detail = "no event has such a type; write some like `session.created` or \
                    `session.*`, with commas between them";
                return Err(FieldError::new("?type", "unknown_type", detail));
            }
        }
        wanted.sort_by_key(|kind| kind.as_str());
        wanted.dedup();
        Ok(if wanted.len() == EventKind::ALL.len() {
            Self::All
        } else {
            Self::Only(wanted)
        })
    }
}

/// A place that is kept for a reader under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(super) name: String,
    pub(super) position: Position,
    pub(super) updated_at: UnixMillis,
}

/// Whether a cursor may be called so: letters, digits, `-`, `_` and, behind them, `.`, which leads elsewhere in a
/// path.
pub(super) fn is_cursor_name(text: &str) -> bool {
    (1..=CURSOR_NAME_MAX).contains(&text.len())
        && !text.starts_with('.')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "tenant_01jd0000000000000000000000";

    #[test]
    fn positions_read_back_and_nothing_else_is_one() {
        let text = format!("{TENANT}.0a1f.42");
        let position: Position = text.parse().unwrap();
        assert_eq!((position.epoch.as_str(), position.seq), ("0a1f", 42));
        assert_eq!(position.to_string(), text);
        for text in [
            String::new(),
            "42".to_owned(),
            format!("{TENANT}.0a1f"),
            format!("{TENANT}.0a1f.-1"),
            format!("{TENANT}.0a1f.+1"),
            format!("{TENANT}.0a1f.1.2"),
            format!("{TENANT}..1"),
            format!("{TENANT}.x y.1"),
            format!("{TENANT}.0a1f.99999999999999999999"),
            "user_01jd0000000000000000000000.0a1f.1".to_owned(),
        ] {
            assert_eq!(text.parse::<Position>(), Err(NoPosition), "{text}");
        }
    }

    #[test]
    fn types_are_named_one_by_one_or_by_their_beginning() {
        let names = |text: &str| match text.parse() {
            Ok(Kinds::Only(kinds)) => kinds.iter().map(|kind| kind.as_str()).collect(),
            other => vec![match other {
                Ok(_) => "all",
                Err(_) => "refused",
            }],
        };
        assert_eq!(names("user.created"), ["user.created"]);
        assert_eq!(
            names("session.*,user.created,session.created"),
            [
                "session.created",
                "session.refreshed",
                "session.revoked",
                "user.created"
            ]
        );
        assert_eq!(names("*"), ["all"]);
        for text in [
            "",
            "user",
            "user*",
            "user.",
            "User.created",
            "user.created,",
            "*.created",
        ] {
            assert_eq!(names(text), ["refused"], "{text}");
        }
    }
}
