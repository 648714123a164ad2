//! What is called, and by how much. Source: OPA, `v1/ast/compile.go`.

use super::{
    finding::{Code, Finding},
    paths::{Paths, shown},
    suggestions::similar,
    tree::{DATA, Expr, ExprKind, Function, INPUT, Kind, Rule, Target, Term, With, WithValue},
    variables::{Inside, bodies_in, bodies_in_term},
};
use crate::{builtins::declarations::Declaration, check::fitting::unpacked, front::Dialect};

/// Checks the calls of rules.
pub(super) struct Calls<'r, 'a> {
    pub(super) rules: &'r [Rule<'a>],
    pub(super) paths: &'r Paths,
    /// Of the modules.
    pub(super) dialects: &'r [Dialect],
}

impl<'a> Calls<'_, 'a> {
    /// The number of a function's parameters; a rule has none.
    pub(super) fn arity(&self, function: &Function<'a>) -> Option<usize> {
        match function {
            Function::Unify => Some(2),
            Function::Builtin(builtin) => Some(arity_of(builtin)),
            Function::Rule(steps) => {
                let first = self.paths.rules_at(steps).first()?;
                Some(self.rules.get(*first)?.parameters.len())
            }
            Function::Unknown(_) | Function::Told => None,
        }
    }

    /// Finds wrong calls in a rule.
    pub(super) fn rule(&self, rule: &Rule<'a>, findings: &mut Vec<Finding>) {
        self.body(rule.module, &rule.body, findings);
        for term in [&rule.value].into_iter().chain(&rule.parameters) {
            bodies_in_term(term, &mut |inside| {
                self.inside(rule.module, inside, findings);
            });
        }
    }

    fn inside(&self, module: usize, inside: Inside<'_, 'a>, findings: &mut Vec<Finding>) {
        match inside {
            Inside::Comprehension(comprehension) => {
                self.body(module, &comprehension.body, findings);
            }
            Inside::Every(every) => self.body(module, &every.body, findings),
        }
    }

    fn body(&self, module: usize, body: &[Expr<'a>], findings: &mut Vec<Finding>) {
        for expr in body {
            if let ExprKind::Call(function, arguments) = &expr.kind {
                findings.extend(
                    refused(function)
                        .map(|message| Finding::at(Code::Refused, module, expr.place, message)),
                );
                let found = self.call(module, function, arguments, expr.is_generated);
                findings.extend(
                    found.map(|(code, message)| Finding::at(code, module, expr.place, message)),
                );
            }
            for with in expr.with.iter() {
                let found = self.with(with);
                findings.extend(
                    found.map(|(code, message)| Finding::at(code, module, with.place, message)),
                );
            }
            bodies_in(expr, &mut |inside| {
                self.inside(module, inside, findings);
            });
        }
    }

    fn call(
        &self,
        module: usize,
        function: &Function<'a>,
        arguments: &[Term<'a>],
        is_generated: bool,
    ) -> Option<(Code, String)> {
        if matches!(function, Function::Told) {
            return None;
        }
        let name = name_of(function);
        if let Function::Builtin(Declaration {
            is_deprecated: true,
            ..
        }) = function
            && self.dialects.get(module) != Some(&Dialect::V0)
        {
            let message = format!("`{name}` is deprecated and no part of Rego v1");
            return Some((Code::Type, message));
        }
        let Some(arity) = self.arity(function) else {
            let similar = similar(&name, self.rules);
            let hint =
                similar.map_or_else(String::new, |other| format!("; did you mean `{other}`?"));
            return Some((
                Code::Type,
                format!("there is no function `{name}` here{hint}"),
            ));
        };
        if matches!(function, Function::Builtin(builtin) if builtin.is_variadic) {
            return None;
        }
        let with_result = arity.saturating_add(1);
        let given = arguments.len();
        let is_fine = if is_generated {
            given == with_result || matches!(function, Function::Unify)
        } else {
            given == arity || given == with_result
        };
        let given = given.saturating_sub(usize::from(is_generated));
        (!is_fine).then(|| {
            let plural = if arity == 1 { "" } else { "s" };
            let message = format!("`{name}` takes {arity} argument{plural}, not {given}");
            (Code::Type, message)
        })
    }

    fn with(&self, with: &With<'a>) -> Option<(Code, String)> {
        match &with.target {
            Target::Reference(INPUT, _) => None,
            Target::Reference(DATA, steps) => self
                .with_data(steps)
                .or_else(|| self.with_function(steps, &with.value)),
            Target::Builtin(builtin) => self.with_builtin(builtin, &with.value),
            Target::Reference(..) | Target::Other => {
                let message = "`with` replaces parts of `input`, parts of `data`, or a function";
                Some((Code::Type, message.to_owned()))
            }
        }
        .or_else(|| match &with.value {
            WithValue::Builtin(builtin) => {
                refused(&Function::Builtin(builtin)).map(|message| (Code::Refused, message))
            }
            WithValue::Term(_) => None,
        })
    }

    fn with_data(&self, steps: &[Term<'a>]) -> Option<(Code, String)> {
        let (_, above) = steps.split_last()?;
        let is_inside = (1..=above.len()).any(|length| {
            let prefix = above.get(..length).unwrap_or_default();
            !self.paths.rules_at(prefix).is_empty()
        });
        is_inside.then(|| {
            let message = "`with` can't replace a part of a rule's value; replace the whole rule";
            (Code::Compile, message.to_owned())
        })
    }

    fn with_builtin(&self, builtin: &Declaration, value: &WithValue<'a>) -> Option<(Code, String)> {
        let name = builtin.name;
        let is_fixed = matches!(name, "eq" | "rego.metadata.chain" | "rego.metadata.rule")
            || name.starts_with("internal.")
            || builtin.is_relation
            || builtin.result.is_none();
        if is_fixed {
            return Some((Code::Compile, format!("`{name}` can't be replaced")));
        }
        if name == "equal" {
            // In OPA it replaces the function, and not the operator that is written for it.
            let message = "`equal` can't be replaced; replace a function of your own";
            return Some((Code::Refused, message.to_owned()));
        }
        self.other_arity(name, arity_of(builtin), value)
    }

    fn with_function(&self, steps: &[Term<'a>], value: &WithValue<'a>) -> Option<(Code, String)> {
        let first = self.paths.rules_at(steps).first()?;
        let arity = self.rules.get(*first)?.parameters.len();
        if arity == 0 {
            return None;
        }
        self.other_arity(&shown(steps), arity, value)
    }

    /// A function can be replaced by one with as many parameters only, or by a value.
    fn other_arity(
        &self,
        name: &str,
        arity: usize,
        value: &WithValue<'a>,
    ) -> Option<(Code, String)> {
        let other = match value {
            WithValue::Builtin(other) => arity_of(other),
            WithValue::Term(Term {
                kind: Kind::Reference(DATA, steps),
                ..
            }) => {
                let first = self.paths.rules_at(steps).first()?;
                self.rules.get(*first)?.parameters.len()
            }
            WithValue::Term(_) => return None,
        };
        (other != arity && other > 0).then(|| {
            let message = format!("`{name}` takes {arity} arguments, its replacement {other}");
            (Code::Type, message)
        })
    }
}

/// The number of a builtin's arguments.
pub(super) fn arity_of(builtin: &Declaration) -> usize {
    unpacked(builtin.arguments).len()
}

/// A function as it is written.
pub(super) fn name_of(function: &Function<'_>) -> String {
    match function {
        Function::Unify => "=".to_owned(),
        Function::Builtin(builtin) => builtin.name.to_owned(),
        Function::Rule(steps) => shown(steps),
        Function::Unknown(name) => name.clone(),
        Function::Told => String::new(),
    }
}

/// Why a call is never permitted, if it is not.
fn refused(function: &Function<'_>) -> Option<String> {
    let Function::Builtin(builtin) = function else {
        return None;
    };
    let reason = refusal(builtin.name)?;
    Some(format!("`{}` is not permitted: {reason}", builtin.name))
}

/// Why a builtin is never permitted, though OPA has it.
pub(super) fn refusal(name: &str) -> Option<&'static str> {
    Some(match name {
        "http.send" | "net.lookup_ip_addr" => "a decision does not call out",
        "opa.runtime" => "a decision does not depend on where it is made",
        "rand.intn" | "uuid.rfc4122" => "a decision depends on nothing but its input",
        "trace" => "nothing reads its notes; use `print`",
        "rego.parse_module" => "a decision does not read policies",
        "strings.render_template" => "it takes templates of another language; use `$\"…{x}…\"`",
        "graphql.is_valid"
        | "graphql.parse"
        | "graphql.parse_and_verify"
        | "graphql.parse_query"
        | "graphql.parse_schema"
        | "graphql.schema_is_valid" => "a decision does not read GraphQL",
        "providers.aws.sign_req" => "a decision does not sign requests",
        _ => return None,
    })
}
