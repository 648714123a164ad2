//! What a regular expression says, as a tree.

use super::class::Class;

/// A whole pattern.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) root: Node,
    /// Of the groups; the first is the whole match.
    pub(super) names: Vec<Option<String>>,
}

/// A part of a pattern.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Nodes one in the other, itself included.
    pub(super) height: u32,
    /// How often counted repetitions repeat what is deepest in them.
    pub(super) repeats: u32,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Empty,
    Class(Class),
    Look(Look),
    Capture(Box<Node>, usize),
    Repeat {
        node: Box<Node>,
        least: u32,
        most: Option<u32>,
        is_greedy: bool,
    },
    Concat(Vec<Node>),
    Alternate(Vec<Node>),
}

/// What must hold between two characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Start,
    End,
    LineStart,
    LineEnd,
    WordBoundary,
    NoWordBoundary,
}

impl Node {
    const fn leaf(kind: Kind) -> Self {
        Self {
            kind,
            height: 1,
            repeats: 1,
        }
    }

    pub(super) const fn empty() -> Self {
        Self::leaf(Kind::Empty)
    }

    /// A character of a class, which must be tidy.
    pub(super) const fn class(class: Class) -> Self {
        Self::leaf(Kind::Class(class))
    }

    pub(super) const fn assertion(look: Look) -> Self {
        Self::leaf(Kind::Look(look))
    }

    pub(super) fn capture(node: Self, number: usize) -> Self {
        Self {
            height: node.height.saturating_add(1),
            repeats: node.repeats,
            kind: Kind::Capture(Box::new(node), number),
        }
    }

    /// `is_counted`: written with braces.
    pub(super) fn repeat(
        node: Self,
        least: u32,
        most: Option<u32>,
        is_greedy: bool,
        is_counted: bool,
    ) -> Self {
        let times = match most {
            // Nothing of it is left.
            Some(0) => 0,
            Some(most) => most,
            None => least.max(1),
        };
        Self {
            height: node.height.saturating_add(1),
            repeats: match times {
                0 => 1,
                times if is_counted => node.repeats.saturating_mul(times),
                _ => node.repeats,
            },
            kind: Kind::Repeat {
                node: Box::new(node),
                least,
                most,
                is_greedy,
            },
        }
    }

    fn several(nodes: Vec<Self>, kind: fn(Vec<Self>) -> Kind) -> Self {
        let height = nodes.iter().map(|node| node.height).max().unwrap_or(0);
        let repeats = nodes.iter().map(|node| node.repeats).max().unwrap_or(1);
        Self {
            height: height.saturating_add(1),
            repeats,
            kind: kind(nodes),
        }
    }

    /// One after another.
    pub(super) fn concat(mut nodes: Vec<Self>) -> Self {
        match nodes.len() {
            0 => Self::empty(),
            1 => nodes.pop().unwrap_or_else(Self::empty),
            _ => Self::several(nodes, Kind::Concat),
        }
    }

    /// One or another, the first one that matches.
    pub(super) fn alternate(mut nodes: Vec<Self>) -> Self {
        match nodes.len() {
            0 | 1 => nodes.pop().unwrap_or_else(Self::empty),
            _ => Self::several(nodes, Kind::Alternate),
        }
    }
}

impl Node {
    /// Whether it can match without a character. As deep as the tree.
    pub(super) fn is_nullable(&self) -> bool {
        match &self.kind {
            Kind::Empty | Kind::Look(_) => true,
            Kind::Class(_) => false,
            Kind::Capture(node, _) => node.is_nullable(),
            Kind::Repeat {
                node, least, most, ..
            } => *least == 0 || *most == Some(0) || node.is_nullable(),
            Kind::Concat(nodes) => nodes.iter().all(Self::is_nullable),
            Kind::Alternate(nodes) => nodes.iter().any(Self::is_nullable),
        }
    }
}
