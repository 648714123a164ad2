//! What a name means at a place of a rule: a variable of the rule, a rule, or an import.
//!
//! Source: OPA, `v1/ast/compile.go`, the stages that resolve references and rewrite local variables.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    finding::Names,
    tree::{DATA, INPUT, Variable},
};
use crate::front::ast::{self, Body, Expr, ExprKind, HeadValue, Op, Part, Place, TermKind};

/// What a name stands for that a module's rules and imports define.
#[derive(Debug, Clone)]
pub(super) struct Global<'a> {
    pub(super) base: Variable,
    pub(super) steps: Vec<&'a str>,
}

/// Where a name means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// In the innermost scope.
    Here,
    /// In one around it, or as a rule or import.
    Around,
}

/// How a name came into a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occurrence {
    Parameter,
    Seen,
    Assigned,
    Declared,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Scope<'a> {
    names: BTreeMap<&'a str, (Variable, Occurrence)>,
    /// What `some` and `every` declare here.
    declared: Vec<(&'a str, Variable, Place)>,
}

/// The names at a place of a rule.
#[derive(Debug)]
pub(super) struct Scopes<'a, 'c> {
    globals: &'c BTreeMap<&'a str, Global<'a>>,
    /// Names that are no globals here, whatever they turn out to be.
    hidden: Vec<BTreeSet<&'a str>>,
    stack: Vec<Scope<'a>>,
    /// Variables that nothing declares: one of a name is the same in the whole rule.
    written: BTreeMap<&'a str, Variable>,
    used: BTreeSet<Variable>,
    /// Whether names are those of parameters, of which none is a global.
    is_in_parameters: bool,
}

impl<'a, 'c> Scopes<'a, 'c> {
    pub(super) const fn new(globals: &'c BTreeMap<&'a str, Global<'a>>) -> Self {
        Self {
            globals,
            hidden: Vec::new(),
            stack: Vec::new(),
            written: BTreeMap::new(),
            used: BTreeSet::new(),
            is_in_parameters: false,
        }
    }

    /// Goes to a function's parameters, or away from them.
    pub(super) const fn in_parameters(&mut self, is_there: bool) {
        self.is_in_parameters = is_there;
    }

    /// Goes into a body that declares these names.
    pub(super) fn enter(&mut self, hidden: BTreeSet<&'a str>, scope: Scope<'a>) {
        self.hidden.push(hidden);
        self.stack.push(scope);
    }

    /// Makes names no globals for a while.
    pub(super) fn hide(&mut self, hidden: BTreeSet<&'a str>) {
        self.hidden.push(hidden);
    }

    /// Ends that.
    pub(super) fn show(&mut self) {
        self.hidden.pop();
    }

    /// Leaves it. Returns its scope.
    pub(super) fn leave(&mut self) -> Scope<'a> {
        self.hidden.pop();
        self.stack.pop().unwrap_or_default()
    }

    /// The rule or import of a name, if it means one here.
    pub(super) fn global(&self, name: &str) -> Option<&'c Global<'a>> {
        let is_hidden =
            self.is_in_parameters || self.hidden.iter().any(|names| names.contains(name));
        self.globals.get(name).filter(|_| !is_hidden && name != "_")
    }

    /// Whether a name is a variable that is declared around here.
    pub(super) fn is_declared(&self, name: &str) -> bool {
        let found = self.found(name);
        found.is_some_and(|(_, occurrence)| occurrence != Occurrence::Seen)
    }

    /// Where a name means something already.
    pub(super) fn meaning(&self, name: &str) -> Option<Meaning> {
        let innermost = self.stack.last();
        if innermost.is_some_and(|scope| scope.names.contains_key(name)) {
            return Some(Meaning::Here);
        }
        let is_around = self.found(name).is_some() || self.global(name).is_some();
        is_around.then_some(Meaning::Around)
    }

    fn found(&self, name: &str) -> Option<(Variable, Occurrence)> {
        let mut scopes = self.stack.iter().rev();
        scopes.find_map(|scope| scope.names.get(name).copied())
    }

    /// The variable of a name that is used here.
    pub(super) fn variable(&mut self, name: &'a str, names: &mut Names<'a>) -> Variable {
        if name == "_" {
            return names.fresh(Some(name));
        }
        if let Some((variable, _)) = self.found(name) {
            self.used.insert(variable);
            return variable;
        }
        let variable = self.written(name, names);
        if let Some(scope) = self.stack.last_mut() {
            scope.names.insert(name, (variable, Occurrence::Seen));
        }
        variable
    }

    /// The variable of a name that nothing declares.
    pub(super) fn written(&mut self, name: &'a str, names: &mut Names<'a>) -> Variable {
        *self
            .written
            .entry(name)
            .or_insert_with(|| names.fresh(Some(name)))
    }

    /// Declares a name here.
    /// Errors: why it can't be.
    pub(super) fn declare(
        &mut self,
        name: &'a str,
        place: Place,
        occurrence: Occurrence,
        names: &mut Names<'a>,
    ) -> Result<Variable, String> {
        let variable = names.fresh(Some(name));
        if name == "_" {
            return Ok(variable);
        }
        let Some(scope) = self.stack.last_mut() else {
            return Ok(variable);
        };
        if let Some((_, earlier)) = scope.names.get(name) {
            return Err(match earlier {
                Occurrence::Seen => {
                    format!("`{name}` is used above; give it its value before that")
                }
                Occurrence::Assigned => {
                    format!("`{name}` is assigned above; take another name")
                }
                Occurrence::Declared => {
                    format!("`{name}` is declared above; take another name, or `=`")
                }
                Occurrence::Parameter => {
                    format!("`{name}` is a parameter of the function; take another name")
                }
            });
        }
        scope.names.insert(name, (variable, occurrence));
        if occurrence == Occurrence::Declared {
            scope.declared.push((name, variable, place));
        }
        Ok(variable)
    }

    /// The variable of a parameter, which may have the name of another.
    pub(super) fn parameter(&mut self, name: &'a str, names: &mut Names<'a>) -> Variable {
        let found = self.found(name).filter(|_| name != "_");
        if let Some((variable, _)) = found {
            return variable;
        }
        let variable = names.fresh(Some(name));
        if let Some(scope) = self.stack.last_mut() {
            scope.names.insert(name, (variable, Occurrence::Parameter));
        }
        variable
    }

    /// Marks what a pattern behind `some` declares as used: it is bound there.
    pub(super) fn mark_used(&mut self, variable: Variable) {
        self.used.insert(variable);
    }

    /// What is declared here and not used, each with its place.
    pub(super) fn unused(&self) -> Vec<(&'a str, Place)> {
        let declared = self
            .stack
            .last()
            .into_iter()
            .flat_map(|scope| &scope.declared);
        declared
            .filter(|(_, variable, _)| !self.used.contains(variable))
            .map(|(name, _, place)| (*name, *place))
            .collect()
    }
}

