//! From a rule's syntax to terms in which every name has its meaning.
//!
//! A name is a variable of the rule if the rule declares it (`:=`, `some`, a parameter) or if it means
//! nothing else; then it belongs to the outermost body that uses it. Source: OPA, "Policy Language";
//! its compiler's stages that rewrite local variables and references.

mod templates;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    code::{RuleId, Slot, Target},
    expand::{self, sorted},
    names::{Definitions, Imports, Replaced, joined},
    resolved::{
        Call, Comprehension, Function, Literal, LiteralKind, Makes, Node, Replacement, Root, With,
    },
    scope::Frame,
    used::{declared_by, names_in_term, undeclared},
};
use crate::{
    builtins::{self, Builtin},
    front::{
        Body, Expr, ExprKind, Membership, Op as Operator, Place, Term, TermKind, With as Modifier,
        constant, is_path, names_of,
    },
    value::Value,
};

/// Why a rule can't be compiled. What checks find earlier is told here in fewer words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unresolved {
    pub(crate) place: Place,
    pub(crate) message: String,
}

/// Resolves the terms of one rule.
pub(super) struct Resolver<'a> {
    pub(super) package: &'a [String],
    pub(super) imports: &'a Imports,
    pub(super) definitions: &'a Definitions,
    pub(super) scopes: Vec<BTreeMap<String, Slot>>,
    pub(super) frames: Vec<Frame>,
    /// Variables that something used.
    pub(super) seen: BTreeSet<Slot>,
    /// Names of variables by slot, to tell of them.
    pub(super) names: Vec<String>,
    pub(super) replaced: Replaced,
    /// Variables used since a comprehension began, for each that is open.
    pub(super) used: Vec<BTreeSet<Slot>>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(
        package: &'a [String],
        imports: &'a Imports,
        definitions: &'a Definitions,
    ) -> Self {
        Self {
            package,
            imports,
            definitions,
            scopes: vec![BTreeMap::new()],
            frames: Vec::new(),
            seen: BTreeSet::new(),
            names: Vec::new(),
            replaced: Replaced::default(),
            used: Vec::new(),
        }
    }

    /// Declares the variables of a function's parameters. One that stands twice is the same.
    pub(super) fn parameters(&mut self, terms: &[Term]) -> Result<Vec<Node>, Unresolved> {
        let mut names = BTreeSet::new();
        for term in terms {
            declared_by(term, &mut names);
        }
        names.remove("_");
        for name in &names {
            self.declare(name);
        }
        terms
            .iter()
            .map(|term| {
                if has_template(term) {
                    Ok(Node::Var(self.fresh("parameter")))
                } else {
                    self.term(term)
                }
            })
            .collect()
    }

    /// Parameters that are no patterns are compared in the body.
    pub(super) fn computed_parameters(
        &mut self,
        terms: &[Term],
        nodes: &[Node],
    ) -> Result<Vec<Literal>, Unresolved> {
        let computed = terms
            .iter()
            .zip(nodes)
            .filter(|(term, _)| has_template(term));
        computed
            .map(|(term, node)| {
                Ok(Literal {
                    place: term.place,
                    is_negated: false,
                    kind: LiteralKind::Unify(node.clone(), self.term(term)?),
                    with: Vec::new(),
                })
            })
            .collect()
    }

    /// Resolves a body; what it declares stays known to what is resolved after it.
    pub(super) fn body(&mut self, body: &Body) -> Result<Vec<Literal>, Unresolved> {
        let mut literals = Vec::new();
        for expr in body {
            self.expr(expr, &mut literals)?;
        }
        Ok(literals)
    }

    fn expr(&mut self, expr: &Expr, literals: &mut Vec<Literal>) -> Result<(), Unresolved> {
        let with = expr.with.iter().map(|with| self.with(with));
        let with: Vec<With> = with.collect::<Result<_, _>>()?;
        let mut push = |kind| {
            literals.push(Literal {
                place: expr.place,
                is_negated: expr.is_negated,
                kind,
                with: with.clone(),
            });
        };
        match &expr.kind {
            ExprKind::Term(term) => {
                let is_assigned = matches!(&term.kind, TermKind::Infix(Operator::Assign, _));
                if is_assigned && expr.is_negated {
                    let message = "cannot assign vars inside negated expression".to_owned();
                    let place = expr.place;
                    return Err(Unresolved { place, message });
                }
                push(self.expression(term)?);
            }
            ExprKind::Some(names) => {
                for name in names {
                    self.declare_wanted(name)?;
                }
            }
            ExprKind::SomeIn {
                key,
                value,
                collection,
            } => {
                Self::refuse_own(expr.place, key.iter().chain([value]), collection)?;
                let through = self.term(collection)?;
                self.declare_together(expr.place, key.iter().chain([value]), collection)?;
                let key = match key {
                    Some(key) => self.term(key)?,
                    None => Node::Var(self.fresh("_")),
                };
                let value = self.term(value)?;
                push(LiteralKind::Unify(value, reference(through, vec![key])));
            }
            ExprKind::Every {
                key,
                value,
                domain,
                body,
            } => {
                let domain = self.term(domain)?;
                let names = undeclared(body, []);
                let (inside, free) = self.closure(BTreeSet::new(), |this| {
                    this.framed(BTreeSet::new(), Some(body), |this| {
                        let key = key.as_ref().map(|key| this.declare_wanted(key));
                        let key = key.transpose()?;
                        let value = this.declare_wanted(value)?;
                        let body = this.scoped(names, |this| this.body(body))?;
                        Ok((key, value, body))
                    })
                })?;
                let (key, value, body) = inside;
                push(LiteralKind::Every {
                    domain,
                    key,
                    value,
                    body,
                    free,
                });
            }
        }
        Ok(())
    }

    fn expression(&mut self, term: &Term) -> Result<LiteralKind, Unresolved> {
        match &term.kind {
            TermKind::Infix(Operator::Assign, pair) => {
                let value = self.term(&pair.1)?;
                check_assignable(&pair.0)?;
                self.declare_pattern(&pair.0)?;
                Ok(LiteralKind::Unify(self.term(&pair.0)?, value))
            }
            TermKind::Infix(Operator::Unify, pair) => {
                Ok(LiteralKind::Unify(self.term(&pair.0)?, self.term(&pair.1)?))
            }
            TermKind::Call(function, arguments) if self.is_print(function) => {
                let sets = arguments.iter().map(|argument| self.set_of(argument));
                Ok(LiteralKind::Print(sets.collect::<Result<_, _>>()?))
            }
            TermKind::Call(function, arguments) => self.call_expression(term, function, arguments),
            _ => Ok(LiteralKind::Test(self.term(term)?)),
        }
    }

    /// A call as an expression may have one argument more, for its result.
    fn call_expression(
        &mut self,
        term: &Term,
        function: &Term,
        arguments: &[Term],
    ) -> Result<LiteralKind, Unresolved> {
        let (_, parameters) = self.function(function)?;
        match arguments.split_last() {
            Some((output, arguments)) if arguments.len() == parameters => {
                let call = self.call(term.place, function, arguments)?;
                Ok(LiteralKind::Output(call, self.term(output)?))
            }
            _ => Ok(LiteralKind::Test(
                self.call(term.place, function, arguments)?,
            )),
        }
    }

    fn is_print(&self, function: &Term) -> bool {
        function.name() == Some("print")
            && !self.is_global("print")
            && self.local("print").is_none()
    }

    fn var(&mut self, place: Place, name: &str) -> Result<Node, Unresolved> {
        if name == "_" {
            return Ok(Node::Var(self.fresh("_")));
        }
        if let Some(slot) = self.local(name) {
            self.seen.insert(slot);
            if let Some(used) = self.used.last_mut() {
                used.insert(slot);
            }
            return Ok(Node::Var(slot));
        }
        if self.is_pending(name) {
            let message = format!("var {name} is used above its declaration");
            return Err(Unresolved { place, message });
        }
        if let Some(path) = self.global(name) {
            return Ok(path_of(&path));
        }
        let message = format!("var {name} is unsafe: nothing gives it a value");
        Err(Unresolved { place, message })
    }

    /// What a name stands for that is no variable: its path from `input` or `data` on.
    fn global(&self, name: &str) -> Option<Vec<String>> {
        if matches!(name, "input" | "data") {
            return Some(vec![name.to_owned()]);
        }
        if let Some(path) = self.imports.get(name) {
            return Some(path.clone());
        }
        let exported = self.definitions.by_package.get(self.package)?;
        exported.contains(name).then(|| {
            let mut path = vec!["data".to_owned()];
            path.extend(self.package.iter().cloned());
            path.push(name.to_owned());
            path
        })
    }

    pub(super) fn term(&mut self, term: &Term) -> Result<Node, Unresolved> {
        if let Some(value) = constant(term) {
            return Ok(Node::Const(value));
        }
        match &term.kind {
            TermKind::Var(name) => self.var(term.place, name),
            TermKind::Ref(head, steps) => {
                let head = self.term(head)?;
                Ok(reference(head, self.terms(steps)?))
            }
            TermKind::Array(items) => Ok(Node::Array(self.terms(items)?)),
            TermKind::Set(items) => {
                let mut members = self.terms(items)?;
                members.sort_by(expand::compare);
                Ok(Node::Set(members))
            }
            TermKind::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(key, value)| Ok((self.term(key)?, self.term(value)?)));
                Ok(Node::Object(sorted(fields.collect::<Result<_, _>>()?)))
            }
            TermKind::ArrayOf(..) | TermKind::SetOf(..) | TermKind::ObjectOf(..) => {
                self.comprehension(term)
            }
            TermKind::Call(function, arguments) => self.call(term.place, function, arguments),
            TermKind::Infix(operator, pair) => {
                let arguments = vec![self.term(&pair.0)?, self.term(&pair.1)?];
                builtin_call(term.place, builtin_of(*operator), arguments)
            }
            TermKind::In(membership) => self.membership(term.place, membership),
            TermKind::Template(parts) => self.template(term.place, parts),
            TermKind::Null | TermKind::Bool(_) | TermKind::Number(_) | TermKind::Text(_) => {
                let message = "this number is larger than one may be".to_owned();
                Err(Unresolved {
                    place: term.place,
                    message,
                })
            }
        }
    }

    fn terms(&mut self, terms: &[Term]) -> Result<Vec<Node>, Unresolved> {
        terms.iter().map(|term| self.term(term)).collect()
    }

    fn comprehension(&mut self, term: &Term) -> Result<Node, Unresolved> {
        let (heads, body): (Vec<&Term>, &Body) = match &term.kind {
            TermKind::ArrayOf(head, body) | TermKind::SetOf(head, body) => (vec![&**head], body),
            TermKind::ObjectOf(pair, body) => (vec![&pair.0, &pair.1], body),
            _ => return self.term(term),
        };
        let names = undeclared(body, heads.iter().copied());
        let inside = |this: &mut Self| {
            let body = this.body(body)?;
            let mut heads = heads.iter().map(|head| this.term(head));
            let mut next = || heads.next().unwrap_or(Ok(Node::Const(Value::Null)));
            let makes = match &term.kind {
                TermKind::ArrayOf(..) => Makes::Array(next()?),
                TermKind::SetOf(..) => Makes::Set(next()?),
                _ => Makes::Object(next()?, next()?),
            };
            Ok((body, makes))
        };
        let ((body, makes), free) = self.framed(BTreeSet::new(), Some(body), |this| {
            this.closure(names, inside)
        })?;
        Ok(Node::Comprehension(Box::new(Comprehension {
            place: term.place,
            body,
            makes,
            free,
        })))
    }

    fn membership(&mut self, place: Place, membership: &Membership) -> Result<Node, Unresolved> {
        let key = membership.key.as_ref().map(|key| self.term(key));
        let mut arguments: Vec<Node> = key.into_iter().collect::<Result<_, _>>()?;
        arguments.push(self.term(&membership.value)?);
        arguments.push(self.term(&membership.collection)?);
        let name = match arguments.len() {
            2 => "internal.member_2",
            _ => "internal.member_3",
        };
        builtin_call(place, name, arguments)
    }

    fn call(
        &mut self,
        place: Place,
        function: &Term,
        arguments: &[Term],
    ) -> Result<Node, Unresolved> {
        let (function, parameters) = self.function(function)?;
        if arguments.len() != parameters {
            let message = format!("this function takes {parameters} arguments");
            return Err(Unresolved { place, message });
        }
        Ok(Node::Call(Box::new(Call {
            place,
            function,
            arguments: self.terms(arguments)?,
        })))
    }

    /// What a name or path calls, and how many arguments that takes.
    fn function(&self, function: &Term) -> Result<(Function, usize), Unresolved> {
        let names = names_of(function);
        let is_local = names.first().is_some_and(|name| self.local(name).is_some());
        if is_path(function) && !is_local {
            if let Some((rule, parameters)) = self.rule_function(&names) {
                return Ok((Function::Target(Target::Function(rule)), parameters));
            }
            if names.first().is_some_and(|name| name == "walk") && names.len() == 1 {
                return Ok((Function::Walk, 1));
            }
            let name = names.join(".");
            if let Some(builtin) = builtins::find(&name) {
                let parameters = builtins::parameters(&name).unwrap_or_default();
                return Ok((Function::Target(Target::Builtin(builtin)), parameters));
            }
        }
        let message = format!("undefined function {}", names.join("."));
        Err(Unresolved {
            place: function.place,
            message,
        })
    }

    fn rule_function(&self, names: &[String]) -> Option<(RuleId, usize)> {
        let (first, rest) = names.split_first()?;
        let path = if first == "data" {
            rest.to_vec()
        } else if let Some(import) = self.imports.get(first) {
            joined(import.get(1..)?, rest)
        } else {
            joined(self.package, names)
        };
        self.definitions.functions.get(&path).copied()
    }

    fn with(&mut self, with: &Modifier) -> Result<With, Unresolved> {
        let names = names_of(&with.target);
        if let Ok((Function::Target(target), _)) = self.function(&with.target) {
            self.replaced.callees.push(target.callee());
            if is_path(&with.value)
                && let Ok((Function::Target(replacement), _)) = self.function(&with.value)
            {
                return Ok(With::Call(target, Replacement::Target(replacement)));
            }
            let value = self.term(&with.value)?;
            return Ok(With::Call(target, Replacement::Value(value)));
        }
        let value = self.term(&with.value)?;
        let (first, rest) = names.split_first().ok_or_else(|| Unresolved {
            place: with.place,
            message: "`with` replaces nothing".to_owned(),
        })?;
        let path = match self.global(first) {
            Some(path) => joined(&path, rest),
            None => names.clone(),
        };
        match path.split_first() {
            Some((root, path)) if root == "input" => Ok(With::Input(path.to_vec(), value)),
            Some((root, path)) if root == "data" => {
                self.replaced.paths.push((with.place, path.to_vec()));
                Ok(With::Data(path.to_vec(), value))
            }
            _ => Err(Unresolved {
                place: with.place,
                message: format!(
                    "`with` replaces `input`, `data`, functions and builtins; `{first}` is none"
                ),
            }),
        }
    }
}

