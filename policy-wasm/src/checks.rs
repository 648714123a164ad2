//! What a policy may not do, found before it is ever evaluated.
//!
//! Some builtins of the engine (regorus 0.14.1) panic or allocate without bound on certain
//! arguments, and a panic in a Worker ends every request of its isolate. Others would make a
//! decision depend on more than its input. Both kinds are refused here, with the place.

use std::collections::{BTreeMap, BTreeSet};

use regorus::{
    Value,
    unstable::{BUILTINS, Expr, Module, Span},
};

use crate::{
    diagnostics::{Diagnostic, Kind},
    engine_builtins,
    syntax::{Shape, Visit, head_of, locals, package_of, path_of, start_of, walk},
};

/// Widest number of places a `sprintf` verb may ask for.
const FORMAT_WIDTH_MAX: u32 = 1_000;
/// Most elements a `numbers.range` may have.
const RANGE_MAX: i64 = 10_000;
/// Furthest a `bits.lsh` may shift.
const SHIFT_MAX: i64 = 1_024;

/// Checks all modules of a bundle together.
pub(crate) fn check(modules: &[&Module]) -> Vec<Diagnostic> {
    let functions = functions_of(modules);
    let mut findings = Vec::new();
    for module in modules {
        let names = Names::of(module, &functions);
        let defined = defined_in(module, modules);
        for rule in &module.policy {
            let mut variables = Variables::default();
            walk(rule.as_ref(), &mut |visit| {
                variables.see(visit);
                let Visit::Expr(expr, _) = visit else { return };
                if let Some((span, kind, message)) = names.check(expr) {
                    findings.push(at(span, kind, message));
                }
            });
            findings.extend(variables.undefined(&defined).map(|span| {
                let message = format!("`{}` is not defined here", span.text());
                at(span, Kind::Compile, message)
            }));
        }
    }
    findings.sort_by(|left, right| {
        (&left.file, left.line, left.column).cmp(&(&right.file, right.line, right.column))
    });
    findings
}

/// A finding at a place of the syntax tree. The column comes from the offset: the engine's own
/// counts a tab as four.
pub(crate) fn at(span: &Span, kind: Kind, message: impl Into<String>) -> Diagnostic {
    let text = span.source.contents().as_str();
    let start = usize::try_from(span.start).unwrap_or_default();
    let before = text.get(..start).unwrap_or_default();
    let line_start = before.rsplit('\n').next().unwrap_or_default();
    let column = u32::try_from(line_start.chars().count())
        .unwrap_or(u32::MAX)
        .saturating_add(1);
    let file = span.source.file().as_str();
    Diagnostic::at(kind, file, text, (span.line, column), message)
}

fn functions_of(modules: &[&Module]) -> BTreeSet<Vec<String>> {
    let mut functions = BTreeSet::new();
    for module in modules {
        for rule in &module.policy {
            let (name, shape) = head_of(rule.as_ref());
            if shape == Shape::Function {
                let mut path = package_of(module);
                path.extend(name);
                functions.insert(path);
            }
        }
    }
    functions
}

/// Names that any rule of a module may use: its package's rules, its imports, the documents.
fn defined_in(module: &Module, modules: &[&Module]) -> BTreeSet<String> {
    let package = package_of(module);
    let rules = modules
        .iter()
        .filter(|other| package_of(other) == package)
        .flat_map(|other| other.policy.iter())
        .filter_map(|rule| head_of(rule.as_ref()).0.into_iter().next());
    let imports = module
        .imports
        .iter()
        .filter_map(|import| match &import.r#as {
            Some(span) => Some(span.text().to_owned()),
            None => path_of(&import.refr)?.pop(),
        });
    let documents = ["input", "data", "rego", "_"].map(str::to_owned);
    rules.chain(imports).chain(documents).collect()
}

/// The variables of one rule: those that something may give a value, and those that are used.
#[derive(Default)]
struct Variables<'a> {
    bound: BTreeSet<&'a str>,
    used: BTreeMap<&'a str, &'a Span>,
}

