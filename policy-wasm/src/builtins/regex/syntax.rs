//! Reads regular expressions as RE2 and Go do: what these refuse is refused.
//! Source: `regexp/syntax` of Go.

use super::{
    class::Class,
    escapes,
    tree::{Look, Node, Tree},
};
use crate::{budget::Exhausted, builtins::tally::Tally};

/// Why a pattern can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PatternError {
    /// What Go says of it.
    #[error("error parsing regexp: {0}")]
    Syntax(&'static str),
    /// Ends the evaluation.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
}

/// 1,000: how often a part may be repeated, in all repetitions around it together.
const REPEATS: u32 = 1_000;
/// 1,000: how deep a pattern may nest.
const HEIGHT: u32 = 1_000;

/// What `(?imsU)` sets.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own in the syntax"
)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) folds: bool,
    multi_line: bool,
    dot_is_any: bool,
    lazy: bool,
}

/// A group that is open.
struct Group {
    /// The flags before it.
    flags: Flags,
    /// Its number, if it captures.
    capture: Option<usize>,
    alternatives: Vec<Node>,
    /// Of the last alternative.
    items: Vec<Node>,
}

struct Parser<'p, 't, 'b> {
    rest: &'p str,
    flags: Flags,
    /// From the outermost, which is the pattern itself.
    groups: Vec<Group>,
    names: Vec<Option<&'p str>>,
    tally: &'t mut Tally<'b>,
}

/// Reads a pattern, and pays for it.
pub(super) fn parse(pattern: &str, tally: &mut Tally<'_>) -> Result<Tree, PatternError> {
    let mut parser = Parser {
        rest: pattern,
        flags: Flags::default(),
        groups: vec![Group::new(Flags::default(), None)],
        names: vec![None],
        tally,
    };
    parser.run()?;
    let Some(whole) = parser.groups.pop().filter(|_| parser.groups.is_empty()) else {
        return Err(PatternError::Syntax("missing closing )"));
    };
    Ok(Tree {
        root: whole.close()?,
        names: parser
            .names
            .into_iter()
            .map(|name| name.map(str::to_owned))
            .collect(),
    })
}

impl Group {
    const fn new(flags: Flags, capture: Option<usize>) -> Self {
        Self {
            flags,
            capture,
            alternatives: Vec::new(),
            items: Vec::new(),
        }
    }

    fn next_alternative(&mut self) -> Result<(), PatternError> {
        let items = std::mem::take(&mut self.items);
        self.alternatives.push(checked(Node::concat(items))?);
        Ok(())
    }

    fn close(mut self) -> Result<Node, PatternError> {
        self.next_alternative()?;
        let node = checked(Node::alternate(self.alternatives))?;
        match self.capture {
            Some(number) => checked(Node::capture(node, number)),
            None => Ok(node),
        }
    }
}

fn checked(node: Node) -> Result<Node, PatternError> {
    if node.height > HEIGHT {
        return Err(PatternError::Syntax("expression nests too deeply"));
    }
    Ok(node)
}

