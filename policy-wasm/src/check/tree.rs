//! Rules in the form in which OPA checks them: every name is resolved, and every call inside a term
//! is an expression of its own before the one that it stands in.

use std::rc::Rc;

use crate::{builtins::declarations::Declaration, front::ast::Place};

/// A variable. One that a rule declares anew is another one.
pub(super) type Variable = u32;

/// `input`
pub(super) const INPUT: Variable = 0;
/// `data`
pub(super) const DATA: Variable = 1;

/// A value, or what becomes one.
#[derive(Debug, Clone)]
pub(super) struct Term<'a> {
    pub(super) place: Place,
    pub(super) kind: Kind<'a>,
}

/// The kinds of terms.
#[derive(Debug, Clone)]
pub(super) enum Kind<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    Text(&'a str),
    Variable(Variable),
    /// A variable and steps; `input` and `data` have none.
    Reference(Variable, Vec<Term<'a>>),
    Array(Vec<Term<'a>>),
    Set(Vec<Term<'a>>),
    Object(Vec<(Term<'a>, Term<'a>)>),
    Comprehension(Box<Comprehension<'a>>),
}

/// What a comprehension makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Array,
    Set,
    Object,
}

/// Why there is a comprehension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is written.
    Written,
    /// It holds a part of a template, so that it may be undefined.
    Template,
    /// It holds an argument of `print`, for the same reason.
    Print,
}

/// `[value | body]` and the like.
#[derive(Debug, Clone)]
pub(super) struct Comprehension<'a> {
    /// Tells it apart from others.
    pub(super) id: Variable,
    pub(super) shape: Shape,
    pub(super) origin: Origin,
    pub(super) key: Option<Term<'a>>,
    pub(super) value: Term<'a>,
    pub(super) body: Vec<Expr<'a>>,
}

/// One expression of a body.
#[derive(Debug, Clone)]
pub(super) struct Expr<'a> {
    pub(super) place: Place,
    pub(super) is_negated: bool,
    /// Whether it gives a part of another one its value.
    pub(super) is_generated: bool,
    /// Whether it is written with `:=`.
    pub(super) is_assignment: bool,
    pub(super) kind: ExprKind<'a>,
    pub(super) with: Rc<[With<'a>]>,
}

/// The kinds of expressions.
#[derive(Debug, Clone)]
pub(super) enum ExprKind<'a> {
    Term(Term<'a>),
    /// Arguments, and maybe what the result is.
    Call(Function<'a>, Vec<Term<'a>>),
    Every(Box<Every<'a>>),
}

/// `every key, value in domain { body }`
#[derive(Debug, Clone)]
pub(super) struct Every<'a> {
    pub(super) key: Option<Variable>,
    pub(super) value: Variable,
    pub(super) domain: Term<'a>,
    pub(super) body: Vec<Expr<'a>>,
}

/// What is called.
#[derive(Debug, Clone)]
pub(super) enum Function<'a> {
    /// `=`, and `:=` when it is resolved.
    Unify,
    Builtin(&'static Declaration),
    /// The steps of a reference below `data`.
    Rule(Vec<Term<'a>>),
    /// A name that is nothing.
    Unknown(String),
    /// A name of which it is told already that it can't be called.
    Told,
}

/// `with target as value`
#[derive(Debug, Clone)]
pub(super) struct With<'a> {
    pub(super) place: Place,
    pub(super) target: Target<'a>,
    pub(super) value: WithValue<'a>,
}

/// What `with` replaces.
#[derive(Debug, Clone)]
pub(super) enum Target<'a> {
    /// Of `input` or `data`, or of what is none of both.
    Reference(Variable, Vec<Term<'a>>),
    Builtin(&'static Declaration),
    Other,
}

/// By what `with` replaces it.
#[derive(Debug, Clone)]
pub(super) enum WithValue<'a> {
    Term(Term<'a>),
    Builtin(&'static Declaration),
}

/// A rule, or one of its `else` branches.
#[derive(Debug)]
pub(super) struct Rule<'a> {
    /// Which module it is in.
    pub(super) module: usize,
    pub(super) place: Place,
    pub(super) is_default: bool,
    /// The steps of its name below `data`, its package first.
    pub(super) path: Vec<Term<'a>>,
    /// Parameters; a rule that is no function has none.
    pub(super) parameters: Vec<Term<'a>>,
    /// Whether it is written with `contains`.
    pub(super) is_partial_set: bool,
    /// Its value, or its member.
    pub(super) value: Term<'a>,
    pub(super) body: Vec<Expr<'a>>,
    /// The branch before, if it is an `else`.
    pub(super) follows: Option<usize>,
    /// Whether there is a finding in it, so that others would mislead.
    pub(super) is_wrong: bool,
}

impl<'a> Term<'a> {
    pub(super) const fn new(place: Place, kind: Kind<'a>) -> Self {
        Self { place, kind }
    }

    pub(super) const fn variable(place: Place, variable: Variable) -> Self {
        Self::new(place, Kind::Variable(variable))
    }

    /// Whether it says its value outright.
    pub(super) fn is_constant(&self) -> bool {
        match &self.kind {
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => true,
            Kind::Variable(_) | Kind::Reference(..) | Kind::Comprehension(_) => false,
            Kind::Array(items) | Kind::Set(items) => items.iter().all(Self::is_constant),
            Kind::Object(fields) => fields
                .iter()
                .all(|(key, value)| key.is_constant() && value.is_constant()),
        }
    }

    pub(super) const fn is_scalar(&self) -> bool {
        matches!(
            self.kind,
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_)
        )
    }

    /// Whether it has a reference or a comprehension in it.
    pub(super) fn needs_evaluation(&self) -> bool {
        match &self.kind {
            Kind::Reference(..) | Kind::Comprehension(_) => true,
            Kind::Array(items) | Kind::Set(items) => items.iter().any(Self::needs_evaluation),
            Kind::Object(fields) => fields
                .iter()
                .any(|(key, value)| key.needs_evaluation() || value.needs_evaluation()),
            _ => false,
        }
    }
}

impl<'a> Expr<'a> {
    /// A plain one.
    pub(super) fn new(place: Place, kind: ExprKind<'a>) -> Self {
        Self {
            place,
            is_negated: false,
            is_generated: false,
            is_assignment: false,
            kind,
            with: Rc::new([]),
        }
    }

    /// `left = right`
    pub(super) fn equation(place: Place, left: Term<'a>, right: Term<'a>) -> Self {
        Self::new(place, ExprKind::Call(Function::Unify, vec![left, right]))
    }

    /// The sides of a unification.
    pub(super) fn sides(&self) -> Option<(&Term<'a>, &Term<'a>)> {
        match &self.kind {
            ExprKind::Call(Function::Unify, sides) => match sides.as_slice() {
                [left, right] => Some((left, right)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The steps up to the first that is not known.
pub(super) fn constant_prefix<'t, 'a>(steps: &'t [Term<'a>]) -> &'t [Term<'a>] {
    let length = steps.iter().take_while(|step| step.is_constant()).count();
    steps.get(..length).unwrap_or(steps)
}
