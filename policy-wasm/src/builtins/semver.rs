//! `semver.*`. Source: Semantic Versioning 2.0.0; OPA, `internal/semver`.

use std::cmp::Ordering;

use super::{Builtin, CallError, Context, operand};
use crate::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("semver.compare", compare),
    Builtin::new("semver.is_valid", is_valid),
];

/// `major.minor.patch-release`, without what follows a `+`.
struct Version<'a> {
    numbers: [i64; 3],
    release: Option<&'a str>,
}

fn compare(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let (left, right) = (operand::text(arguments, 0)?, operand::text(arguments, 1)?);
    context
        .budget
        .pay_bytes(left.len().saturating_add(right.len()))?;
    let version = |place: u32, text: &str| {
        CallError::new(format_args!(
            "operand {place}: string {text} is not a valid SemVer"
        ))
    };
    let first = Version::parse(left).ok_or_else(|| version(1, left))?;
    let second = Version::parse(right).ok_or_else(|| version(2, right))?;
    let order = match first.compare(&second) {
        Ordering::Less => -1_i64,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    };
    Ok(Some(Value::from(order)))
}

fn is_valid(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let Some(text) = operand::any(arguments, 0)?.as_str() else {
        return Ok(Some(Value::Bool(false)));
    };
    context.budget.pay_bytes(text.len())?;
    Ok(Some(Value::Bool(Version::parse(text).is_some())))
}

impl<'a> Version<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, metadata) = cut(text, '+');
        let (text, release) = cut(text, '-');
        if !metadata.is_none_or(is_identifiers) || !release.is_none_or(is_release) {
            return None;
        }
        let mut numbers = text.split('.').map(number);
        let version = Self {
            numbers: [numbers.next()??, numbers.next()??, numbers.next()??],
            release,
        };
        numbers.next().is_none().then_some(version)
    }

    /// A version comes after its own releases before it.
    fn compare(&self, other: &Self) -> Ordering {
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| match (self.release, other.release) {
                (Some(left), Some(right)) => {
                    let identifiers = right.split('.').map(Identifier::of);
                    left.split('.').map(Identifier::of).cmp(identifiers)
                }
                (left, right) => right.is_some().cmp(&left.is_some()),
            })
    }
}

/// Numbers come before texts.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Identifier<'a> {
    /// The largest one of 64 bits if it is larger.
    Number(i64),
    Text(&'a str),
}

impl<'a> Identifier<'a> {
    fn of(text: &'a str) -> Self {
        if is_decimal(text) {
            Self::Number(text.parse().unwrap_or(i64::MAX))
        } else {
            Self::Text(text)
        }
    }
}

fn cut(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn number(text: &str) -> Option<i64> {
    let is_plain = is_decimal(text) && (text.len() == 1 || !text.starts_with('0'));
    if is_plain { text.parse().ok() } else { None }
}

fn is_decimal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_identifiers(text: &str) -> bool {
    let is_identifier = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.split('.').all(is_identifier)
}

/// Identifiers of which no number begins with 0.
fn is_release(text: &str) -> bool {
    let has_zero = |text: &str| text.len() > 1 && text.starts_with('0') && is_decimal(text);
    is_identifiers(text) && !text.split('.').any(has_zero)
}
