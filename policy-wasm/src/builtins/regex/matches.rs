//! All matches of a pattern in a text, as Go hands them out.

use super::{
    machine::{Machine, Slots, UNSET},
    program::Program,
};
use crate::builtins::{CallError, Context};

/// Matches that don't overlap, from the beginning of the text to its end.
pub(super) struct Matches<'a> {
    machine: Machine<'a>,
    text: &'a str,
    /// Where the next one may begin.
    place: usize,
    /// Where the last one ended.
    end: Option<usize>,
    left: usize,
}

impl<'a> Matches<'a> {
    /// `groups`: how many groups' places are wanted, the whole match counted.
    pub(super) fn new(
        context: &Context<'a>,
        program: &'a Program,
        text: &'a str,
        groups: usize,
        limit: usize,
    ) -> Result<Self, CallError> {
        Ok(Self {
            machine: Machine::new(context.budget, program, text, groups)?,
            text,
            place: 0,
            end: None,
            left: limit,
        })
    }

    /// A match of nothing right after another match is left out.
    pub(super) fn next(&mut self) -> Result<Option<Slots>, CallError> {
        while self.left > 0 && self.place <= self.text.len() {
            let Some(slots) = self.machine.find_from(self.place)? else {
                break;
            };
            let Some((start, end)) = group(&slots, 0) else {
                break;
            };
            let mut is_kept = true;
            if end == self.place {
                is_kept = Some(start) != self.end;
                let rest = self.text.get(end..).unwrap_or_default();
                let width = rest.chars().next().map_or(1, char::len_utf8);
                self.place = end.saturating_add(width);
            } else {
                self.place = end;
            }
            self.end = Some(end);
            if is_kept {
                self.left = self.left.saturating_sub(1);
                return Ok(Some(slots));
            }
        }
        self.left = 0;
        Ok(None)
    }
}

/// Where a group begins and ends, if it took part in the match.
pub(super) fn group(slots: &[usize], index: usize) -> Option<(usize, usize)> {
    let first = index.checked_mul(2)?;
    let start = *slots.get(first)?;
    let end = *slots.get(first.checked_add(1)?)?;
    (start != UNSET && end != UNSET).then_some((start, end))
}
