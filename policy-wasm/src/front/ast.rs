//! The syntax tree of a module.
//!
//! `a.b` and `a["b"]` are one form here, as in OPA: a reference with a text for a step.

use super::Dialect;

/// Line and column, in characters, both from 1.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// Where something stands is no part of what it says: trees are compared by their meaning.
impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// One file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Module {
    /// Where `package` stands.
    pub(crate) place: Place,
    /// `app.authz`, without `data`.
    pub(crate) package: Term,
    pub(crate) imports: Vec<Import>,
    pub(crate) rules: Vec<Rule>,
    /// All of them, `# METADATA` blocks too, in the order of the text.
    pub(crate) comments: Vec<Comment>,
    /// That of its rules: `import rego.v1` makes it [`Dialect::V1`].
    pub(crate) dialect: Dialect,
}

/// From `#` to the end of its line, both left out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comment {
    pub(crate) place: Place,
    pub(crate) text: String,
}

/// `import data.a.b as c`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Import {
    pub(crate) place: Place,
    pub(crate) path: Term,
    pub(crate) alias: Option<String>,
}

/// One definition: a head, and the bodies that are tried one after another.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    pub(crate) place: Place,
    pub(crate) is_default: bool,
    pub(crate) head: Head,
    /// Without one the rule holds always.
    pub(crate) body: Option<Body>,
    pub(crate) otherwise: Vec<Else>,
}

/// What a rule defines.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Head {
    /// A variable, or a reference that begins with one.
    pub(crate) name: Term,
    /// Parameters, if it is a function.
    pub(crate) parameters: Option<Vec<Term>>,
    pub(crate) value: HeadValue,
}

/// What follows a head's name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum HeadValue {
    /// Nothing: `true`.
    Implied,
    /// `:=` or `=` and a value.
    Is(Term),
    /// `contains` and a member.
    Contains(Term),
}

/// `else := value if { body }`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Else {
    pub(crate) place: Place,
    pub(crate) value: Option<Term>,
    pub(crate) body: Option<Body>,
}

/// Expressions that must all hold; OPA's word.
pub(crate) type Body = Vec<Expr>;

/// One line of a body; OPA's word.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expr {
    pub(crate) place: Place,
    pub(crate) is_negated: bool,
    pub(crate) kind: ExprKind,
    pub(crate) with: Vec<With>,
}

/// What an expression says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ExprKind {
    /// A term that must be neither false nor undefined; also `:=` and `=`.
    Term(Term),
    /// `some x, y`
    Some(Vec<Name>),
    /// `some key, value in collection`
    SomeIn {
        key: Option<Term>,
        value: Term,
        collection: Term,
    },
    /// `every key, value in domain { body }`
    Every {
        key: Option<Name>,
        value: Name,
        domain: Term,
        body: Body,
    },
}

/// A name that is declared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Name {
    pub(crate) place: Place,
    pub(crate) text: String,
}

/// `with target as value`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct With {
    pub(crate) place: Place,
    pub(crate) target: Term,
    pub(crate) value: Term,
}

/// A value, or what becomes one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    pub(crate) place: Place,
    /// Levels of terms in it, itself included.
    pub(crate) depth: u32,
    pub(crate) kind: TermKind,
}

/// The kinds of terms.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TermKind {
    Null,
    Bool(bool),
    /// As it is written, with a sign if it has one.
    Number(String),
    /// A text, without quotes and escapes.
    Text(String),
    /// `$"a {expression}"`
    Template(Vec<Part>),
    /// `_` too.
    Var(String),
    /// What it begins with, and at least one step.
    Ref(Box<Term>, Vec<Term>),
    Array(Vec<Term>),
    /// Without members it is written `set()`.
    Set(Vec<Term>),
    Object(Vec<(Term, Term)>),
    ArrayOf(Box<Term>, Body),
    SetOf(Box<Term>, Body),
    ObjectOf(Box<(Term, Term)>, Body),
    /// A function and its arguments.
    Call(Box<Term>, Vec<Term>),
    Infix(Op, Box<(Term, Term)>),
    /// `key, value in collection`
    In(Box<Membership>),
}

/// `key, value in collection`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Membership {
    pub(crate) key: Option<Term>,
    pub(crate) value: Term,
    pub(crate) collection: Term,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Text(String),
    Expr(Expr),
}

/// The names of a path.
pub(crate) fn names_of(path: &Term) -> Vec<String> {
    let (head, steps) = match &path.kind {
        TermKind::Ref(head, steps) => (head.as_ref(), steps.as_slice()),
        _ => (path, [].as_slice()),
    };
    let steps = steps.iter().filter_map(|step| match &step.kind {
        TermKind::Text(text) => Some(text.clone()),
        _ => None,
    });
    head.name()
        .map(str::to_owned)
        .into_iter()
        .chain(steps)
        .collect()
}

