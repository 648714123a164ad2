//! What `regex.replace` puts in place of a match: `$1`, `${name}`, `$$`.
//! Source: Go, `Regexp.Expand`.

use super::{matches::group, program::Program, tables};

/// A part of a replacement.
pub(super) enum Part<'r> {
    Text(&'r str),
    /// Of these groups, which have the same name, the first that took part in the match.
    Groups(Vec<usize>),
}

impl<'r> Part<'r> {
    /// What it comes to for a match.
    pub(super) fn text<'t>(&'t self, text: &'t str, slots: &[usize]) -> &'t str
    where
        'r: 't,
    {
        match self {
            Self::Text(text) => text,
            Self::Groups(groups) => {
                let found = groups.iter().find_map(|index| group(slots, *index));
                found
                    .and_then(|(start, end)| text.get(start..end))
                    .unwrap_or_default()
            }
        }
    }
}

/// The parts of a replacement. A `$` that names nothing stands for itself.
pub(super) fn parse<'r>(replacement: &'r str, program: &Program) -> Vec<Part<'r>> {
    let mut parts = Vec::new();
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('$') {
        parts.push(Part::Text(before));
        if let Some(after) = after.strip_prefix('$') {
            parts.push(Part::Text("$"));
            rest = after;
        } else if let Some((name, after)) = name(after) {
            parts.push(Part::Groups(groups(name, program)));
            rest = after;
        } else {
            parts.push(Part::Text("$"));
            rest = after;
        }
    }
    parts.push(Part::Text(rest));
    parts
}

/// A name, and what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    let (inner, is_braced) = match text.strip_prefix('{') {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let is_name = |character: char| character == '_' || tables::is_letter_or_digit(character);
    let end = inner
        .find(|character| !is_name(character))
        .unwrap_or(inner.len());
    let (name, after) = inner
        .split_at_checked(end)
        .filter(|(name, _)| !name.is_empty())?;
    if is_braced {
        return Some((name, after.strip_prefix('}')?));
    }
    Some((name, after))
}

fn groups(name: &str, program: &Program) -> Vec<usize> {
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && (name == "0" || !name.starts_with('0')) && name.len() <= 8 {
        return name.parse().into_iter().collect();
    }
    let groups = program.names.iter().enumerate();
    let groups = groups.filter(|(_, found)| found.as_deref() == Some(name));
    groups.map(|(index, _)| index).collect()
}