impl Parser<'_, '_, '_> {
    fn run(&mut self) -> Result<(), PatternError> {
        // Repetitions may not follow each other: `a**`.
        let mut is_after_repeat = false;
        while let Some(next) = self.rest.chars().next() {
            self.tally.add(16)?;
            let is_repeat = self.repetition(next, is_after_repeat)?;
            if !is_repeat {
                self.item(next)?;
            }
            is_after_repeat = is_repeat;
        }
        Ok(())
    }

    fn push(&mut self, node: Node) {
        if let Some(group) = self.groups.last_mut() {
            group.items.push(node);
        }
    }

    fn eat(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn item(&mut self, next: char) -> Result<(), PatternError> {
        if next == '\\' {
            return self.escape();
        }
        if next == '[' {
            let class = escapes::class(&mut self.rest, self.flags, self.tally)?;
            self.push(Node::class(class));
            return Ok(());
        }
        if next == '(' && self.eat("(?") {
            return self.special_group();
        }
        let mut characters = self.rest.chars();
        characters.next();
        self.rest = characters.as_str();
        match next {
            '(' => {
                self.names.push(None);
                self.open_capture();
            }
            ')' => self.close()?,
            '|' => {
                if let Some(group) = self.groups.last_mut() {
                    group.next_alternative()?;
                }
            }
            '^' if self.flags.multi_line => self.push(Node::assertion(Look::LineStart)),
            '^' => self.push(Node::assertion(Look::Start)),
            '$' if self.flags.multi_line => self.push(Node::assertion(Look::LineEnd)),
            '$' => self.push(Node::assertion(Look::End)),
            '.' => {
                let mut class = Class::of(&[(10, 10)]);
                class.negate();
                self.push(Node::class(if self.flags.dot_is_any {
                    Class::any()
                } else {
                    class
                }));
            }
            literal => self.literal(literal)?,
        }
        Ok(())
    }

    fn literal(&mut self, literal: char) -> Result<(), PatternError> {
        let mut class = Class::of(&[(u32::from(literal), u32::from(literal))]);
        if self.flags.folds {
            self.tally.add(64)?;
            class.fold();
        }
        self.push(Node::class(class));
        Ok(())
    }

    fn escape(&mut self) -> Result<(), PatternError> {
        for (text, look) in [
            (r"\A", Look::Start),
            (r"\b", Look::WordBoundary),
            (r"\B", Look::NoWordBoundary),
            (r"\z", Look::End),
        ] {
            if self.eat(text) {
                self.push(Node::assertion(look));
                return Ok(());
            }
        }
        if self.eat(r"\Q") {
            let (literals, rest) = self.rest.split_once(r"\E").unwrap_or((self.rest, ""));
            self.rest = rest;
            for literal in literals.chars() {
                self.tally.add(16)?;
                self.literal(literal)?;
            }
            return Ok(());
        }
        if let Some(mut class) = escapes::named(&mut self.rest, self.flags, self.tally)? {
            class.tidy();
            self.push(Node::class(class));
            return Ok(());
        }
        let literal = escapes::character(&mut self.rest)?;
        // A character beyond Unicode's is none, and matches nothing.
        if let Some(literal) = char::from_u32(literal) {
            return self.literal(literal);
        }
        self.push(Node::class(Class::default()));
        Ok(())
    }

    fn open_capture(&mut self) {
        let number = self.names.len().saturating_sub(1);
        self.groups.push(Group::new(self.flags, Some(number)));
    }

    fn close(&mut self) -> Result<(), PatternError> {
        let group = self.groups.pop();
        let Some(group) = group.filter(|_| !self.groups.is_empty()) else {
            return Err(PatternError::Syntax("unexpected )"));
        };
        self.flags = group.flags;
        let node = group.close()?;
        self.push(node);
        Ok(())
    }

    /// After `(?`: a name, flags, or both flags and a group.
    fn special_group(&mut self) -> Result<(), PatternError> {
        let is_named = self.eat("P<") || self.eat("<");
        if is_named {
            let error = PatternError::Syntax("invalid named capture");
            let (name, rest) = self.rest.split_once('>').ok_or(error)?;
            let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if name.is_empty() || !name.bytes().all(is_word) {
                return Err(error);
            }
            self.rest = rest;
            self.names.push(Some(name));
            self.open_capture();
            return Ok(());
        }
        self.set_flags()
    }

    fn set_flags(&mut self) -> Result<(), PatternError> {
        let error = PatternError::Syntax("invalid or unsupported Perl syntax");
        let mut flags = self.flags;
        let mut value = true;
        let mut saw_flag = false;
        let mut characters = self.rest.chars();
        while let Some(character) = characters.next() {
            match character {
                'i' => flags.folds = value,
                'm' => flags.multi_line = value,
                's' => flags.dot_is_any = value,
                'U' => flags.lazy = value,
                '-' if value => {
                    value = false;
                    saw_flag = false;
                    continue;
                }
                ':' | ')' if value || saw_flag => {
                    self.rest = characters.as_str();
                    if character == ':' {
                        self.groups.push(Group::new(self.flags, None));
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => return Err(error),
            }
            saw_flag = true;
        }
        Err(error)
    }

    /// Whether a repetition was read. `{` is a literal where none follows.
    fn repetition(&mut self, next: char, is_after_repeat: bool) -> Result<bool, PatternError> {
        let (least, most, rest) = match next {
            '*' => (0, None, self.rest.strip_prefix('*')),
            '+' => (1, None, self.rest.strip_prefix('+')),
            '?' => (0, Some(1), self.rest.strip_prefix('?')),
            '{' => match escapes::count(self.rest)? {
                Some((least, most, rest)) => (least, most, Some(rest)),
                None => return Ok(false),
            },
            _ => return Ok(false),
        };
        self.rest = rest.unwrap_or_default();
        let is_lazy = self.eat("?") != self.flags.lazy;
        if is_after_repeat {
            return Err(PatternError::Syntax("invalid nested repetition operator"));
        }
        let Some(item) = self.groups.last_mut().and_then(|group| group.items.pop()) else {
            return Err(PatternError::Syntax(
                "missing argument to repetition operator",
            ));
        };
        let node = checked(Node::repeat(item, least, most, !is_lazy, next == '{'))?;
        if next == '{' && node.repeats > REPEATS {
            return Err(PatternError::Syntax("invalid repeat count"));
        }
        self.push(node);
        Ok(true)
    }
}
