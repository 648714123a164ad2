//! `# METADATA` of packages and rules: reading it, checking it, and what `rego.metadata.*` says of it.
//! Source: OPA, "Annotations"; `v1/ast/annotations.go`.

mod attach;
mod block;
mod calls;
mod fields;
#[cfg(test)]
mod tests;

pub(crate) use attach::check;
pub(crate) use calls::{TooMany, answer};

use crate::{front::ast::Place, value::Value};

/// What one block says.
#[derive(Debug)]
struct Annotations {
    /// Where the block begins.
    place: Place,
    /// What it is about, if it says so.
    scope: Option<Scope>,
    is_entrypoint: bool,
    /// All that `rego.metadata.rule` shows besides the scope.
    members: Vec<(Value, Value)>,
}

/// What annotations are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// One definition.
    Rule,
    /// All definitions of a rule.
    Document,
    Package,
    /// A package and those below it.
    Subpackages,
}

impl Scope {
    const ALL: [Self; 4] = [Self::Rule, Self::Document, Self::Package, Self::Subpackages];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Document => "document",
            Self::Package => "package",
            Self::Subpackages => "subpackages",
        }
    }
}

/// What is wrong with a block.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) place: Place,
    pub(crate) message: String,
    /// Whether another block says it already, rather than this one being malformed.
    pub(crate) is_repeated: bool,
}

impl Wrong {
    fn new(place: Place, message: impl Into<String>) -> Self {
        Self {
            place,
            message: message.into(),
            is_repeated: false,
        }
    }
}
