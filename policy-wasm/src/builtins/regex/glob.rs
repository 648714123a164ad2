//! `glob.match` and `glob.quote_meta`: patterns of paths, as `github.com/gobwas/glob` reads them.
//! Source: OPA, "Policy Reference", glob.

use super::{
    class::Class,
    machine::Machine,
    program::Program,
    syntax::PatternError,
    tree::{Look, Node, Tree},
};
use crate::{
    builtins::{Builtin, CallError, Context, operand, tally::Tally},
    value::Value,
};

pub(in crate::builtins) const BUILTINS: &[Builtin] = &[
    Builtin::new("glob.match", matches),
    Builtin::new("glob.quote_meta", quote_meta),
];

/// 1,000: how deep groups may nest.
const HEIGHT: u32 = 1_000;

fn matches(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let pattern = operand::text(arguments, 0)?;
    let delimiters = operand::any(arguments, 1)?;
    context.budget.pay_value(delimiters)?;
    let delimiters = self::delimiters(delimiters)?;
    let text = operand::text(arguments, 2)?;
    let program = context.patterns.glob(&delimiters, pattern, context.budget);
    let program = program.map_err(|error| match error {
        PatternError::Syntax(why) => CallError::Builtin(format!("glob: syntax error: {why}")),
        PatternError::Exhausted(exhausted) => exhausted.into(),
    })?;
    let found = Machine::new(context.budget, &program, text, 0)?.find_from(0)?;
    Ok(Some(Value::from(found.is_some())))
}

/// What `*` and `?` don't match: nothing for `null`, a dot if none are named.
pub(super) fn delimiters(value: &Value) -> Result<String, CallError> {
    let items = match value {
        Value::Null => return Ok(String::new()),
        Value::Array(items) if items.is_empty() => return Ok(".".to_owned()),
        Value::Array(items) => items,
        other => return Err(operand::wrong(1, "one of {array, null}", other)),
    };
    let mut delimiters = String::new();
    for item in items.iter() {
        let text = item.as_str().ok_or_else(|| {
            let kind = item.type_name();
            CallError::Type(format!(
                "operand 2 must be array of strings but got array containing {kind}"
            ))
        })?;
        if text.chars().count() != 1 {
            return Err(CallError::Type(
                "operand 2 must be array of characters".to_owned(),
            ));
        }
        delimiters.push_str(text);
    }
    Ok(delimiters)
}

