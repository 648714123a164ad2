//! Which events of a log are looked for.

use std::net::IpAddr;

use plinto_contract::{
    events::{Event, EventKind, EventResult},
    ids::OrganizationId,
    problem::FieldError,
    time::UnixMillis,
};

use crate::events::Kinds;

/// 200 characters of a text to look for.
const TEXT_CHARS: usize = 200;
/// 80 characters of an id.
const ID_CHARS: usize = 80;

/// What was asked for, as it was written.
#[derive(Debug, Default)]
pub(super) struct Asked<'a> {
    pub(super) actor: Option<&'a str>,
    pub(super) kinds: Option<&'a str>,
    pub(super) target: Option<&'a str>,
    pub(super) organization: Option<&'a str>,
    pub(super) ip: Option<&'a str>,
    pub(super) result: Option<&'a str>,
    pub(super) from: Option<&'a str>,
    pub(super) to: Option<&'a str>,
    pub(super) text: Option<&'a str>,
}

/// What an event has to be to be found. Each that is there has to hold.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// The user's or key's id; or `anonymous`, `system`.
    pub(super) actor: Option<String>,
    pub(super) kinds: Option<Vec<EventKind>>,
    pub(super) target: Option<String>,
    organization: Option<OrganizationId>,
    ip: Option<IpAddr>,
    result: Option<EventResult>,
    pub(super) from: Option<UnixMillis>,
    pub(super) to: Option<UnixMillis>,
    /// In lower case.
    text: Option<String>,
}

impl Filter {
    /// Errors: each value that makes no sense.
    pub(super) fn read(asked: &Asked<'_>) -> Result<Self, Vec<FieldError>> {
        let mut reader = Reader::default();
        let filter = Self {
            actor: reader.id("?actor", asked.actor),
            kinds: reader.kinds(asked.kinds),
            target: reader.id("?target", asked.target),
            organization: reader.value("?organization_id", asked.organization, |text| {
                text.parse().map_err(|error| format!("{error}"))
            }),
            ip: reader.value("?ip", asked.ip, |text| {
                let address: Result<IpAddr, _> = text.parse();
                let address = address.map(|address| address.to_canonical());
                address.map_err(|_| "expected an IP address".to_owned())
            }),
            result: reader.value("?result", asked.result, |text| {
                let mut results = EventResult::ALL.iter();
                let result = results.find(|result| result.as_str() == text).copied();
                result.ok_or_else(|| "`success`, `failure` or `denied`".to_owned())
            }),
            from: reader.moment("?from", asked.from),
            to: reader.moment("?to", asked.to),
            text: reader.text("?q", asked.text),
        };
        if let (Some(from), Some(to)) = (filter.from, filter.to)
            && from > to
        {
            reader.refuse("?to", "before_from", "lies before `from`");
        }
        if reader.errors.is_empty() {
            Ok(filter)
        } else {
            Err(reader.errors)
        }
    }

    /// Whether an event is one that is looked for.
    pub(super) fn finds(&self, event: &Event) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        let actor = if event.actor.id.is_empty() {
            &event.actor.kind
        } else {
            &event.actor.id
        };
        let is_kind = |kinds: &Vec<EventKind>| kinds.contains(&event.kind);
        is(&self.actor, actor)
            && is(&self.target, &event.target)
            && self.kinds.as_ref().is_none_or(is_kind)
            && self.result.is_none_or(|result| result == event.result)
            && self.from.is_none_or(|from| event.created_at >= from)
            && self.to.is_none_or(|to| event.created_at <= to)
            && self
                .organization
                .is_none_or(|wanted| event.organization_id == Some(wanted))
            && self.ip.is_none_or(|ip| came_from(event, ip))
            && self.text.as_ref().is_none_or(|text| says(event, text))
    }
}

fn came_from(event: &Event, wanted: IpAddr) -> bool {
    let ip = event.context.ip.as_deref();
    ip.and_then(|ip| ip.parse().ok()) == Some(wanted)
}