impl<'a> Variables<'a> {
    fn see(&mut self, visit: Visit<'a>) {
        match visit {
            Visit::Local(span) => {
                self.bound.insert(span.text());
            }
            Visit::Expr(expr, _) => {
                match expr {
                    // `x = y` and `collection[x]` give a value to whichever side has none.
                    Expr::AssignExpr { lhs, rhs, .. } => {
                        self.bind(lhs);
                        self.bind(rhs);
                    }
                    Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                        let mut current = expr;
                        loop {
                            match current {
                                Expr::RefBrack { refr, index, .. } => {
                                    self.bind(index);
                                    current = refr;
                                }
                                Expr::RefDot { refr, .. } => current = refr,
                                _ => break,
                            }
                        }
                    }
                    // A last parameter beyond a function's own receives its value.
                    Expr::Call { params, .. } => {
                        if let Some(last) = params.last() {
                            self.bind(last);
                        }
                    }
                    _ => {}
                }
                if matches!(
                    expr,
                    Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. }
                ) {
                    self.use_root(expr);
                }
            }
        }
    }

    fn use_root(&mut self, expr: &'a Expr) {
        let root = start_of(expr);
        // `with count as …` names a builtin without calling it.
        let is_builtin =
            path_of(expr).is_some_and(|path| BUILTINS.contains_key(path.join(".").as_str()));
        if is_name(root.text()) && !is_builtin {
            self.used.entry(root.text()).or_insert(root);
        }
    }

    fn bind(&mut self, pattern: &'a Expr) {
        locals(pattern, &mut |visit| {
            if let Visit::Local(span) = visit {
                self.bound.insert(span.text());
            }
        });
    }

    fn undefined(self, defined: &BTreeSet<String>) -> impl Iterator<Item = &'a Span> {
        let Self { bound, used } = self;
        used.into_iter()
            .filter(move |(name, _)| !bound.contains(name) && !defined.contains(*name))
            .map(|(_, span)| span)
    }
}

/// References may also begin with a literal or a call.
fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && text
            .chars()
            .all(|character| character.is_alphanumeric() || character == '_')
}

/// What a module's imports stand for, as paths below `data`.
pub(crate) fn imports_of(module: &Module) -> BTreeMap<String, Vec<String>> {
    let imports = module.imports.iter().filter_map(|import| {
        let path = path_of(&import.refr)?;
        let alias = match &import.r#as {
            Some(span) => span.text().to_owned(),
            None => path.last()?.clone(),
        };
        let (root, rest) = path.split_first()?;
        (root == "data").then(|| (alias, rest.to_vec()))
    });
    imports.collect()
}

/// What names mean in one module.
struct Names<'a> {
    package: Vec<String>,
    imports: BTreeMap<String, Vec<String>>,
    functions: &'a BTreeSet<Vec<String>>,
}

/// What a called name is.
enum Callee {
    Function,
    Builtin(String),
    Unknown,
}

type Finding<'a> = (&'a Span, Kind, String);

impl<'a> Names<'a> {
    fn of(module: &Module, functions: &'a BTreeSet<Vec<String>>) -> Self {
        Self {
            package: package_of(module),
            imports: imports_of(module),
            functions,
        }
    }

    /// Resolves a called name in the engine's order: import, own package, builtin.
    fn resolve(&self, path: &[String]) -> Callee {
        let Some((root, rest)) = path.split_first() else {
            return Callee::Unknown;
        };
        let full = if root == "data" {
            Some(rest.to_vec())
        } else {
            self.imports.get(root).map(|target| {
                let mut full = target.clone();
                full.extend_from_slice(rest);
                full
            })
        };
        if full.is_some_and(|full| self.functions.contains(&full)) {
            return Callee::Function;
        }
        let mut own = self.package.clone();
        own.extend_from_slice(path);
        if self.functions.contains(&own) {
            return Callee::Function;
        }
        let name = path.join(".");
        let is_known = name == "print"
            || engine_builtins::is_ours(&name)
            || BUILTINS.contains_key(name.as_str())
            || refusal(&name).is_some();
        if is_known {
            Callee::Builtin(name)
        } else {
            Callee::Unknown
        }
    }

