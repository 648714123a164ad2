//! From files to a plan: parse, check, mount the data, compile.

use plinto_contract::bundle::{Manifest, Route};

use crate::{
    budget::Budget,
    bundle::{Source, lies_under},
    check::{self, CheckedModule},
    data,
    diagnostics::{Diagnostic, Kind, PolicyError},
    evaluate::{Evaluation, EvaluationError, Printed, Settings, Stop},
    front::{self, HeadValue, Module, Place, Rule, names_of},
    plan::{self, Plan, code::RuleId},
    routes,
    value::Value,
};

/// A bundle that was found usable.
pub(crate) struct Loaded {
    /// Policies and data, compiled.
    pub(crate) plan: Plan,
    pub(crate) entrypoint: RuleId,
    /// `data.app.authz.decision`.
    pub(crate) entrypoint_path: String,
    /// `data.plinto.routes`, checked.
    pub(crate) routes: Vec<Route>,
    /// Where the tests are.
    pub(crate) tests: Vec<TestRule>,
    /// Texts of the modules, to show where an error is.
    texts: Vec<String>,
}

/// One `test_*` rule.
#[derive(Debug, Clone)]
pub(crate) struct TestRule {
    pub(crate) rule: RuleId,
    pub(crate) package: String,
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) line: u32,
}

/// What a plan is asked with.
pub(crate) struct Question<'a> {
    pub(crate) input: Option<Value>,
    /// The moment of the request, in nanoseconds since 1970.
    pub(crate) now_ns: i64,
    pub(crate) budget: &'a Budget,
    pub(crate) hears_prints: bool,
}

/// What it answers.
pub(crate) struct Answer {
    pub(crate) value: Result<Option<Value>, Stop>,
    pub(crate) printed: Vec<Printed>,
}

/// One module of a bundle.
pub(crate) struct Parsed<'a> {
    pub(crate) path: &'a str,
    pub(crate) text: &'a str,
    pub(crate) module: Module,
}

/// How much of a bundle is loaded, and how closely it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// What decides, from a bundle that was checked before.
    Checked,
    /// All of it, tests too, with every check.
    Everything,
}

/// Loads a bundle.
/// Errors: every finding.
pub(crate) fn load(
    manifest: &Manifest,
    source: &Source,
    scope: Scope,
) -> Result<Loaded, PolicyError> {
    let modules = parse(source, scope)?;
    let mut findings = outside_roots(&modules, &manifest.roots);
    if scope == Scope::Everything {
        findings.extend(checked(&modules));
    }
    let entrypoint = &manifest.metadata.plinto.entrypoint;
    let entrypoint_path = entrypoint_of(entrypoint, &modules).unwrap_or_else(|finding| {
        findings.push(finding);
        Vec::new()
    });
    stop_at(findings)?;
    let data = data::document(source, &manifest.roots)?;
    stop_at(data_under_rules(&modules, &data).into_iter().collect())?;
    let routes = routes::read(&data)?;
    let plan = compile(&modules, &data)?;
    let tests = tests_of(&modules, &plan);
    let missing = || refused_entrypoint(entrypoint, "does not exist");
    Ok(Loaded {
        entrypoint: plan.rule_at(&entrypoint_path).ok_or_else(missing)?,
        entrypoint_path: format!("data.{}", entrypoint_path.join(".")),
        routes,
        tests,
        texts: modules
            .iter()
            .map(|parsed| parsed.text.to_owned())
            .collect(),
        plan,
    })
}