fn has_template(term: &Term) -> bool {
    match &term.kind {
        TermKind::Template(_) => true,
        TermKind::Array(items) | TermKind::Set(items) => items.iter().any(has_template),
        TermKind::Object(fields) => fields
            .iter()
            .any(|(key, value)| has_template(key) || has_template(value)),
        _ => false,
    }
}

/// A reference whose head may be one itself.
fn reference(head: Node, mut steps: Vec<Node>) -> Node {
    match head {
        Node::Ref(root, mut path) => {
            path.append(&mut steps);
            Node::Ref(root, path)
        }
        head => Node::Ref(Box::new(Root::Term(head)), steps),
    }
}

fn path_of(path: &[String]) -> Node {
    let root = match path.first().map(String::as_str) {
        Some("input") => Root::Input,
        _ => Root::Data,
    };
    let steps = path.iter().skip(1);
    let steps = steps.map(|name| Node::Const(Value::from(name.as_str())));
    Node::Ref(Box::new(root), steps.collect())
}

fn builtin_call(place: Place, name: &str, arguments: Vec<Node>) -> Result<Node, Unresolved> {
    let builtin: &'static Builtin = builtins::find(name).ok_or_else(|| Unresolved {
        place,
        message: format!("undefined function {name}"),
    })?;
    Ok(Node::Call(Box::new(Call {
        place,
        function: Function::Target(Target::Builtin(builtin)),
        arguments,
    })))
}

/// The builtin of an operator. Source: OPA, `ast/builtins.go`.
const fn builtin_of(operator: Operator) -> &'static str {
    match operator {
        Operator::Assign | Operator::Unify => "eq",
        Operator::Equal => "equal",
        Operator::NotEqual => "neq",
        Operator::Less => "lt",
        Operator::LessOrEqual => "lte",
        Operator::Greater => "gt",
        Operator::GreaterOrEqual => "gte",
        Operator::Union => "or",
        Operator::Intersection => "and",
        Operator::Add => "plus",
        Operator::Subtract => "minus",
        Operator::Multiply => "mul",
        Operator::Divide => "div",
        Operator::Remainder => "rem",
    }
}

/// What stands before `:=` is made of variables.
fn check_assignable(pattern: &Term) -> Result<(), Unresolved> {
    match &pattern.kind {
        TermKind::Var(_) => Ok(()),
        TermKind::Array(items) => items.iter().try_for_each(check_assignable),
        TermKind::Object(fields) => fields
            .iter()
            .try_for_each(|(_, value)| check_assignable(value)),
        _ => Err(Unresolved {
            place: pattern.place,
            message: "only variables, and arrays and objects of them, can be assigned to"
                .to_owned(),
        }),
    }
}