fn quote_meta(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let text = operand::text(arguments, 0)?;
    context.budget.pay_bytes(text.len().saturating_mul(4))?;
    let mut quoted = String::with_capacity(text.len());
    for character in text.chars() {
        if r"*?\[]{}".contains(character) {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    Ok(Some(Value::from(quoted)))
}

/// An open group: its alternatives, and the items of the last one.
#[derive(Default)]
struct Group {
    alternatives: Vec<Node>,
    items: Vec<Node>,
}

impl Group {
    fn next_alternative(&mut self) -> Result<(), PatternError> {
        let node = Node::concat(std::mem::take(&mut self.items));
        if node.height > HEIGHT {
            return Err(PatternError::Syntax("groups nest too deeply"));
        }
        self.alternatives.push(node);
        Ok(())
    }

    fn close(mut self) -> Result<Node, PatternError> {
        self.next_alternative()?;
        Ok(Node::alternate(self.alternatives))
    }
}

struct Reader<'p, 't, 'b> {
    rest: &'p str,
    /// Every character but the delimiters.
    plain: Class,
    /// From the outermost, which is the pattern itself.
    groups: Vec<Group>,
    tally: &'t mut Tally<'b>,
}

/// Reads a pattern, and pays for it.
pub(super) fn compile(
    pattern: &str,
    delimiters: &str,
    tally: &mut Tally<'_>,
) -> Result<Program, PatternError> {
    let mut plain = Class::default();
    for delimiter in delimiters.chars() {
        tally.add(32)?;
        plain.add(u32::from(delimiter), u32::from(delimiter));
    }
    plain.negate();
    let mut reader = Reader {
        rest: pattern,
        plain,
        groups: vec![Group::default()],
        tally,
    };
    reader.run()?;
    let whole = reader.groups.pop().filter(|_| reader.groups.is_empty());
    let whole = whole.ok_or(PatternError::Syntax("unclosed `{`"))?.close()?;
    let tree = Tree {
        root: Node::concat(vec![
            Node::assertion(Look::Start),
            whole,
            Node::assertion(Look::End),
        ]),
        names: vec![None],
    };
    Program::of(&tree, false, tally)
}

impl Reader<'_, '_, '_> {
    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next();
        self.rest = characters.as_str();
        character
    }

    fn push(&mut self, node: Node) {
        if let Some(group) = self.groups.last_mut() {
            group.items.push(node);
        }
    }

    fn run(&mut self) -> Result<(), PatternError> {
        while let Some(character) = self.next() {
            self.tally.add(16)?;
            let is_in_group = self.groups.len() > 1;
            match character {
                '{' => self.groups.push(Group::default()),
                ',' if is_in_group => {
                    if let Some(group) = self.groups.last_mut() {
                        group.next_alternative()?;
                    }
                }
                '}' if is_in_group => {
                    if let Some(group) = self.groups.pop() {
                        self.push(group.close()?);
                    }
                }
                '[' => {
                    let class = self.class()?;
                    self.push(Node::class(class));
                }
                '?' => self.push_plain(false)?,
                '*' => match self.rest.strip_prefix('*') {
                    Some(rest) => {
                        self.rest = rest;
                        self.push(star(Class::any()));
                    }
                    None => self.push_plain(true)?,
                },
                '\\' => {
                    let trailing = PatternError::Syntax("trailing backslash");
                    let escaped = self.next().ok_or(trailing)?;
                    self.push(literal(escaped));
                }
                other => self.push(literal(other)),
            }
        }
        Ok(())
    }

    fn push_plain(&mut self, is_star: bool) -> Result<(), PatternError> {
        self.tally.add(self.plain.len().saturating_mul(2))?;
        let class = self.plain.clone();
        self.push(if is_star {
            star(class)
        } else {
            Node::class(class)
        });
        Ok(())
    }

    /// After `[`: one range, or characters.
    fn class(&mut self) -> Result<Class, PatternError> {
        let end = PatternError::Syntax("unexpected end of input");
        let is_negated = self.rest.starts_with('!');
        self.rest = self.rest.strip_prefix('!').unwrap_or(self.rest);
        let before = self.rest;
        let first = self.next().ok_or(end)?;
        let mut class = Class::default();
        if let Some(rest) = self.rest.strip_prefix('-') {
            self.rest = rest;
            let last = self.next().ok_or(end)?;
            if last < first {
                return Err(PatternError::Syntax("range hi character is less than lo"));
            }
            class.add(u32::from(first), u32::from(last));
        } else {
            self.rest = before;
            self.characters(&mut class)?;
        }
        if self.next().ok_or(end)? != ']' {
            return Err(PatternError::Syntax("expected close range character"));
        }
        if class.len() == 0 {
            return Err(PatternError::Syntax("could not parse range"));
        }
        class.tidy();
        if is_negated {
            class.negate();
        }
        Ok(class)
    }

    fn characters(&mut self, class: &mut Class) -> Result<(), PatternError> {
        while !self.rest.is_empty() && !self.rest.starts_with(']') {
            self.tally.add(16)?;
            let mut character = self.next();
            if character == Some('\\') {
                character = self.next();
            }
            let character = character.ok_or(PatternError::Syntax("trailing backslash"))?;
            class.add(u32::from(character), u32::from(character));
        }
        Ok(())
    }
}

fn literal(character: char) -> Node {
    let character = u32::from(character);
    Node::class(Class::of(&[(character, character)]))
}

fn star(class: Class) -> Node {
    Node::repeat(Node::class(class), 0, None, true, false)
}
