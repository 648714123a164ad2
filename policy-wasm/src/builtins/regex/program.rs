//! Regular expressions as instructions for the machine that matches them.

use super::{
    class::Class,
    syntax::{PatternError, parse},
    tree::{Kind, Look, Node, Tree},
};
use crate::builtins::tally::Tally;

/// 100,000: instructions that a pattern may come to.
const INSTRUCTIONS: usize = 100_000;

/// A pattern that can be matched.
#[derive(Debug)]
pub(crate) struct Program {
    pub(super) instructions: Vec<Instruction>,
    /// Of the groups; the first is the whole match.
    pub(super) names: Vec<Option<String>>,
    /// Every match begins so.
    pub(super) prefix: String,
    /// A match can only begin where the text does.
    pub(super) is_anchored: bool,
    /// Whether the pattern is the empty text.
    pub(super) is_empty: bool,
}

#[derive(Debug)]
pub(super) enum Instruction {
    Char(char),
    Class(Class),
    Look(Look),
    /// Both ways, the first one before the second.
    Split(usize, usize),
    Jump(usize),
    /// The text so far is where a group begins or ends.
    Save(usize),
    Match,
}

impl Program {
    /// Reads a pattern, and pays for it.
    pub(super) fn new(pattern: &str, tally: &mut Tally<'_>) -> Result<Self, PatternError> {
        let tree = parse(pattern, tally)?;
        Self::of(&tree, pattern.is_empty(), tally)
    }

    pub(super) fn of(
        tree: &Tree,
        is_empty: bool,
        tally: &mut Tally<'_>,
    ) -> Result<Self, PatternError> {
        let mut compiler = Compiler {
            instructions: Vec::new(),
            tally,
        };
        compiler.push(Instruction::Save(0))?;
        compiler.node(&tree.root)?;
        compiler.push(Instruction::Save(1))?;
        compiler.push(Instruction::Match)?;
        let instructions = compiler.instructions;
        let first = instructions.get(1..).unwrap_or_default();
        let prefix = first.iter().map_while(|instruction| match instruction {
            Instruction::Char(character) => Some(*character),
            _ => None,
        });
        Ok(Self {
            prefix: prefix.collect(),
            is_anchored: matches!(first.first(), Some(Instruction::Look(Look::Start))),
            names: tree.names.clone(),
            instructions,
            is_empty,
        })
    }

    /// How much memory it takes, about.
    pub(super) fn weight(&self) -> u64 {
        let weight = |instruction: &Instruction| match instruction {
            Instruction::Class(class) => class.len().saturating_mul(8).saturating_add(32),
            _ => 32,
        };
        self.instructions
            .iter()
            .map(weight)
            .fold(64, u64::saturating_add)
    }
}

struct Compiler<'t, 'b> {
    instructions: Vec<Instruction>,
    tally: &'t mut Tally<'b>,
}

/// Recursion is as deep as the tree, which is bounded.
impl Compiler<'_, '_> {
    fn here(&self) -> usize {
        self.instructions.len()
    }

    fn push(&mut self, instruction: Instruction) -> Result<usize, PatternError> {
        self.tally.add(8)?;
        let place = self.here();
        if place >= INSTRUCTIONS {
            return Err(PatternError::Syntax("expression too large"));
        }
        self.instructions.push(instruction);
        Ok(place)
    }

    fn set(&mut self, place: usize, instruction: Instruction) {
        if let Some(slot) = self.instructions.get_mut(place) {
            *slot = instruction;
        }
    }

    fn node(&mut self, node: &Node) -> Result<(), PatternError> {
        match &node.kind {
            Kind::Empty => {}
            Kind::Class(class) => {
                self.tally.add(class.len())?;
                self.push(match class.single() {
                    Some(character) => Instruction::Char(character),
                    None => Instruction::Class(class.clone()),
                })?;
            }
            Kind::Look(look) => _ = self.push(Instruction::Look(*look))?,
            Kind::Capture(node, number) => {
                let slot = number.saturating_mul(2);
                self.push(Instruction::Save(slot))?;
                self.node(node)?;
                self.push(Instruction::Save(slot.saturating_add(1)))?;
            }
            Kind::Concat(nodes) => {
                for node in nodes {
                    self.node(node)?;
                }
            }
            Kind::Alternate(nodes) => self.alternate(nodes)?,
            Kind::Repeat {
                node,
                least,
                most,
                is_greedy,
            } => self.repeat(node, *least, *most, *is_greedy)?,
        }
        Ok(())
    }

    fn alternate(&mut self, nodes: &[Node]) -> Result<(), PatternError> {
        let mut jumps = Vec::new();
        let Some((last, others)) = nodes.split_last() else {
            return Ok(());
        };
        for node in others {
            let split = self.push(Instruction::Match)?;
            self.node(node)?;
            jumps.push(self.push(Instruction::Match)?);
            let next = self.here();
            self.set(split, Instruction::Split(split.saturating_add(1), next));
        }
        self.node(last)?;
        let end = self.here();
        for jump in jumps {
            self.set(jump, Instruction::Jump(end));
        }
        Ok(())
    }

    fn repeat(
        &mut self,
        node: &Node,
        least: u32,
        most: Option<u32>,
        is_greedy: bool,
    ) -> Result<(), PatternError> {
        if matches!(node.kind, Kind::Empty) {
            return Ok(());
        }
        let Some(most) = most else {
            if least == 0 {
                return self.star(node, is_greedy);
            }
            for _ in 1..least {
                self.node(node)?;
            }
            return self.plus(node, is_greedy);
        };
        for _ in 0..least {
            self.node(node)?;
        }
        let mut splits = Vec::new();
        for _ in least..most {
            splits.push(self.push(Instruction::Match)?);
            self.node(node)?;
        }
        let end = self.here();
        for split in splits {
            self.set(split, either(split.saturating_add(1), end, is_greedy));
        }
        Ok(())
    }

    fn plus(&mut self, node: &Node, is_greedy: bool) -> Result<(), PatternError> {
        let start = self.here();
        self.node(node)?;
        let split = self.push(Instruction::Match)?;
        self.set(split, either(start, split.saturating_add(1), is_greedy));
        Ok(())
    }

    /// What can match nothing is repeated as `(x+)?`, so that its ways keep their order.
    fn star(&mut self, node: &Node, is_greedy: bool) -> Result<(), PatternError> {
        let split = self.push(Instruction::Match)?;
        if node.is_nullable() {
            self.plus(node, is_greedy)?;
        } else {
            self.node(node)?;
            self.push(Instruction::Jump(split))?;
        }
        let end = self.here();
        self.set(split, either(split.saturating_add(1), end, is_greedy));
        Ok(())
    }
}

const fn either(on: usize, past: usize, is_greedy: bool) -> Instruction {
    if is_greedy {
        Instruction::Split(on, past)
    } else {
        Instruction::Split(past, on)
    }
}
