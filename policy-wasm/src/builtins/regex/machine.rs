//! Matches a pattern by following all its ways at once, so that the time is bounded by the text's
//! length times the pattern's. Source: R. Cox, "Regular Expression Matching: the Virtual Machine
//! Approach".

use super::{
    program::{Instruction, Program},
    tree::Look,
};
use crate::{
    budget::{Budget, Exhausted},
    builtins::tally::Tally,
};

/// Where nothing was saved.
pub(super) const UNSET: usize = usize::MAX;

/// Where the groups of a match begin and end, in bytes.
pub(super) type Slots = Vec<usize>;

/// Matches one pattern against one text.
pub(super) struct Machine<'a> {
    program: &'a Program,
    text: &'a str,
    /// How many slots are wanted: none to ask whether there is a match.
    width: usize,
    tally: Tally<'a>,
    current: Threads,
    next: Threads,
    stack: Vec<Task>,
    scratch: Slots,
}

/// The instructions that are reached at a place, in the order of their ways.
struct Threads {
    order: Vec<usize>,
    /// For each instruction its place in `order`, if it is there.
    places: Vec<usize>,
    /// For each instruction its slots.
    slots: Vec<usize>,
}

/// What is left to do at a place.
enum Task {
    Follow(usize),
    Restore(usize, usize),
}

impl Threads {
    fn new(instructions: usize, width: usize) -> Self {
        Self {
            order: Vec::new(),
            places: vec![0; instructions],
            slots: vec![UNSET; instructions.saturating_mul(width)],
        }
    }

    /// Whether it is new.
    fn insert(&mut self, instruction: usize) -> bool {
        let Some(place) = self.places.get_mut(instruction) else {
            return false;
        };
        if self.order.get(*place) == Some(&instruction) {
            return false;
        }
        *place = self.order.len();
        self.order.push(instruction);
        true
    }

    fn slots(&mut self, instruction: usize, width: usize) -> &mut [usize] {
        let start = instruction.saturating_mul(width);
        let end = start.saturating_add(width);
        self.slots.get_mut(start..end).unwrap_or_default()
    }
}

/// The characters on both sides of a place.
#[derive(Clone, Copy)]
struct Around {
    before: Option<char>,
    after: Option<char>,
}

impl Around {
    fn holds(self, look: Look) -> bool {
        let is_word = |character: Option<char>| {
            character.is_some_and(|character| character.is_ascii_alphanumeric() || character == '_')
        };
        match look {
            Look::Start => self.before.is_none(),
            Look::End => self.after.is_none(),
            Look::LineStart => matches!(self.before, None | Some('\n')),
            Look::LineEnd => matches!(self.after, None | Some('\n')),
            Look::WordBoundary => is_word(self.before) != is_word(self.after),
            Look::NoWordBoundary => is_word(self.before) == is_word(self.after),
        }
    }
}

impl<'a> Machine<'a> {
    /// `groups`: how many groups' places are wanted, the whole match counted.
    pub(super) fn new(
        budget: &'a Budget,
        program: &'a Program,
        text: &'a str,
        groups: usize,
    ) -> Result<Self, Exhausted> {
        let instructions = program.instructions.len();
        let width = groups.min(program.names.len()).saturating_mul(2);
        let memory = instructions.saturating_mul(width.saturating_add(1));
        let mut tally = Tally::new(budget);
        tally.add(u64::try_from(memory / 4).unwrap_or(u64::MAX))?;
        Ok(Self {
            program,
            text,
            width,
            tally,
            current: Threads::new(instructions, width),
            next: Threads::new(instructions, width),
            stack: Vec::new(),
            scratch: Vec::new(),
        })
    }

    fn after(&self, place: usize) -> Option<char> {
        self.text.get(place..)?.chars().next()
    }

    /// The first match that begins at or after a place; its slots.
    pub(super) fn find_from(&mut self, start: usize) -> Result<Option<Slots>, Exhausted> {
        self.current.order.clear();
        let mut found: Option<Slots> = None;
        let mut place = start;
        let mut before = self
            .text
            .get(..start)
            .and_then(|text| text.chars().next_back());
        loop {
            if self.current.order.is_empty() {
                let is_over = found.is_some() || self.program.is_anchored && place > 0;
                if is_over {
                    break;
                }
                match self.skip(place)? {
                    None => break,
                    Some(skipped) if skipped > place => {
                        place = skipped;
                        before = self
                            .text
                            .get(..place)
                            .and_then(|text| text.chars().next_back());
                    }
                    Some(_) => {}
                }
            }
            let after = self.after(place);
            let around = Around { before, after };
            if found.is_none() {
                let mut slots = std::mem::take(&mut self.scratch);
                slots.clear();
                slots.resize(self.width, UNSET);
                self.follow(false, 0, place, around, &mut slots)?;
                self.scratch = slots;
            }
            if let Some(slots) = self.step(place, around)? {
                if self.width == 0 {
                    return Ok(Some(slots));
                }
                found = Some(slots);
            }
            let Some(character) = after else {
                break;
            };
            place = place.saturating_add(character.len_utf8());
            before = Some(character);
            std::mem::swap(&mut self.current, &mut self.next);
            self.next.order.clear();
        }
        Ok(found)
    }

