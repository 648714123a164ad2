//! What a check finds, before it is told.

use super::tree::Variable;
use crate::{
    diagnostics::{Diagnostic, Kind},
    front::ast::Place,
};

/// OPA's code of a finding, or ours where OPA has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// `rego_parse_error`
    Syntax,
    /// `rego_compile_error`
    Compile,
    /// `rego_type_error`
    Type,
    /// `rego_unsafe_var_error`
    UnsafeVariable,
    /// `rego_recursion_error`
    Recursion,
    /// OPA takes it; a decision of ours can't be made with it.
    Refused,
}

impl Code {
    /// As OPA says it.
    #[cfg(test)]
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "rego_parse_error",
            Self::Compile => "rego_compile_error",
            Self::Type => "rego_type_error",
            Self::UnsafeVariable => "rego_unsafe_var_error",
            Self::Recursion => "rego_recursion_error",
            Self::Refused => "refused",
        }
    }
}

/// One finding.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) code: Code,
    /// Which module it is in.
    pub(super) module: usize,
    pub(super) place: Place,
    /// Where the expression or the rule begins that it is about: that is where OPA tells it.
    pub(super) statement: Place,
    pub(super) message: String,
}

impl Finding {
    /// A finding at a place.
    pub(super) fn at(code: Code, module: usize, place: Place, message: impl Into<String>) -> Self {
        Self {
            code,
            module,
            place,
            statement: place,
            message: message.into(),
        }
    }

    /// As it is told.
    pub(super) fn diagnostic(self, path: &str, text: &str) -> Diagnostic {
        let kind = match self.code {
            Code::Refused => Kind::Refused,
            Code::Syntax => Kind::Syntax,
            _ => Kind::Compile,
        };
        let place = (self.place.line, self.place.column);
        Diagnostic::at(kind, path, text, place, self.message)
    }
}

/// The variables of all rules, with their names. What was made here has none.
#[derive(Debug)]
pub(super) struct Names<'a> {
    names: Vec<Option<&'a str>>,
}

impl<'a> Names<'a> {
    /// Those that there always are.
    pub(super) fn new() -> Self {
        Self {
            names: vec![Some("input"), Some("data")],
        }
    }

    /// Another variable.
    pub(super) fn fresh(&mut self, name: Option<&'a str>) -> Variable {
        let variable = Variable::try_from(self.names.len()).unwrap_or(Variable::MAX);
        self.names.push(name);
        variable
    }

    /// The name of a variable, if it is written anywhere.
    pub(super) fn of(&self, variable: Variable) -> Option<&'a str> {
        let index = usize::try_from(variable).ok()?;
        self.names.get(index).copied().flatten()
    }
}

/// How much a check may do, so that no policy keeps it busy.
#[derive(Debug)]
pub(super) struct Effort {
    left: u64,
}

impl Effort {
    /// 50 million small steps: well below a second.
    pub(super) const fn new() -> Self {
        Self { left: 50_000_000 }
    }

    /// Whether there is something left after some more steps.
    pub(super) fn spend(&mut self, steps: usize) -> bool {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.left = self.left.saturating_sub(steps);
        self.left > 0
    }

    pub(super) const fn is_exhausted(&self) -> bool {
        self.left == 0
    }
}
