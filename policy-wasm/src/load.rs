//! From files to a prepared interpreter: parse, check, mount the data.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
};

use plinto_contract::{bundle::Manifest, bundle::Route};
use regorus::{Engine as Interpreter, PolicyLengthConfig, Value, unstable::Module};

use crate::{
    bundle::{Source, lies_under},
    checks, data,
    diagnostics::{Diagnostic, Kind, PolicyError, file_of, from_engine},
    engine_builtins,
    front::{self, Translated},
    growth, recursion, routes, steps,
    syntax::{Shape, head_of, package_of, start_of},
};

/// 8 MiB: what a bundle's largest module may become when its lines are written out for the engine.
const MAX_BYTES: NonZeroUsize = NonZeroUsize::new(8 << 20).unwrap();
/// 500,000: lines it may become. The engine's own 20,000 are those of a source.
const MAX_LINES: NonZeroUsize = NonZeroUsize::new(500_000).unwrap();

/// A bundle that was found usable.
pub(crate) struct Loaded {
    /// Holds policies and data; cloned for every evaluation.
    pub(crate) interpreter: Interpreter,
    /// `data.app.authz.decision`.
    pub(crate) entrypoint: String,
    /// All data files in one document.
    pub(crate) data: Value,
    /// `data.plinto.routes`, checked.
    pub(crate) routes: Vec<Route>,
    /// Where the tests are.
    pub(crate) tests: Vec<TestRule>,
    /// The way back from what the interpreter reads to the sources.
    pub(crate) translated: Arc<Translated>,
}

/// One `test_*` rule.
#[derive(Debug, Clone)]
pub(crate) struct TestRule {
    pub(crate) path: String,
    pub(crate) package: String,
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) line: u32,
}

/// Loads a bundle. `with_tests`: whether `*_test.rego` files are part of it.
pub(crate) fn load(
    manifest: &Manifest,
    source: &Source,
    with_tests: bool,
) -> Result<Loaded, PolicyError> {
    if !steps::installed() {
        let message = "the step counter could not be installed; nothing may be evaluated";
        return Err(Diagnostic::of_file(Kind::Compile, "", message).into());
    }
    let texts = texts_of(source, with_tests)?;
    let translated = front::translate(&texts).map_err(|diagnostics| PolicyError { diagnostics })?;
    let in_source = |mut error: PolicyError| {
        let diagnostics = error.diagnostics.into_iter();
        error.diagnostics = diagnostics
            .map(|finding| translated.in_source(finding))
            .collect();
        error
    };
    let mut loaded = load_translated(manifest, source, &translated).map_err(in_source)?;
    loaded.translated = Arc::new(translated);
    Ok(loaded)
}

/// The same of modules as the engine reads them. Findings are at their places in those.
fn load_translated(
    manifest: &Manifest,
    source: &Source,
    translated: &Translated,
) -> Result<Loaded, PolicyError> {
    let mut interpreter = new_interpreter(true);
    add(&mut interpreter, translated)?;
    engine_builtins::add(&mut interpreter, translated.printed().map(|(_, text)| text));
    let modules: Vec<_> = interpreter.get_modules().clone();
    let modules: Vec<&Module> = modules.iter().map(AsRef::as_ref).collect();
    growth::guard(&mut interpreter, &growth::named_in(&modules), false);

    let mut findings = outside_roots(&modules, &manifest.roots);
    findings.extend(checks::check(&modules));
    findings.extend(recursion::check(&modules));
    let entrypoint = match entrypoint(&manifest.metadata.plinto.entrypoint, &modules) {
        Ok(entrypoint) => entrypoint,
        Err(finding) => {
            findings.push(finding);
            String::new()
        }
    };
    if !findings.is_empty() {
        return Err(PolicyError {
            diagnostics: findings,
        });
    }

    for (path, document) in data::documents(source, &manifest.roots)? {
        interpreter
            .add_data(document)
            .map_err(|error| Diagnostic::of_file(Kind::Data, path, format!("{error:#}")))?;
    }
    let data = interpreter.get_data();
    data_under_rules(&modules, &data)?;
    let routes = routes::read(&data)?;
    compile(&mut interpreter, &entrypoint, translated)?;
    let mut tests = tests_of(&modules);
    for test in &mut tests {
        test.line = translated.line(&test.file, test.line);
    }
    Ok(Loaded {
        entrypoint,
        data,
        routes,
        tests,
        interpreter,
        translated: Arc::default(),
    })
}

/// An interpreter as every evaluation uses it: Rego v1, steps count. Guards come with the policies.
/// `strict`: whether errors of builtins are errors; always so outside of OPA's own cases.
pub(crate) fn new_interpreter(strict: bool) -> Interpreter {
    let mut interpreter = Interpreter::new();
    interpreter.set_strict_builtin_errors(strict);
    interpreter.set_execution_timer_config(steps::timer());
    interpreter.set_policy_length_config(PolicyLengthConfig {
        max_col: NonZeroU32::MAX,
        max_file_bytes: MAX_BYTES,
        max_lines: MAX_LINES,
    });
    interpreter
}