impl Loaded {
    /// The value of a rule.
    pub(crate) fn ask(&self, rule: RuleId, question: Question<'_>) -> Answer {
        let mut evaluation = Evaluation::new(Settings {
            plan: &self.plan,
            budget: question.budget,
            input: question.input,
            now_ns: question.now_ns,
            is_strict: false,
            hears_prints: question.hears_prints,
        });
        let value = evaluation.ask(rule);
        Answer {
            value,
            printed: evaluation.printed,
        }
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

fn parse(source: &Source, scope: Scope) -> Result<Vec<Parsed<'_>>, PolicyError> {
    let mut texts = source
        .modules()
        .map_err(|error| Diagnostic::of_file(Kind::Syntax, "", error.to_string()))?;
    texts.retain(|(path, _)| scope == Scope::Everything || !Source::is_test(path));
    let (mut modules, mut findings) = (Vec::new(), Vec::new());
    for (path, text) in texts {
        match front::parse(text) {
            Ok(module) => modules.push(Parsed { path, text, module }),
            Err(error) => {
                let place = (error.line, error.column);
                let message = error.message;
                findings.push(Diagnostic::at(Kind::Syntax, path, text, place, message));
            }
        }
    }
    stop_at(findings)?;
    Ok(modules)
}

impl Parsed<'_> {
    fn package(&self) -> Vec<String> {
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
    fn rules(&self) -> impl Iterator<Item = (Vec<String>, &Rule)> {
        let package = self.package();
        self.module.rules.iter().map(move |rule| {
            let mut path = package.clone();
            path.extend(names_of(&rule.head.name));
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

fn refused_entrypoint(path: &str, why: &str) -> Diagnostic {
    let message = format!("the entrypoint `{}` {why}", path.escape_default());
    Diagnostic::of_file(Kind::Entrypoint, ".manifest", message)
}

/// `app/authz/decision` → its names, if that is a complete rule.
fn entrypoint_of(path: &str, modules: &[Parsed<'_>]) -> Result<Vec<String>, Diagnostic> {
    let wanted: Vec<String> = path.split('/').map(str::to_owned).collect();
    let is_name = |name: &String| {
        !name.is_empty()
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if wanted.len() < 2 || !wanted.iter().all(is_name) {
        let why = "must read `package/rule`, in letters, digits and `_`";
        return Err(refused_entrypoint(path, why));
    }
    let mut rules = modules.iter().flat_map(Parsed::rules);
    let mut found = rules
        .by_ref()
        .filter(|(path, _)| *path == wanted)
        .peekable();
    if found.peek().is_none() {
        return Err(refused_entrypoint(path, "does not exist"));
    }
    if found.any(|(_, rule)| !is_complete(rule)) {
        let why = "is a set or a function; it must be one value";
        return Err(refused_entrypoint(path, why));
    }
    Ok(wanted)
}

fn is_complete(rule: &Rule) -> bool {
    rule.head.parameters.is_none() && !matches!(rule.head.value, HeadValue::Contains(_))
}

/// Data at the path of a rule would be hidden by it, or hide it. Source: OPA refuses it too.
fn data_under_rules(modules: &[Parsed<'_>], data: &Value) -> Option<Diagnostic> {
    modules.iter().find_map(|parsed| {
        parsed.rules().find_map(|(path, rule)| {
            data.at(&path)?;
            let message = format!("data.{} is data and a rule", path.join("."));
            Some(parsed.finding(Kind::Data, rule.place, message))
        })
    })
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

fn tests_of(modules: &[Parsed<'_>], plan: &Plan) -> Vec<TestRule> {
    let mut tests: Vec<TestRule> = Vec::new();
    for parsed in modules {
        if !Source::is_test(parsed.path) {
            continue;
        }
        let package = parsed.package();
        for (path, rule) in parsed.rules() {
            let Some(name) = path.last().filter(|name| name.starts_with("test_")) else {
                continue;
            };
            if path.len() != package.len().saturating_add(1) || !is_complete(rule) {
                continue;
            }
            let Some(id) = plan.rule_at(&path) else {
                continue;
            };
            if tests.iter().all(|test| test.rule != id) {
                tests.push(TestRule {
                    rule: id,
                    package: package.join("."),
                    name: name.clone(),
                    file: parsed.path.to_owned(),
                    line: rule.place.line,
                });
            }
        }
    }
    tests
}
