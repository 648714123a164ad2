//! From files to a plan: parse, check, mount the data, compile.

use std::collections::BTreeSet;

use plinto_contract::bundle::{Manifest, Route};

use crate::{
    annotations::{self, TooMany},
    budget::Budget,
    bundle::Source,
    check::{self, CheckedModule},
    data,
    decision::{Answered, MEMBERS},
    diagnostics::{Diagnostic, Kind, PolicyError},
    entrypoint::{self, Entrypoint},
    evaluate::{Evaluation, EvaluationError, Failed, Printed, Settings, Stop},
    front::{self, Module, Place, Rule, TermKind, names_of},
    manifest::{Dialects, lies_under},
    plan::{self, Plan, code::RuleId},
    routes, test_rules,
    value::Value,
};

/// A bundle that was found usable.
pub(crate) struct Loaded {
    /// Policies and data, compiled.
    pub(crate) plan: Plan,
    pub(crate) entrypoint: Entrypoint,
    /// `data.plinto.routes`, checked.
    pub(crate) routes: Vec<Route>,
    /// Where the tests are.
    pub(crate) tests: Vec<test_rules::Found>,
    /// Texts of the modules, to show where an error is.
    texts: Vec<String>,
    /// Whether an error of a builtin ends an evaluation.
    is_strict: bool,
}

/// What is heard besides the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Hears {
    /// What `print` says.
    pub(crate) prints: bool,
    /// Which expressions of the rule that is asked failed.
    pub(crate) failures: bool,
}

/// What a plan is asked with.
pub(crate) struct Question<'a> {
    pub(crate) input: Option<Value>,
    /// The moment of the request, in nanoseconds since 1970.
    pub(crate) now_ns: i64,
    pub(crate) budget: &'a Budget,
    pub(crate) hears: Hears,
}

/// What it answers.
pub(crate) struct Answer<T> {
    pub(crate) value: Result<Option<T>, Stop>,
    pub(crate) printed: Vec<Printed>,
    pub(crate) failed: Vec<Failed>,
}

/// One module of a bundle.
pub(crate) struct Parsed<'a> {
    pub(crate) path: &'a str,
    pub(crate) text: &'a str,
    pub(crate) module: Module,
}

/// Loads what decides. It was checked before it was published, so that no edge carries the checks.
/// Errors: every finding.
pub(crate) fn policies(manifest: &Manifest, source: &Source) -> Result<Loaded, PolicyError> {
    let modules = parse(manifest, source, |path| !Source::is_test(path))?;
    let findings = outside_roots(&modules, &manifest.roots);
    let path = entrypoint::path_of(manifest, &modules);
    load(
        manifest,
        source,
        modules,
        (findings, path),
        |modules, data| Ok((compile(modules, data)?, Vec::new())),
    )
}

/// Checks and loads a bundle with its tests. Without an entrypoint it can be tested, and nothing else.
/// Errors: every finding.
pub(crate) fn with_tests(manifest: &Manifest, source: &Source) -> Result<Loaded, PolicyError> {
    let modules = parse(manifest, source, |_| true)?;
    let mut findings = outside_roots(&modules, &manifest.roots);
    findings.extend(checked(&modules));
    let path = if manifest.metadata.plinto.entrypoint.is_empty() {
        Ok(Vec::new())
    } else {
        entrypoint::path_of(manifest, &modules)
    };
    load(
        manifest,
        source,
        modules,
        (findings, path),
        compile_with_tests,
    )
}

type Compiled = Result<(Plan, Vec<test_rules::Found>), PolicyError>;

