//! Reads what stands for characters in regular expressions: escapes, classes and counts.

use super::{
    class::{Class, LAST},
    syntax::{Flags, PatternError},
    tables,
};
use crate::builtins::tally::Tally;

/// The ASCII classes of Perl.
const DIGITS: &[(u32, u32)] = &[(48, 57)];
const SPACES: &[(u32, u32)] = &[(9, 10), (12, 13), (32, 32)];
const WORD: &[(u32, u32)] = &[(48, 57), (65, 90), (95, 95), (97, 122)];

/// The ASCII classes of POSIX: `[:alpha:]`.
const POSIX: &[(&str, &[(u32, u32)])] = &[
    ("alnum", &[(48, 57), (65, 90), (97, 122)]),
    ("alpha", &[(65, 90), (97, 122)]),
    ("ascii", &[(0, 127)]),
    ("blank", &[(9, 9), (32, 32)]),
    ("cntrl", &[(0, 31), (127, 127)]),
    ("digit", DIGITS),
    ("graph", &[(33, 126)]),
    ("lower", &[(97, 122)]),
    ("print", &[(32, 126)]),
    ("punct", &[(33, 47), (58, 64), (91, 96), (123, 126)]),
    ("space", &[(9, 13), (32, 32)]),
    ("upper", &[(65, 90)]),
    ("word", WORD),
    ("xdigit", &[(48, 57), (65, 70), (97, 102)]),
];

const RANGE: PatternError = PatternError::Syntax("invalid character class range");
const ESCAPE: PatternError = PatternError::Syntax("invalid escape sequence");

fn next(rest: &mut &str) -> Option<char> {
    let mut characters = rest.chars();
    let character = characters.next();
    *rest = characters.as_str();
    character
}

fn made(
    ranges: &[(u32, u32)],
    is_negated: bool,
    flags: Flags,
    tally: &mut Tally<'_>,
) -> Result<Class, PatternError> {
    let mut class = Class::of(ranges);
    if flags.folds {
        fold(&mut class, tally)?;
    }
    if is_negated {
        class.negate();
    }
    tally.add(class.len().saturating_mul(2))?;
    Ok(class)
}

/// Adds the other cases, which takes time in large ranges.
fn fold(class: &mut Class, tally: &mut Tally<'_>) -> Result<(), PatternError> {
    tally.add(class.len().saturating_mul(64))?;
    class.fold();
    tally.add(class.len().saturating_mul(8))?;
    Ok(())
}

/// A class with a name: `\d`, `\pL`, `\p{Greek}`. `None`: none stands here.
pub(super) fn named(
    rest: &mut &str,
    flags: Flags,
    tally: &mut Tally<'_>,
) -> Result<Option<Class>, PatternError> {
    let Some(after) = rest.strip_prefix('\\') else {
        return Ok(None);
    };
    let mut after = after;
    let Some(letter) = next(&mut after) else {
        return Ok(None);
    };
    let ranges = match letter.to_ascii_lowercase() {
        'd' => DIGITS,
        's' => SPACES,
        'w' => WORD,
        'p' => {
            *rest = after;
            return unicode(rest, letter == 'P', flags, tally).map(Some);
        }
        _ => return Ok(None),
    };
    *rest = after;
    made(ranges, letter.is_ascii_uppercase(), flags, tally).map(Some)
}

/// After `\p`.
fn unicode(
    rest: &mut &str,
    is_negated: bool,
    flags: Flags,
    tally: &mut Tally<'_>,
) -> Result<Class, PatternError> {
    let (name, after) = if let Some(braced) = rest.strip_prefix('{') {
        braced.split_once('}').ok_or(RANGE)?
    } else {
        let length = rest.chars().next().map_or(0, char::len_utf8);
        rest.split_at_checked(length).unwrap_or_default()
    };
    *rest = after;
    let (name, is_negated) = match name.strip_prefix('^') {
        Some(name) => (name, !is_negated),
        None => (name, is_negated),
    };
    // The tables are gone through for it.
    tally.add(640)?;
    let mut class = tables::class(name, flags.folds).ok_or(RANGE)?;
    tally.add(class.len().saturating_mul(4))?;
    if is_negated {
        class.negate();
    }
    Ok(class)
}

/// One character, written with a backslash. It may be beyond Unicode's.
pub(super) fn character(rest: &mut &str) -> Result<u32, PatternError> {
    let mut after = rest.strip_prefix('\\').unwrap_or(rest);
    let trailing = PatternError::Syntax("trailing backslash at end of expression");
    let escaped = next(&mut after).ok_or(trailing)?;
    let is_octal = |text: &str| text.starts_with(|digit: char| digit.is_digit(8));
    let character = match escaped {
        '1'..='7' if !is_octal(after) => return Err(ESCAPE),
        '0'..='7' => octal(escaped, &mut after),
        'x' => hexadecimal(&mut after)?,
        'a' => 7,
        'f' => 12,
        'n' => 10,
        'r' => 13,
        't' => 9,
        'v' => 11,
        other if other.is_ascii() && !other.is_ascii_alphanumeric() => u32::from(other),
        _ => return Err(ESCAPE),
    };
    *rest = after;
    Ok(character)
}

