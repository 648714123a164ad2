//! `regex.globs_match`: whether two patterns can match the same text. A pattern is made of
//! characters, `.`, sets, `*` and `+`. Source: `github.com/yashtewari/glob-intersection`.

use super::class::Class;
use crate::builtins::{CallError, Context, operand, tally::Tally};
use crate::value::Value;

/// 300: repeated parts that are looked at one in the other.
const DEPTH: u32 = 300;

#[derive(PartialEq, Clone, Copy)]
enum Flag {
    Once,
    Plus,
    Star,
}

#[derive(PartialEq)]
enum What {
    Char(char),
    Any,
    Set(Class),
}

struct Token {
    what: What,
    flag: Flag,
}

impl Token {
    fn meets(&self, other: &Self) -> bool {
        match (&self.what, &other.what) {
            (What::Any, _) | (_, What::Any) => true,
            (What::Char(left), What::Char(right)) => left == right,
            (What::Char(character), What::Set(set)) | (What::Set(set), What::Char(character)) => {
                set.contains(*character)
            }
            (What::Set(left), What::Set(right)) => left.meets(right),
        }
    }

    /// How much work it is to look at it.
    fn weight(&self) -> u64 {
        match &self.what {
            What::Set(set) => set.len().saturating_add(4),
            _ => 4,
        }
    }
}

pub(super) fn globs_match(
    context: &Context<'_>,
    arguments: &[Value],
) -> Result<Option<Value>, CallError> {
    let mut tally = Tally::new(context.budget);
    let left = tokens(operand::text(arguments, 0)?, &mut tally)?;
    let right = tokens(operand::text(arguments, 1)?, &mut tally)?;
    let mut search = Search { tally, depth: 0 };
    let meet = match search.trimmed(&left, &right)? {
        Some((left, right)) => search.normal(left, right)?,
        None => false,
    };
    Ok(Some(Value::from(meet)))
}

fn invalid(why: &str) -> CallError {
    CallError::Builtin(format!("{why}: the input provided is invalid"))
}

/// A character, and whether a backslash stands before it.
fn next(rest: &mut &str) -> Result<Option<(char, bool)>, CallError> {
    let mut characters = rest.chars();
    let mut next = characters.next().map(|character| (character, false));
    if let Some(('\\', _)) = next {
        let escaped = characters.next();
        let escaped = escaped.ok_or_else(|| invalid("input ends with a \\ (escape) character"))?;
        next = Some((escaped, true));
    }
    *rest = characters.as_str();
    Ok(next)
}

fn tokens(mut rest: &str, tally: &mut Tally<'_>) -> Result<Vec<Token>, CallError> {
    let mut tokens: Vec<Token> = Vec::new();
    while let Some((character, is_escaped)) = next(&mut rest)? {
        tally.add(48)?;
        let what = match character {
            character if is_escaped => What::Char(character),
            '.' => What::Any,
            '[' => What::Set(set(&mut rest, tally)?),
            ']' => return Err(invalid("set-close ']' with no preceding '['")),
            '+' | '*' => return Err(invalid("a flag must be preceded by a non-flag")),
            other => What::Char(other),
        };
        let flag = match rest.chars().next() {
            Some('+') => Flag::Plus,
            Some('*') => Flag::Star,
            // A backslash at the very end is an error already here, as in OPA.
            _ => Flag::Once,
        };
        if flag != Flag::Once {
            next(&mut rest)?;
        }
        push(&mut tokens, Token { what, flag });
    }
    Ok(tokens)
}

/// Of equal parts that are repeated one is enough.
fn push(tokens: &mut Vec<Token>, token: Token) {
    match tokens.last_mut() {
        Some(last)
            if last.flag != Flag::Once && token.flag != Flag::Once && last.what == token.what =>
        {
            if token.flag == Flag::Plus {
                last.flag = Flag::Plus;
            }
        }
        _ => tokens.push(token),
    }
}

/// After `[`.
fn set(rest: &mut &str, tally: &mut Tally<'_>) -> Result<Class, CallError> {
    let mut class = Class::default();
    let mut previous = None;
    loop {
        tally.add(32)?;
        let Some((character, is_escaped)) = next(rest)? else {
            return Err(invalid("found [ without matching ]"));
        };
        match character {
            ']' if !is_escaped => break,
            '-' if !is_escaped => {
                let missing = "range character '-' must be preceded by a Unicode character";
                let first: char = previous.take().ok_or_else(|| invalid(missing))?;
                let last = range_end(rest)?;
                if last < first {
                    return Err(invalid("range is out of order"));
                }
                class.add(u32::from(first), u32::from(last));
            }
            other => {
                class.add(u32::from(other), u32::from(other));
                previous = Some(other);
            }
        }
    }
    class.tidy();
    Ok(class)
}