    fn check<'e>(&self, expr: &'e Expr) -> Option<Finding<'e>> {
        match expr {
            Expr::Call { fcn, params, .. } => {
                let Some(path) = path_of(fcn) else {
                    let message = "only a function with a constant name can be called".to_owned();
                    return Some((start_of(fcn), Kind::Refused, message));
                };
                let parameters: Vec<&Expr> = params.iter().map(AsRef::as_ref).collect();
                match self.resolve(&path) {
                    Callee::Function => None,
                    Callee::Builtin(name) => check_call(&name, &parameters)
                        .map(|message| (start_of(fcn), Kind::Refused, message)),
                    Callee::Unknown => {
                        let message = format!("there is no function `{}` here", path.join("."));
                        Some((start_of(fcn), Kind::Compile, message))
                    }
                }
            }
            // A builtin that is not called but named, as in `with upper as strings.count`.
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                let name = path_of(expr)?.join(".");
                (refusal(&name).is_some() || is_restricted(&name)).then(|| {
                    let message = format!("`{name}` may only be called, not handed on");
                    (start_of(expr), Kind::Refused, message)
                })
            }
            _ => None,
        }
    }
}

/// Why a builtin is never permitted.
fn refusal(name: &str) -> Option<&'static str> {
    Some(match name {
        "strings.count" => {
            "it fails on an empty search text; write `count(split(text, part)) - 1` and handle an \
             empty `part`"
        }
        "object.subset" => {
            "it fails on arrays; compare with `every` or with set operations instead"
        }
        "graph.reachable_paths" => "its cost doubles with every edge; use `graph.reachable`",
        "http.send" | "net.lookup_ip_addr" => "a decision does not call out",
        "opa.runtime" => "a decision does not depend on where it is made",
        "rand.intn" | "uuid.rfc4122" => "a decision depends on nothing but its input",
        "time.now_ns" => "a decision depends on its input: use `input.context.time` (Unix seconds)",
        _ => return None,
    })
}

/// Whether a builtin is permitted with certain arguments only.
fn is_restricted(name: &str) -> bool {
    matches!(
        name,
        "sprintf" | "numbers.range" | "numbers.range_step" | "bits.lsh"
    )
}

fn check_call(name: &str, parameters: &[&Expr]) -> Option<String> {
    if let Some(why) = refusal(name) {
        return Some(format!("`{name}` is not permitted: {why}"));
    }
    match name {
        "sprintf" => check_format(parameters.first().copied()),
        "numbers.range" | "numbers.range_step" => {
            let literals: Option<Vec<i64>> =
                parameters.iter().map(|expr| integer_of(expr)).collect();
            let bounded = literals.is_some_and(|literals| match literals.as_slice() {
                [from, to] => from.abs_diff(*to) <= RANGE_MAX.unsigned_abs(),
                [from, to, step] => *step > 0 && from.abs_diff(*to) <= RANGE_MAX.unsigned_abs(),
                _ => false,
            });
            (!bounded).then(|| {
                format!("`{name}` needs literal numbers that are at most {RANGE_MAX} apart")
            })
        }
        "bits.lsh" => {
            let bounded = parameters
                .get(1)
                .and_then(|expr| integer_of(expr))
                .is_some_and(|shift| (0..=SHIFT_MAX).contains(&shift));
            (!bounded).then(|| format!("`{name}` needs a literal shift between 0 and {SHIFT_MAX}"))
        }
        _ => None,
    }
}

fn integer_of(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Number { value, .. } => value.as_i64().ok(),
        Expr::UnaryExpr { expr, .. } => match expr.as_ref() {
            Expr::Number { value, .. } => value.as_i64().ok()?.checked_neg(),
            _ => None,
        },
        _ => None,
    }
}