/// Whether the text, in lower case, stands in something that people look for.
fn says(event: &Event, text: &str) -> bool {
    let has = |found: &str| found.to_lowercase().contains(text);
    let context = &event.context;
    has(event.kind.as_str())
        || has(&event.target)
        || has(&event.actor.id)
        || context.ip.as_deref().is_some_and(has)
        || context.user_agent.as_deref().is_some_and(has)
        || event.request_id.is_some_and(|id| has(&id.to_string()))
        || event.organization_id.is_some_and(|id| has(&id.to_string()))
        || event.data.values().any(|value| match value {
            serde_json::Value::String(found) => has(found),
            other => has(&other.to_string()),
        })
}

/// Reads values and notes what is wrong with them.
#[derive(Default)]
struct Reader {
    errors: Vec<FieldError>,
}

impl Reader {
    fn refuse(&mut self, pointer: &str, code: &str, detail: impl Into<String>) {
        self.errors.push(FieldError::new(pointer, code, detail));
    }

    fn value<T>(
        &mut self,
        pointer: &str,
        text: Option<&str>,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match read(text?) {
            Ok(value) => Some(value),
            Err(detail) => {
                self.refuse(pointer, "invalid_value", detail);
                None
            }
        }
    }

    fn moment(&mut self, pointer: &str, text: Option<&str>) -> Option<UnixMillis> {
        self.value(pointer, text, |text| {
            text.parse().map_err(|error| format!("{error}"))
        })
    }

    fn id(&mut self, pointer: &str, text: Option<&str>) -> Option<String> {
        self.value(pointer, text, |text| {
            let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            let fits = (1..=ID_CHARS).contains(&text.len()) && text.bytes().all(is_id);
            fits.then(|| text.to_owned())
                .ok_or_else(|| "expected an id".to_owned())
        })
    }

    fn text(&mut self, pointer: &str, text: Option<&str>) -> Option<String> {
        self.value(pointer, text, |text| {
            let count = text.chars().count();
            if (1..=TEXT_CHARS).contains(&count) {
                Ok(text.to_lowercase())
            } else {
                Err(format!("expected 1 to {TEXT_CHARS} characters"))
            }
        })
    }

    fn kinds(&mut self, text: Option<&str>) -> Option<Vec<EventKind>> {
        match text?.parse() {
            Ok(Kinds::All) => None,
            Ok(Kinds::Only(kinds)) => Some(kinds),
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(asked: &Asked<'_>) -> Vec<String> {
        let errors = Filter::read(asked).err().unwrap_or_default();
        errors.into_iter().map(|error| error.pointer).collect()
    }

    #[test]
    fn each_value_that_makes_no_sense_is_named() {
        let asked = Asked {
            actor: Some("a b"),
            kinds: Some("nothing"),
            target: Some(""),
            organization: Some("user_1"),
            ip: Some("300.1.1.1"),
            result: Some("maybe"),
            from: Some("yesterday"),
            to: Some("2026-13-01T00:00:00Z"),
            text: Some(""),
        };
        assert_eq!(
            pointers(&asked),
            [
                "?actor",
                "?type",
                "?target",
                "?organization_id",
                "?ip",
                "?result",
                "?from",
                "?to",
                "?q"
            ]
        );
        let asked = Asked {
            from: Some("2026-01-02T00:00:00Z"),
            to: Some("2026-01-01T00:00:00Z"),
            ..Asked::default()
        };
        assert_eq!(pointers(&asked), ["?to"]);
        assert_eq!(pointers(&Asked::default()), Vec::<String>::new());
    }

    /// An address has several spellings.
    #[test]
    fn an_address_is_found_however_it_is_written() {
        let (kinds, _) = plinto_contract::events::catalogue();
        let example = plinto_contract::events::example(kinds.first().unwrap());
        let event: Event = serde_json::from_value(example).unwrap();
        let found = |ip| {
            let asked = Asked {
                ip: Some(ip),
                ..Asked::default()
            };
            Filter::read(&asked).unwrap().finds(&event)
        };
        assert!(found("203.0.113.7") && found("::ffff:203.0.113.7"));
        assert!(!found("203.0.113.70"));
    }
}