fn range_end(rest: &mut &str) -> Result<char, CallError> {
    if rest.chars().nth(1).is_none() {
        return Err(invalid(
            "range character '-' must be followed by a Unicode character",
        ));
    }
    match next(rest)? {
        Some((']' | '-', false)) | None => Err(invalid(
            "range character '-' cannot be followed by a special symbol",
        )),
        Some((last, _)) => Ok(last),
    }
}

struct Search<'b> {
    tally: Tally<'b>,
    depth: u32,
}

type Pair<'t> = (&'t [Token], &'t [Token]);

/// The search is OPA's, step by step: it doesn't find every text that two patterns share.
impl Search<'_> {
    fn meet(&mut self, left: &Token, right: &Token) -> Result<bool, CallError> {
        self.tally
            .add(left.weight().saturating_add(right.weight()))?;
        Ok(left.meets(right))
    }

    /// Without what both begin and end with. `None`: the beginnings or ends don't meet.
    fn trimmed<'t>(
        &mut self,
        left: &'t [Token],
        right: &'t [Token],
    ) -> Result<Option<Pair<'t>>, CallError> {
        let is_plain =
            |(left, right): &(&Token, &Token)| left.flag == Flag::Once && right.flag == Flag::Once;
        let mut start = 0_usize;
        for (one, other) in left.iter().zip(right).take_while(is_plain) {
            if !self.meet(one, other)? {
                return Ok(None);
            }
            start = start.saturating_add(1);
        }
        // One is left over, so that neither becomes empty.
        let start = start.saturating_sub(1);
        let left = left.get(start..).unwrap_or_default();
        let right = right.get(start..).unwrap_or_default();
        let mut cut = 0_usize;
        for (one, other) in left
            .iter()
            .rev()
            .zip(right.iter().rev())
            .take_while(is_plain)
        {
            if !self.meet(one, other)? {
                return Ok(None);
            }
            cut = cut.saturating_add(1);
        }
        let cut = cut.saturating_sub(1);
        let left = left
            .get(..left.len().saturating_sub(cut))
            .unwrap_or_default();
        let right = right
            .get(..right.len().saturating_sub(cut))
            .unwrap_or_default();
        Ok(Some((left, right)))
    }

    fn normal(&mut self, left: &[Token], right: &[Token]) -> Result<bool, CallError> {
        for (index, (one, other)) in left.iter().zip(right).enumerate() {
            if one.flag != Flag::Once || other.flag != Flag::Once {
                let left = left.get(index..).unwrap_or_default();
                let right = right.get(index..).unwrap_or_default();
                return self.special(left, right);
            }
            if !self.meet(one, other)? {
                return Ok(false);
            }
        }
        Ok(left.len() == right.len())
    }

    fn special(&mut self, left: &[Token], right: &[Token]) -> Result<bool, CallError> {
        if self.depth >= DEPTH {
            return Err(CallError::new("too many repeated parts"));
        }
        self.depth = self.depth.saturating_add(1);
        let flag = |tokens: &[Token]| tokens.first().map(|token| token.flag);
        let found = match (flag(left), flag(right)) {
            (Some(Flag::Plus), _) => self.plus(left, right)?,
            (Some(Flag::Star), _) => self.star(left, right)?,
            (_, Some(Flag::Plus)) => self.plus(right, left)?,
            _ => self.star(right, left)?,
        };
        self.depth = self.depth.saturating_sub(1);
        Ok(found)
    }

    fn plus(&mut self, repeated: &[Token], other: &[Token]) -> Result<bool, CallError> {
        let (Some((part, after)), Some((first, rest))) =
            (repeated.split_first(), other.split_first())
        else {
            return Ok(false);
        };
        if !self.meet(part, first)? {
            return Ok(false);
        }
        if self.star(repeated, rest)? {
            return Ok(true);
        }
        Ok(first.flag != Flag::Once && self.normal(after, other)?)
    }

    fn star(&mut self, repeated: &[Token], other: &[Token]) -> Result<bool, CallError> {
        let Some((part, after)) = repeated.split_first() else {
            return Ok(false);
        };
        let next = after.first();
        for (index, token) in other.iter().enumerate() {
            if let Some(next) = next
                && self.meet(token, next)?
                && self.normal(after, other.get(index..).unwrap_or_default())?
            {
                return Ok(true);
            }
            if !self.meet(token, part)? {
                return Ok(false);
            }
        }
        Ok(next.is_none())
    }
}