fn texts_of(source: &Source, with_tests: bool) -> Result<Vec<(&str, &str)>, PolicyError> {
    let mut texts = source
        .modules()
        .map_err(|error| Diagnostic::of_file(Kind::Syntax, "", error.to_string()))?;
    texts.retain(|(path, _)| with_tests || !Source::is_test(path));
    Ok(texts)
}

fn add(interpreter: &mut Interpreter, translated: &Translated) -> Result<(), PolicyError> {
    let mut diagnostics = Vec::new();
    for (path, text) in translated.printed() {
        if let Err(error) = interpreter.add_policy(path.to_owned(), text.to_owned()) {
            diagnostics.push(from_engine(Kind::Syntax, path, text, &format!("{error:#}")));
        }
    }
    if diagnostics.is_empty() {
        Ok(())
    } else {
        Err(PolicyError { diagnostics })
    }
}

fn outside_roots(modules: &[&Module], roots: &[String]) -> Vec<Diagnostic> {
    modules
        .iter()
        .filter_map(|module| {
            let path = package_of(module).join("/");
            let covered = roots.iter().any(|root| lies_under(&path, root));
            (!covered).then(|| {
                checks::at(
                    start_of(&module.package.refr),
                    Kind::Roots,
                    format!(
                        "the package lies outside the manifest's roots ({})",
                        roots.join(", ")
                    ),
                )
            })
        })
        .collect()
}

/// `app/authz/decision` → `data.app.authz.decision`, if that is a complete rule.
fn entrypoint(path: &str, modules: &[&Module]) -> Result<String, Diagnostic> {
    let refuse = |message: &str| {
        Err(Diagnostic::of_file(
            Kind::Entrypoint,
            ".manifest",
            format!("the entrypoint `{}` {message}", path.escape_default()),
        ))
    };
    let wanted: Vec<&str> = path.split('/').collect();
    let is_name = |name: &&str| {
        !name.is_empty()
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if wanted.len() < 2 || !wanted.iter().all(is_name) {
        return refuse("must read `package/rule`, in letters, digits and `_`");
    }
    let shapes = modules.iter().flat_map(|module| {
        let wanted = &wanted;
        module.policy.iter().filter_map(move |rule| {
            let (name, shape) = head_of(rule.as_ref());
            let mut full = package_of(module);
            full.extend(name);
            (full == *wanted).then_some(shape)
        })
    });
    let mut found = false;
    for shape in shapes {
        if shape != Shape::Complete {
            return refuse("is a set or a function; it must be one value");
        }
        found = true;
    }
    if found {
        Ok(format!("data.{}", wanted.join(".")))
    } else {
        refuse("does not exist")
    }
}

/// Data at the path of a rule would be hidden by it, or hide it. Source: OPA refuses it too.
fn data_under_rules(modules: &[&Module], data: &Value) -> Result<(), Diagnostic> {
    for module in modules {
        for rule in &module.policy {
            let mut path = package_of(module);
            path.extend(head_of(rule.as_ref()).0);
            if data::lookup(data, &path).is_some() {
                let message = format!("data.{} is data and a rule", path.join("."));
                return Err(checks::at(rule.span(), Kind::Data, message));
            }
        }
    }
    Ok(())
}

/// Runs the engine's own analysis (order of statements, unsafe variables, conflicts).
fn compile(
    interpreter: &mut Interpreter,
    entrypoint: &str,
    translated: &Translated,
) -> Result<(), PolicyError> {
    interpreter
        .compile_with_entrypoint(&entrypoint.into())
        .map(|_| ())
        .map_err(|error| {
            let message = format!("{error:#}");
            let file = file_of(&message).unwrap_or_default();
            let text = translated.printed_of(file).unwrap_or_default();
            from_engine(Kind::Compile, file, text, &message).into()
        })
}

fn tests_of(modules: &[&Module]) -> Vec<TestRule> {
    let mut tests: Vec<TestRule> = Vec::new();
    for module in modules {
        let file = module.package.span.source.file();
        if !Source::is_test(file) {
            continue;
        }
        let package = package_of(module).join(".");
        for rule in &module.policy {
            let (name, shape) = head_of(rule.as_ref());
            let [name] = name.as_slice() else { continue };
            let path = format!("data.{package}.{name}");
            let is_new = tests.iter().all(|test| test.path != path);
            if shape == Shape::Complete && name.starts_with("test_") && is_new {
                tests.push(TestRule {
                    path,
                    package: package.clone(),
                    name: name.clone(),
                    file: file.clone(),
                    line: rule.span().line,
                });
            }
        }
    }
    tests
}