/// Whether a term is a reference of names only.
pub(crate) fn is_path(term: &Term) -> bool {
    match &term.kind {
        TermKind::Var(_) => true,
        TermKind::Ref(head, steps) => {
            let mut steps = steps.iter();
            head.name().is_some() && steps.all(|step| matches!(step.kind, TermKind::Text(_)))
        }
        _ => false,
    }
}

/// Operators between two terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Assign,
    Unify,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Union,
    Intersection,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Op {
    /// The operator of a token; `:=` and `=` stand between terms of an expression only.
    pub(crate) fn of(text: &str) -> Option<Self> {
        Some(match text {
            "==" => Self::Equal,
            "!=" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            "|" => Self::Union,
            "&" => Self::Intersection,
            "+" => Self::Add,
            "-" => Self::Subtract,
            "*" => Self::Multiply,
            "/" => Self::Divide,
            "%" => Self::Remainder,
            _ => return None,
        })
    }

    /// How tightly it binds; `in` is 1. Source: OPA, "Policy Language", grammar.
    pub(crate) const fn strength(self) -> u8 {
        match self {
            Self::Assign | Self::Unify => 0,
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual => 2,
            Self::Union => 3,
            Self::Intersection => 4,
            Self::Add | Self::Subtract => 5,
            Self::Multiply | Self::Divide | Self::Remainder => 6,
        }
    }
}

/// How tightly `in` binds.
pub(crate) const IN_STRENGTH: u8 = 1;

impl Import {
    /// The name that it gives to its path.
    pub(crate) fn name(&self) -> Option<String> {
        self.alias.clone().or_else(|| names_of(&self.path).pop())
    }
}

impl Term {
    /// A term with its depth.
    pub(crate) fn new(place: Place, kind: TermKind) -> Self {
        let below = match &kind {
            TermKind::Null
            | TermKind::Bool(_)
            | TermKind::Number(_)
            | TermKind::Text(_)
            | TermKind::Var(_) => 0,
            TermKind::Template(parts) => deepest(parts.iter().map(|part| match part {
                Part::Text(_) => 0,
                Part::Expr(expr) => expr.depth(),
            })),
            TermKind::Array(items) | TermKind::Set(items) => {
                deepest(items.iter().map(|item| item.depth))
            }
            TermKind::Ref(head, items) | TermKind::Call(head, items) => {
                deepest(items.iter().map(|item| item.depth)).max(head.depth)
            }
            TermKind::Object(fields) => deepest(
                fields
                    .iter()
                    .map(|(name, value)| name.depth.max(value.depth)),
            ),
            TermKind::ArrayOf(term, body) | TermKind::SetOf(term, body) => {
                term.depth.max(depth_of(body))
            }
            TermKind::ObjectOf(pair, body) => pair.0.depth.max(pair.1.depth).max(depth_of(body)),
            TermKind::Infix(_, pair) => pair.0.depth.max(pair.1.depth),
            TermKind::In(membership) => {
                let key = membership.key.as_ref().map_or(0, |key| key.depth);
                key.max(membership.value.depth)
                    .max(membership.collection.depth)
            }
        };
        Self {
            place,
            depth: below.saturating_add(1),
            kind,
        }
    }

    /// The name, if it is a variable.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.kind {
            TermKind::Var(name) => Some(name),
            _ => None,
        }
    }
}

impl Expr {
    /// A plain one.
    pub(crate) const fn new(place: Place, kind: ExprKind) -> Self {
        Self {
            place,
            is_negated: false,
            kind,
            with: Vec::new(),
        }
    }

    /// Levels of terms in it.
    pub(crate) fn depth(&self) -> u32 {
        let own = match &self.kind {
            ExprKind::Term(term) => term.depth,
            ExprKind::Some(_) => 0,
            ExprKind::SomeIn {
                key,
                value,
                collection,
            } => key
                .as_ref()
                .map_or(0, |key| key.depth)
                .max(value.depth)
                .max(collection.depth),
            ExprKind::Every { domain, body, .. } => {
                domain.depth.max(depth_of(body)).saturating_add(1)
            }
        };
        own.max(deepest(self.with.iter().map(|with| with.value.depth)))
    }
}

/// Levels of terms in a body.
pub(crate) fn depth_of(body: &[Expr]) -> u32 {
    deepest(body.iter().map(Expr::depth))
}

fn deepest(depths: impl Iterator<Item = u32>) -> u32 {
    depths.max().unwrap_or_default()
}