fn octal(first: char, rest: &mut &str) -> u32 {
    let mut number = first.to_digit(8).unwrap_or(0);
    for _ in 0..2 {
        let Some(digit) = rest.chars().next().and_then(|digit| digit.to_digit(8)) else {
            break;
        };
        number = number.saturating_mul(8).saturating_add(digit);
        next(rest);
    }
    number
}

/// After `\x`: two digits, or any in braces.
fn hexadecimal(rest: &mut &str) -> Result<u32, PatternError> {
    let digit = |character: Option<char>| {
        let digit = character.and_then(|character| character.to_digit(16));
        digit.ok_or(ESCAPE)
    };
    let Some(braced) = rest.strip_prefix('{') else {
        let high = digit(next(rest))?;
        let low = digit(next(rest))?;
        return Ok(high.saturating_mul(16).saturating_add(low));
    };
    let (digits, after) = braced.split_once('}').ok_or(ESCAPE)?;
    if digits.is_empty() {
        return Err(ESCAPE);
    }
    let mut number = 0_u32;
    for character in digits.chars() {
        number = number
            .saturating_mul(16)
            .saturating_add(digit(Some(character))?);
        if number > LAST {
            return Err(ESCAPE);
        }
    }
    *rest = after;
    Ok(number)
}

/// From `[` to `]`.
pub(super) fn class(
    rest: &mut &str,
    flags: Flags,
    tally: &mut Tally<'_>,
) -> Result<Class, PatternError> {
    let missing = PatternError::Syntax("missing closing ]");
    let mut after = rest.strip_prefix('[').unwrap_or(rest);
    let is_negated = after.starts_with('^');
    after = after.strip_prefix('^').unwrap_or(after);
    let mut class = Class::default();
    let mut is_first = true;
    while is_first || !after.starts_with(']') {
        is_first = false;
        tally.add(16)?;
        if let Some(named) = posix(&mut after, flags, tally)? {
            class.add_all(&named);
            continue;
        }
        if let Some(named) = named(&mut after, flags, tally)? {
            class.add_all(&named);
            continue;
        }
        let first = member(&mut after).transpose()?.ok_or(missing)?;
        let mut last = first;
        let range = after.strip_prefix('-').filter(|after| !after.is_empty());
        if let Some(range) = range.filter(|after| !after.starts_with(']')) {
            after = range;
            last = member(&mut after).transpose()?.ok_or(missing)?;
        }
        if last < first {
            return Err(RANGE);
        }
        let mut range = Class::of(&[(first, last)]);
        if flags.folds {
            fold(&mut range, tally)?;
        }
        class.add_all(&range);
    }
    *rest = after.strip_prefix(']').ok_or(missing)?;
    tally.add(class.len().saturating_mul(8))?;
    class.tidy();
    if is_negated {
        class.negate();
    }
    Ok(class)
}

/// A character of a class. `None`: the pattern ends.
fn member(rest: &mut &str) -> Option<Result<u32, PatternError>> {
    if rest.starts_with('\\') {
        return Some(character(rest));
    }
    next(rest).map(|character| Ok(u32::from(character)))
}

fn posix(
    rest: &mut &str,
    flags: Flags,
    tally: &mut Tally<'_>,
) -> Result<Option<Class>, PatternError> {
    let Some(inner) = rest.strip_prefix("[:") else {
        return Ok(None);
    };
    let named = inner.split_once(":]");
    let searched = named.map_or(inner.len(), |(name, _)| name.len());
    tally.add(u64::try_from(searched).unwrap_or(u64::MAX))?;
    let Some((name, after)) = named else {
        return Ok(None);
    };
    let (name, is_negated) = match name.strip_prefix('^') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let (_, ranges) = POSIX
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or(RANGE)?;
    *rest = after;
    made(ranges, is_negated, flags, tally).map(Some)
}

/// How often: from, to, and what follows.
type Count<'p> = (u32, Option<u32>, &'p str);

/// `{2}`, `{2,}` or `{2,3}`. `None`: the brace stands for itself.
/// Errors: it may not be repeated so often.
pub(super) fn count(text: &str) -> Result<Option<Count<'_>>, PatternError> {
    let Some((least, most, rest)) = numbers(text) else {
        return Ok(None);
    };
    let is_too_often = |count: u32| count > 1_000;
    if is_too_often(least) || most.is_some_and(|most| is_too_often(most) || most < least) {
        return Err(PatternError::Syntax("invalid repeat count"));
    }
    Ok(Some((least, most, rest)))
}

fn numbers(text: &str) -> Option<Count<'_>> {
    let inner = text.strip_prefix('{')?;
    let end = inner.find(|character: char| !character.is_ascii_digit() && character != ',')?;
    let (counts, rest) = inner.split_at_checked(end)?;
    let rest = rest.strip_prefix('}')?;
    let number = |digits: &str| {
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let has_zero = digits.len() > 1 && digits.starts_with('0');
        (is_number && !has_zero).then(|| digits.parse().unwrap_or(u32::MAX))
    };
    let (least, most) = match counts.split_once(',') {
        None => {
            let times = number(counts)?;
            (times, Some(times))
        }
        Some((least, "")) => (number(least)?, None),
        Some((least, most)) => (number(least)?, Some(number(most)?)),
    };
    Some((least, most, rest))
}