fn check_format(format: Option<&Expr>) -> Option<String> {
    let Some(Expr::String { value, .. } | Expr::RawString { value, .. }) = format else {
        return Some("`sprintf` needs a literal format".to_owned());
    };
    let Value::String(text) = value else {
        return Some("`sprintf` needs a literal format".to_owned());
    };
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '%' {
            continue;
        }
        if characters.next_if_eq(&'%').is_some() {
            continue;
        }
        characters.next_if_eq(&'.');
        let mut width = 0_u32;
        while let Some(digit) = characters.peek().and_then(|next| next.to_digit(10)) {
            characters.next();
            width = width.saturating_mul(10).saturating_add(digit);
        }
        if width > FORMAT_WIDTH_MAX {
            return Some(format!(
                "`sprintf` pads to at most {FORMAT_WIDTH_MAX} places"
            ));
        }
        match characters.next() {
            Some(verb) if verb.is_ascii_alphabetic() => {}
            _ => {
                return Some(
                    "`sprintf` knows `%%`, and `%`, an optional width or `.` with places, and a \
                     letter"
                        .to_owned(),
                );
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::{growth, load::new_interpreter, steps};

    /// What an attacker may bring into `input`.
    fn hostile() -> Vec<Value> {
        let texts = [
            "\"\"",
            "\"a\"",
            "\"²%²d%s\"",
            "\"(((a*)*)*)*[\"",
            "\"**{a,{b,{c\"",
            "\"\\ud83d\\ude00e\\u0301\\u0000\"",
            "\"-1e400\"",
            "\"99999999999999999999999999999\"",
            "\"1.2.3-rc.1+b\"",
            "\"=\"",
            "0",
            "-1",
            "1",
            "7.5",
            "-9223372036854775808",
            "18446744073709551616",
            "1e308",
            "null",
            "true",
            "[]",
            "[[]]",
            "[\"a\",1,null]",
            "[9223372036854775807]",
            "{}",
            "{\"a\":{\"b\":[1]}}",
            "{\"\":\"\"}",
            "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]",
            "[{\"op\":\"add\",\"path\":\"a/-1\",\"value\":1}]",
        ];
        texts
            .iter()
            .map(|text| Value::from_json_str(text).unwrap())
            .collect()
    }

    fn tuples(values: &[Value], arity: usize) -> Vec<Vec<Value>> {
        (0..arity).fold(vec![Vec::new()], |tuples, _| {
            tuples
                .iter()
                .flat_map(|tuple| {
                    values.iter().map(|value| {
                        let mut longer = tuple.clone();
                        longer.push(value.clone());
                        longer
                    })
                })
                .collect()
        })
    }

    /// No builtin that a policy may call panics, whatever the input brings.
    #[test]
    fn no_permitted_builtin_panics_on_hostile_input() {
        assert!(steps::installed());
        let values = hostile();
        // Every second value where three arguments would make it too many.
        let fewer: Vec<Value> = values.iter().step_by(2).cloned().collect();
        let mut panicked = Vec::new();
        let mut tried = 0;
        for (name, (_, arity)) in BUILTINS.iter() {
            if refusal(name).is_some() || is_restricted(name) || name.starts_with("__") {
                continue;
            }
            // The table says 0 for builtins with a varying number.
            let arity = usize::from(*arity).clamp(1, 3);
            let parameters: Vec<String> =
                (0..arity).map(|index| format!("input[{index}]")).collect();
            let mut engine = new_interpreter(true);
            growth::guard(&mut engine, &growth::all(), true);
            let rule = format!("package t\np := {name}({})", parameters.join(", "));
            engine.add_policy("t.rego".to_owned(), rule).unwrap();
            for tuple in tuples(if arity > 2 { &fewer } else { &values }, arity) {
                let input = Value::from(tuple);
                let mut engine = engine.clone();
                engine.set_input(input.clone());
                let (result, _) = steps::metered(10_000, || {
                    catch_unwind(AssertUnwindSafe(|| engine.eval_rule("data.t.p".to_owned())))
                });
                tried += 1;
                if result.is_err() {
                    panicked.push(format!("{name}{input}"));
                    break;
                }
            }
        }
        assert!(tried > 10_000, "{tried}");
        assert!(panicked.is_empty(), "{}", panicked.join("\n"));
    }
}