/// The document of a name, if it is one.
pub(super) fn document(name: &str) -> Option<Variable> {
    match name {
        "input" => Some(INPUT),
        "data" => Some(DATA),
        _ => None,
    }
}

/// The names that a body declares for itself, those in bodies of `every` too.
pub(super) fn declared_in<'a>(body: &'a Body, found: &mut BTreeSet<&'a str>) {
    for expr in body {
        declared_by(expr, found);
    }
}

fn declared_by<'a>(expr: &'a Expr, found: &mut BTreeSet<&'a str>) {
    match &expr.kind {
        ExprKind::Term(term) => {
            if let TermKind::Infix(Op::Assign, pair) = &term.kind {
                names_in(&pair.0, found);
            }
        }
        ExprKind::Some(names) => found.extend(names.iter().map(|name| name.text.as_str())),
        ExprKind::SomeIn { key, value, .. } => {
            for pattern in key.iter().chain([value]) {
                names_in(pattern, found);
            }
        }
        ExprKind::Every { body, .. } => declared_in(body, found),
    }
}

/// The names that references in a term go through collections by, outside bodies.
pub(super) fn steps_in<'a>(term: &'a ast::Term, found: &mut BTreeSet<&'a str>) {
    match &term.kind {
        TermKind::Ref(head, steps) => {
            steps_in(head, found);
            for step in steps {
                names_in(step, found);
            }
        }
        TermKind::Array(items) | TermKind::Set(items) | TermKind::Call(_, items) => {
            for item in items {
                steps_in(item, found);
            }
        }
        TermKind::Object(fields) => {
            for (key, value) in fields {
                steps_in(key, found);
                steps_in(value, found);
            }
        }
        TermKind::Infix(_, pair) => {
            steps_in(&pair.0, found);
            steps_in(&pair.1, found);
        }
        _ => {}
    }
}

/// The names in a term, whatever they mean.
pub(super) fn names_in<'a>(term: &'a ast::Term, found: &mut BTreeSet<&'a str>) {
    let mut pending = vec![term];
    while let Some(term) = pending.pop() {
        match &term.kind {
            TermKind::Var(name) => {
                found.insert(name);
            }
            TermKind::Ref(head, items) | TermKind::Call(head, items) => {
                pending.push(head);
                pending.extend(items);
            }
            TermKind::Array(items) | TermKind::Set(items) => pending.extend(items),
            TermKind::Object(fields) => {
                pending.extend(fields.iter().flat_map(|(key, value)| [key, value]));
            }
            TermKind::Infix(_, pair) => pending.extend([&pair.0, &pair.1]),
            TermKind::In(membership) => {
                pending.extend(membership.key.iter());
                pending.extend([&membership.value, &membership.collection]);
            }
            TermKind::Template(parts) => {
                pending.extend(parts.iter().filter_map(|part| match part {
                    Part::Expr(Expr {
                        kind: ExprKind::Term(term),
                        ..
                    }) => Some(term),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
}

/// The names that are no globals in a rule because its parameters have them.
pub(super) fn parameters_in<'a>(term: &'a ast::Term, found: &mut BTreeSet<&'a str>) {
    match &term.kind {
        TermKind::Var(name) => {
            found.insert(name);
        }
        TermKind::Array(items) => {
            for item in items {
                parameters_in(item, found);
            }
        }
        TermKind::Object(fields) => {
            for (_, value) in fields {
                parameters_in(value, found);
            }
        }
        TermKind::Ref(head, steps) => {
            for term in steps.iter().chain([head.as_ref()]) {
                parameters_in(term, found);
            }
        }
        _ => {}
    }
}

/// Whether a head is one of a set.
pub(super) const fn is_partial_set(value: &HeadValue) -> bool {
    matches!(value, HeadValue::Contains(_))
}
