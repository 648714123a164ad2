//! `format`, as the reference checks it: only on texts, and only what it knows.

use std::net::IpAddr;

use crate::builtins::{CallError, Context, uri::Uri};

const HOSTNAME: &str = r"^([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]{0,61}[a-zA-Z0-9])(\.([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]{0,61}[a-zA-Z0-9]))*$";
const UUID: &str = "(?i)^[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}$";
const URI_TEMPLATE: &str = "^([^{]*({[^}]*})?)*$";
const POINTER: &str = "^(?:/(?:[^~/]|~0|~1)*)*$";
const RELATIVE_POINTER: &str = "^(?:0|[1-9][0-9]*)(?:#|(?:/(?:[^~/]|~0|~1)*)*)$";

/// Whether a text has a format. An unknown one holds always.
pub(super) fn holds(context: &Context<'_>, format: &str, text: &str) -> Result<bool, CallError> {
    context
        .budget
        .pay_bytes(text.len().saturating_mul(8).saturating_add(64))?;
    let matches = |pattern: &str| -> Result<bool, CallError> {
        let program = context.patterns.regex(pattern, context.budget)?;
        program.matches(context, text)
    };
    Ok(match format {
        "date" => is_date(text),
        "time" => is_time(text),
        "date-time" => is_date(text) || is_time(text) || is_date_time(text),
        "hostname" => text.len() < 256 && matches(HOSTNAME)?,
        "email" | "idn-email" => is_email(text),
        "ipv4" => text.contains('.') && text.parse::<IpAddr>().is_ok(),
        "ipv6" => text.contains(':') && text.parse::<IpAddr>().is_ok(),
        "uri" | "iri" => {
            Uri::parse(text).is_some_and(|uri| !uri.scheme.is_empty()) && !text.contains('\\')
        }
        "uri-reference" | "iri-reference" => Uri::parse(text).is_some() && !text.contains('\\'),
        "uri-template" => {
            let path = Uri::parse(text).filter(|_| !text.contains('\\'));
            match path {
                Some(uri) => {
                    let program = context.patterns.regex(URI_TEMPLATE, context.budget)?;
                    program.matches(context, &uri.path)?
                }
                None => false,
            }
        }
        "uuid" => matches(UUID)?,
        "regex" => match context
            .patterns
            .regex(text, context.budget)
            .map_err(CallError::from)
        {
            Ok(_) => true,
            Err(CallError::Exhausted(exhausted)) => return Err(exhausted.into()),
            Err(_) => false,
        },
        "json-pointer" => matches(POINTER)?,
        "relative-json-pointer" => matches(RELATIVE_POINTER)?,
        _ => true,
    })
}

fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let is_number = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let year = parts.next().and_then(|year| number(year, 4..=4));
    let month = parts.next().and_then(|month| number(month, 2..=2));
    let day = parts.next().and_then(|day| number(day, 2..=2));
    let (Some(year), Some(month), Some(day), None) = (year, month, day, parts.next()) else {
        return false;
    };
    let divides = |by: u32| year.checked_rem(by) == Some(0);
    let days = match month {
        2 if divides(4) && !divides(100) || month == 2 && divides(400) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// With a zone or without one.
fn is_time(text: &str) -> bool {
    let zone = text.find(['Z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at_checked(zone).unwrap_or_default();
    is_clock(clock) && (zone.is_empty() || is_zone(zone))
}

fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else {
        return false;
    };
    let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at_checked(zone).unwrap_or_default();
    is_date(date) && is_clock(clock) && is_zone(zone)
}

fn is_clock(text: &str) -> bool {
    let (text, fraction) = match text.find(['.', ',']) {
        Some(place) => {
            let (text, fraction) = text.split_at_checked(place).unwrap_or_default();
            (text, fraction.get(1..))
        }
        None => (text, None),
    };
    let mut parts = text.split(':');
    let hour = parts.next().and_then(|hour| number(hour, 1..=2));
    let minute = parts.next().and_then(|minute| number(minute, 2..=2));
    let second = parts.next().and_then(|second| number(second, 2..=2));
    let is_fraction = fraction.is_none_or(|fraction| {
        !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit())
    });
    parts.next().is_none()
        && is_fraction
        && hour.is_some_and(|hour| hour < 24)
        && minute.is_some_and(|minute| minute < 60)
        && second.is_some_and(|second| second < 60)
}

fn is_zone(text: &str) -> bool {
    if text == "Z" {
        return true;
    }
    let Some((hours, minutes)) = text.get(1..).and_then(|zone| zone.split_once(':')) else {
        return false;
    };
    number(hours, 2..=2).is_some_and(|hours| hours <= 24)
        && number(minutes, 2..=2).is_some_and(|minutes| minutes < 60)
}

/// An address of RFC 5322, with a name before it or without one.
fn is_email(text: &str) -> bool {
    let text = text.trim_matches([' ', '\t']);
    let address = match text
        .strip_suffix('>')
        .and_then(|text| text.rsplit_once('<'))
    {
        Some((name, address)) => {
            if !is_name(name.trim_matches([' ', '\t'])) {
                return false;
            }
            address
        }
        None => text,
    };
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let is_literal = domain
        .strip_prefix('[')
        .and_then(|domain| domain.strip_suffix(']'))
        .is_some_and(|domain| domain.parse::<IpAddr>().is_ok());
    (is_quoted(local) || is_dot_atom(local)) && (is_literal || is_dot_atom(domain))
}

fn is_name(name: &str) -> bool {
    let is_word = |word: &str| {
        is_quoted(word) || word.split('.').all(|atom| is_atom(atom) || atom.is_empty())
    };
    is_quoted(name)
        || name
            .split([' ', '\t'])
            .all(|word| word.is_empty() || is_word(word))
}

fn is_quoted(text: &str) -> bool {
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let Some(inner) = inner.filter(|_| text.len() > 1) else {
        return false;
    };
    let mut is_escaped = false;
    for character in inner.chars() {
        if !is_escaped && (character == '"' || character.is_control() && character != '\t') {
            return false;
        }
        is_escaped = !is_escaped && character == '\\';
    }
    !is_escaped
}

fn is_dot_atom(text: &str) -> bool {
    text.split('.').all(is_atom)
}

fn is_atom(text: &str) -> bool {
    let is_character = |character: char| {
        character.is_ascii_alphanumeric()
            || !character.is_ascii()
            || "!#$%&'*+-/=?^_`{|}~".contains(character)
    };
    !text.is_empty() && text.chars().all(is_character)
}
