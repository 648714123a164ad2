//! What a misspelt name was probably meant to be.

use super::tree::{Kind, Rule};
use crate::builtins::declarations::names;

/// 2: letters that may be wrong.
const DISTANCE_MAX: usize = 2;
/// 64: bytes of a name that is compared.
const LENGTH_MAX: usize = 64;

/// The function whose name is most like this one, if any is like it.
pub(super) fn similar(name: &str, rules: &[Rule<'_>]) -> Option<String> {
    if name.len() > LENGTH_MAX {
        return None;
    }
    let functions = rules.iter().filter(|rule| !rule.parameters.is_empty());
    let functions = functions
        .take(1_000)
        .filter_map(|rule| match rule.path.last()?.kind {
            Kind::Text(name) => Some(name),
            _ => None,
        });
    let last = name.rsplit('.').next().unwrap_or(name);
    let found = names()
        .filter(|other| !other.starts_with("internal."))
        .map(|other| (distance(name, other), other))
        .chain(functions.map(|other| (distance(last, other), other)))
        .filter(|(distance, other)| {
            *distance <= DISTANCE_MAX && distance.saturating_mul(3) <= other.len()
        })
        .min_by_key(|(distance, _)| *distance);
    found.map(|(_, other)| other.to_owned())
}

/// How many letters differ, are missing or too many, or stand beside their place.
/// Source: optimal string alignment.
fn distance(left: &str, right: &str) -> usize {
    if left.len().abs_diff(right.len()) > DISTANCE_MAX {
        return usize::MAX;
    }
    let right: Vec<u8> = right.bytes().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    let mut previous = None;
    for (line, letter) in left.bytes().enumerate() {
        let mut next = vec![line.saturating_add(1)];
        for (column, other) in right.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX);
            let changed = at(&row, column).saturating_add(usize::from(letter != *other));
            let missing = at(&row, column.saturating_add(1)).saturating_add(1);
            let surplus = at(&next, column).saturating_add(1);
            let mut best = changed.min(missing).min(surplus);
            let earlier = column.checked_sub(1).and_then(|index| right.get(index));
            if previous == Some(*other) && earlier == Some(&letter) {
                let swapped = column.checked_sub(1).map(|index| at(&before, index));
                best = best.min(swapped.unwrap_or(usize::MAX).saturating_add(1));
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        previous = Some(letter);
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::{distance, similar};

    #[test]
    fn a_slip_of_the_finger_is_recognized() {
        assert_eq!(distance("cuont", "count"), 1);
        assert_eq!(distance("coun", "count"), 1);
        assert_eq!(distance("abc", "xyz"), 3);
        assert_eq!(
            similar("strings.cuont", &[]).as_deref(),
            Some("strings.count")
        );
        assert_eq!(similar("starts_with", &[]).as_deref(), Some("startswith"));
        assert_eq!(similar("allowed", &[]), None);
    }
}
