//! Sets of characters, as ranges.

use super::tables;

/// The last character.
pub(super) const LAST: u32 = 0x0010_ffff;

/// Ranges of characters, both ends in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Class {
    ranges: Vec<(u32, u32)>,
}

impl Class {
    /// Every character.
    pub(super) fn any() -> Self {
        Self::of(&[(0, LAST)])
    }

    pub(super) fn of(ranges: &[(u32, u32)]) -> Self {
        Self {
            ranges: ranges.to_vec(),
        }
    }

    pub(super) fn add(&mut self, first: u32, last: u32) {
        self.ranges.push((first, last));
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        self.ranges.extend(&other.ranges);
    }

    /// Ranges in it, which are as many as there is work with it.
    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.ranges.len()).unwrap_or(u64::MAX)
    }

    /// Puts the ranges in order, and those that touch together.
    pub(super) fn tidy(&mut self) {
        self.ranges.sort_unstable();
        let mut tidied: Vec<(u32, u32)> = Vec::with_capacity(self.ranges.len());
        for &(first, last) in &self.ranges {
            match tidied.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => tidied.push((first, last)),
            }
        }
        self.ranges = tidied;
    }

    /// Everything else.
    pub(super) fn negate(&mut self) {
        self.tidy();
        let mut next = 0;
        let mut others = Vec::with_capacity(self.ranges.len().saturating_add(1));
        for &(first, last) in &self.ranges {
            if let Some(before) = first.checked_sub(1).filter(|before| *before >= next) {
                others.push((next, before));
            }
            next = last.saturating_add(1);
        }
        if next <= LAST {
            others.push((next, LAST));
        }
        self.ranges = others;
    }

    /// Adds the other cases of the letters in it.
    pub(super) fn fold(&mut self) {
        self.tidy();
        let mut folded = Vec::new();
        for &(first, last) in &self.ranges {
            tables::fold_range(first, last, &mut folded);
        }
        let folded = folded.into_iter().map(|character| (character, character));
        self.ranges.extend(folded);
        self.tidy();
    }

    /// Whether a character is in both. They must be tidy.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let (mut left, mut right) = (
            self.ranges.iter().peekable(),
            other.ranges.iter().peekable(),
        );
        while let (Some((first, last)), Some((other_first, other_last))) =
            (left.peek(), right.peek())
        {
            if first <= other_last && other_first <= last {
                return true;
            }
            if last < other_last {
                left.next();
            } else {
                right.next();
            }
        }
        false
    }

    /// The only character in it.
    pub(super) fn single(&self) -> Option<char> {
        match self.ranges.as_slice() {
            [(first, last)] if first == last => char::from_u32(*first),
            _ => None,
        }
    }

    /// Whether a character is in it. It must be tidy.
    pub(super) fn contains(&self, character: char) -> bool {
        let character = u32::from(character);
        if let [(first, last)] = self.ranges.as_slice() {
            return (*first..=*last).contains(&character);
        }
        let after = self
            .ranges
            .partition_point(|(first, _)| *first <= character);
        let range = after
            .checked_sub(1)
            .and_then(|index| self.ranges.get(index));
        range.is_some_and(|(_, last)| character <= *last)
    }
}