    /// The next place where a match can begin.
    fn skip(&mut self, place: usize) -> Result<Option<usize>, Exhausted> {
        if self.program.prefix.is_empty() {
            return Ok(Some(place));
        }
        let rest = self.text.get(place..).unwrap_or_default();
        let found = rest.find(&self.program.prefix);
        let searched = found
            .unwrap_or(rest.len())
            .saturating_add(self.program.prefix.len());
        self.tally
            .add(u64::try_from(searched / 8).unwrap_or(u64::MAX))?;
        Ok(found.map(|offset| place.saturating_add(offset)))
    }

    /// Lets every way that is open take the next character. Gives the slots of a match that was
    /// reached; ways that come after it are given up.
    fn step(&mut self, place: usize, around: Around) -> Result<Option<Slots>, Exhausted> {
        let program = self.program;
        let order = std::mem::take(&mut self.current.order);
        let mut matched = None;
        let past = place.saturating_add(around.after.map_or(0, char::len_utf8));
        let beyond = Around {
            before: around.after,
            after: self.after(past),
        };
        for &instruction in &order {
            self.tally.add(2)?;
            let takes = match program.instructions.get(instruction) {
                Some(Instruction::Match) => {
                    matched = Some(self.current.slots(instruction, self.width).to_vec());
                    break;
                }
                Some(Instruction::Char(wanted)) => around.after == Some(*wanted),
                Some(Instruction::Class(class)) => around
                    .after
                    .is_some_and(|character| class.contains(character)),
                _ => false,
            };
            if takes {
                let mut slots = std::mem::take(&mut self.scratch);
                slots.clear();
                slots.extend_from_slice(self.current.slots(instruction, self.width));
                let next = instruction.saturating_add(1);
                self.follow(true, next, past, beyond, &mut slots)?;
                self.scratch = slots;
            }
        }
        self.current.order = order;
        self.current.order.clear();
        Ok(matched)
    }

    /// Adds an instruction, and all that are reached from it without a character.
    fn follow(
        &mut self,
        is_next: bool,
        instruction: usize,
        place: usize,
        around: Around,
        slots: &mut [usize],
    ) -> Result<(), Exhausted> {
        self.stack.push(Task::Follow(instruction));
        while let Some(task) = self.stack.pop() {
            match task {
                Task::Restore(slot, value) => {
                    if let Some(slot) = slots.get_mut(slot) {
                        *slot = value;
                    }
                }
                Task::Follow(instruction) => {
                    self.tally.add(2)?;
                    self.enter(is_next, instruction, place, around, slots)?;
                }
            }
        }
        Ok(())
    }

    fn enter(
        &mut self,
        is_next: bool,
        instruction: usize,
        place: usize,
        around: Around,
        slots: &mut [usize],
    ) -> Result<(), Exhausted> {
        let threads = if is_next {
            &mut self.next
        } else {
            &mut self.current
        };
        if !threads.insert(instruction) {
            return Ok(());
        }
        let next = instruction.saturating_add(1);
        match self.program.instructions.get(instruction) {
            Some(Instruction::Jump(to)) => self.stack.push(Task::Follow(*to)),
            Some(Instruction::Split(first, second)) => {
                self.stack.push(Task::Follow(*second));
                self.stack.push(Task::Follow(*first));
            }
            Some(Instruction::Look(look)) if around.holds(*look) => {
                self.stack.push(Task::Follow(next));
            }
            Some(Instruction::Save(slot)) => {
                if let Some(value) = slots.get_mut(*slot) {
                    self.stack.push(Task::Restore(*slot, *value));
                    *value = place;
                }
                self.stack.push(Task::Follow(next));
            }
            Some(Instruction::Char(_) | Instruction::Class(_) | Instruction::Match) => {
                let width = self.width;
                self.tally
                    .add(u64::try_from(width / 4).unwrap_or(u64::MAX))?;
                let kept = threads.slots(instruction, width).iter_mut();
                kept.zip(slots.iter())
                    .for_each(|(kept, slot)| *kept = *slot);
            }
            Some(Instruction::Look(_)) | None => {}
        }
        Ok(())
    }
}