fn load(
    manifest: &Manifest,
    source: &Source,
    mut modules: Vec<Parsed<'_>>,
    (mut findings, path): (Vec<Diagnostic>, Result<Vec<String>, Diagnostic>),
    compile: impl FnOnce(&mut [Parsed<'_>], &Value) -> Compiled,
) -> Result<Loaded, PolicyError> {
    let path = path.unwrap_or_else(|finding| {
        findings.push(finding);
        Vec::new()
    });
    stop_at(findings)?;
    let data = data::document(source, &manifest.roots)?;
    stop_at(data_under_rules(&modules, &data))?;
    let routes = routes::read(&data)?;
    let (plan, tests) = compile(&mut modules, &data)?;
    let plinto = &manifest.metadata.plinto;
    Ok(Loaded {
        entrypoint: Entrypoint::new(path, plinto.answer, &plan),
        routes,
        tests,
        texts: modules
            .iter()
            .map(|parsed| parsed.text.to_owned())
            .collect(),
        plan,
        is_strict: plinto.strict_builtin_errors,
    })
}

impl Loaded {
    /// Asks the entrypoint for as much as makes a decision.
    pub(crate) fn decide(&self, question: Question<'_>) -> Answer<Answered> {
        let Entrypoint { path, rule, answer } = &self.entrypoint;
        self.evaluate(question, None, |evaluation| match (rule, answer) {
            (Some(rule), _) => Ok(evaluation.ask(*rule)?.map(Answered::Whole)),
            (None, plinto_contract::bundle::Answer::Allow) => members(evaluation, path),
            (None, _) => {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                Ok(evaluation.ask_path(&path)?.map(Answered::Whole))
            }
        })
    }

    /// The value at a path of `data`.
    pub(crate) fn ask(&self, path: &[impl AsRef<str>], question: Question<'_>) -> Answer<Value> {
        let rule = self.plan.rule_at(path);
        self.evaluate(question, rule, |evaluation| {
            if let Some(rule) = rule {
                evaluation.ask(rule)
            } else {
                let path: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
                evaluation.ask_path(&path)
            }
        })
    }

    fn evaluate<T>(
        &self,
        question: Question<'_>,
        rule: Option<RuleId>,
        ask: impl FnOnce(&mut Evaluation<'_>) -> Result<Option<T>, Stop>,
    ) -> Answer<T> {
        let mut evaluation = Evaluation::new(Settings {
            plan: &self.plan,
            budget: question.budget,
            input: question.input,
            now_ns: question.now_ns,
            is_strict: self.is_strict,
            hears_prints: question.hears.prints,
        });
        if let Some(rule) = rule.filter(|_| question.hears.failures) {
            evaluation.watch(rule);
        }
        let value = ask(&mut evaluation);
        Answer {
            value,
            failed: evaluation.failed(),
            printed: evaluation.printed,
        }
    }

    /// The path of a module, and a line of it.
    pub(crate) fn line(&self, module: usize, line: u32) -> (&str, &str) {
        let file = self.plan.modules.get(module).map_or("", String::as_str);
        let text = self.texts.get(module).map_or("", String::as_str);
        let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        (file, text.lines().nth(index).unwrap_or_default())
    }

    /// An error with its place and that line of the source.
    pub(crate) fn told(&self, error: &EvaluationError) -> String {
        let EvaluationError {
            code,
            message,
            module,
            place,
        } = error;
        let file = self.plan.modules.get(*module).map_or("", String::as_str);
        let text = self.texts.get(*module).map_or("", String::as_str);
        let message = format!("{code}: {message}");
        let place = (place.line, place.column);
        Diagnostic::at(Kind::Compile, file, text, place, message).shown()
    }
}

fn stop_at(findings: Vec<Diagnostic>) -> Result<(), PolicyError> {
    if findings.is_empty() {
        return Ok(());
    }
    Err(PolicyError {
        diagnostics: findings,
    })
}

/// What is wrong with a policy is told of the rules as they were written.
fn compile_with_tests(modules: &mut [Parsed<'_>], data: &Value) -> Compiled {
    let written: Vec<Module> = modules.iter().map(|parsed| parsed.module.clone()).collect();
    for counts_cases in [true, false] {
        let tests = test_rules::arrange(modules, counts_cases);
        if let Ok(plan) = compile(modules, data) {
            return Ok((plan, tests));
        }
        for (parsed, module) in modules.iter_mut().zip(&written) {
            parsed.module = module.clone();
        }
    }
    Ok((compile(modules, data)?, Vec::new()))
}

/// What a package has that makes a decision. `None`: it has no `allow`.
fn members(evaluation: &mut Evaluation<'_>, package: &[String]) -> Result<Option<Answered>, Stop> {
    let mut found = Vec::new();
    for member in MEMBERS {
        let mut path: Vec<&str> = package.iter().map(String::as_str).collect();
        path.push(member);
        match evaluation.ask_path(&path)? {
            Some(value) => found.push((member, value)),
            None if found.is_empty() => return Ok(None),
            None => {}
        }
    }
    Ok(Some(Answered::Members(found)))
}

fn parse<'a>(
    manifest: &Manifest,
    source: &'a Source,
    keeps: impl Fn(&str) -> bool,
) -> Result<Vec<Parsed<'a>>, PolicyError> {
    let mut texts = source
        .modules()
        .map_err(|error| Diagnostic::of_file(Kind::Syntax, "", error.to_string()))?;
    texts.retain(|(path, _)| keeps(path));
    let dialects = Dialects::of(manifest)
        .map_err(|error| Diagnostic::of_file(Kind::Syntax, ".manifest", error.to_string()))?;
    let (mut modules, mut findings) = (Vec::new(), Vec::new());
    for (path, text) in texts {
        match front::parse_as(dialects.at(path), text) {
            Ok(module) => modules.push(Parsed { path, text, module }),
            Err(error) => {
                let place = (error.line, error.column);
                let message = error.message;
                findings.push(Diagnostic::at(Kind::Syntax, path, text, place, message));
            }
        }
    }
    stop_at(findings)?;
    answer_metadata(&mut modules)?;
    Ok(modules)
}

fn answer_metadata(modules: &mut [Parsed<'_>]) -> Result<(), PolicyError> {
    let mut trees: Vec<&mut Module> = modules.iter_mut().map(|one| &mut one.module).collect();
    let Err(TooMany { module, place }) = annotations::answer(&mut trees) else {
        return Ok(());
    };
    let message = "the annotations that policies ask for come to more than 4 MiB";
    let parsed = modules.get(module);
    stop_at(
        parsed
            .map(|one| one.finding(Kind::Refused, place, message))
            .into_iter()
            .collect(),
    )
}

/// The names at the beginning of a rule's head, which say where it stands.
pub(crate) fn leading_names(rule: &Rule) -> Vec<String> {
    let (head, steps) = match &rule.head.name.kind {
        TermKind::Ref(head, steps) => (head.as_ref(), steps.as_slice()),
        _ => (&rule.head.name, [].as_slice()),
    };
    let steps = steps.iter().map_while(|step| match &step.kind {
        TermKind::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let names = head.name().into_iter().chain(steps);
    names.map(str::to_owned).collect()
}

impl Parsed<'_> {
    pub(crate) fn package(&self) -> Vec<String> {
        names_of(&self.module.package)
    }

    fn finding(&self, kind: Kind, place: Place, message: impl Into<String>) -> Diagnostic {
        Diagnostic::at(
            kind,
            self.path,
            self.text,
            (place.line, place.column),
            message,
        )
    }

    /// The rules, each with its path below `data`.
    pub(crate) fn rules(&self) -> impl Iterator<Item = (Vec<String>, &Rule)> {
        let package = self.package();
        self.module.rules.iter().map(move |rule| {
            let mut path = package.clone();
            path.extend(leading_names(rule));
            (path, rule)
        })
    }
}

fn checked(modules: &[Parsed<'_>]) -> Vec<Diagnostic> {
    let modules = modules.iter().map(|parsed| CheckedModule {
        path: parsed.path,
        text: parsed.text,
        module: &parsed.module,
    });
    check::check(&modules.collect::<Vec<_>>())
}

fn outside_roots(modules: &[Parsed<'_>], roots: &[String]) -> Vec<Diagnostic> {
    let outside = modules.iter().filter(|parsed| {
        let path = parsed.package().join("/");
        !roots.iter().any(|root| lies_under(&path, root))
    });
    let roots = roots.join(", ");
    let message = format!("the package lies outside the manifest's roots ({roots})");
    outside
        .map(|parsed| parsed.finding(Kind::Roots, parsed.module.package.place, message.clone()))
        .collect()
}

/// Data at the path of a rule, or data above it that has no members, would be hidden by the rule, or hide
/// it. Source: OPA, "conflicting rule for data path".
fn data_under_rules(modules: &[Parsed<'_>], data: &Value) -> Vec<Diagnostic> {
    let rules = modules
        .iter()
        .flat_map(|parsed| parsed.rules().map(move |(path, rule)| (parsed, path, rule)));
    // The data is told once, at the first of the rules.
    let mut told = BTreeSet::new();
    let findings = rules.filter_map(|(parsed, path, rule)| {
        let hidden = hidden_by(&path, data)?;
        if !told.insert(hidden.to_vec()) {
            return None;
        }
        let (data, rule_path) = (hidden.join("."), path.join("."));
        let message = if hidden.len() == path.len() {
            format!("data.{data} is data and a rule")
        } else {
            format!("data.{data} is data without members, and data.{rule_path} is a rule")
        };
        Some(parsed.finding(Kind::Data, rule.place, message))
    });
    findings.collect()
}

/// The path of the data that a rule at `path` and the data can't share.
fn hidden_by<'a>(path: &'a [String], data: &Value) -> Option<&'a [String]> {
    let mut value = data;
    for (above, name) in path.iter().enumerate() {
        match value.as_object() {
            Some(members) => value = members.get_str(name)?,
            None => return path.get(..above),
        }
    }
    Some(path)
}

fn compile(modules: &[Parsed<'_>], data: &Value) -> Result<Plan, PolicyError> {
    let given: Vec<(&str, &Module)> = modules
        .iter()
        .map(|parsed| (parsed.path, &parsed.module))
        .collect();
    plan::compile(&given, data).map_err(|errors| {
        let findings = errors.into_iter().filter_map(|(module, error)| {
            let parsed = modules.get(module)?;
            Some(parsed.finding(Kind::Compile, error.place, error.message))
        });
        PolicyError {
            diagnostics: findings.collect(),
        }
    })
}
