//! Runs the tests that come with a policy: rules named `test_*`, each of which must be `true`; those
//! named `todo_test_*` are skipped. Source: OPA, "Policy Testing".

use std::collections::BTreeMap;

use plinto_contract::bundle::Manifest;
use serde::Serialize;

use crate::{
    budget::{Budget, Exhausted},
    bundle::Source,
    diagnostics::PolicyError,
    evaluate::Stop,
    input::is_heavier_than,
    limits::{EvaluationLimits, TEST_STEPS_FACTOR, TESTS_STEPS_FACTOR},
    load::{self, Answer, Hears, Loaded, Question},
    test_rules::{Found, Kind},
    trail::{FailedExpression, Said, failed_in, said_in},
    value::Value,
};

/// 4 KiB: a value that is worth showing.
const SHOWN_BYTES: usize = 4 * 1024;

/// How one test came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "detail")]
pub enum Outcome {
    /// The rule is `true`.
    Passed,
    /// The rule is anything else; the text says what.
    Failed(String),
    /// The rule could not be evaluated; the text says why.
    Errored(String),
    /// The rule says itself that it is not to be run yet.
    Skipped,
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Case {
    /// `app.authz_test`.
    pub package: String,
    /// `test_owner_may_delete`.
    pub name: String,
    /// Path inside the bundle.
    pub file: String,
    /// Line of the rule, from 1.
    pub line: u32,
    /// Steps spent, the same on every machine.
    pub steps: u64,
    /// How it came out.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// For each body of a rule without a value, the expression that got furthest and failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedExpression>,
    /// What `print` said, if that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub printed: Vec<Said>,
    /// Whether each of its cases passed, of a test that has several.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub cases: BTreeMap<String, bool>,
}

/// All tests of a bundle, in file order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// One for each `test_` rule.
    pub cases: Vec<Case>,
    /// How many routes the bundle has.
    pub routes: usize,
}

impl Report {
    /// How many passed.
    pub fn passed(&self) -> usize {
        self.count(&Outcome::Passed)
    }

    /// How many were not to be run.
    pub fn skipped(&self) -> usize {
        self.count(&Outcome::Skipped)
    }

    fn count(&self, outcome: &Outcome) -> usize {
        let cases = self.cases.iter();
        cases.filter(|case| case.outcome == *outcome).count()
    }

    /// Those that did not pass.
    pub fn failures(&self) -> impl Iterator<Item = &Case> {
        let cases = self.cases.iter();
        cases.filter(|case| matches!(case.outcome, Outcome::Failed(_) | Outcome::Errored(_)))
    }

    /// Whether none failed. A bundle without tests passes.
    pub fn is_ok(&self) -> bool {
        self.failures().next().is_none()
    }
}

/// Compiles a policy together with its tests and says how many there are, without running them.
/// Errors: the policy or a test file does not compile.
pub fn count(manifest: &Manifest, source: &Source) -> Result<usize, PolicyError> {
    Ok(load::with_tests(manifest, source)?.tests.len())
}

/// Runs every test, each on a fresh copy of the policy, until all together have spent what a
/// bundle's tests may.
/// Errors: the policy or a test file does not compile.
pub fn run(
    manifest: &Manifest,
    source: &Source,
    limits: &EvaluationLimits,
) -> Result<Report, PolicyError> {
    run_as(manifest, source, limits, false)
}

/// The same, and what `print` says in each is kept.
/// Errors: the same.
pub fn run_aloud(
    manifest: &Manifest,
    source: &Source,
    limits: &EvaluationLimits,
) -> Result<Report, PolicyError> {
    run_as(manifest, source, limits, true)
}

fn run_as(
    manifest: &Manifest,
    source: &Source,
    limits: &EvaluationLimits,
    prints: bool,
) -> Result<Report, PolicyError> {
    let loaded = load::with_tests(manifest, source)?;
    let together = limits.steps.saturating_mul(TESTS_STEPS_FACTOR);
    let mut run = Run {
        loaded: &loaded,
        each: limits.steps.saturating_mul(TEST_STEPS_FACTOR),
        together,
        left: together,
        prints,
    };
    let cases = loaded.tests.iter().map(|test| run.test(test));
    Ok(Report {
        cases: cases.collect(),
        routes: loaded.routes.len(),
    })
}

struct Run<'a> {
    loaded: &'a Loaded,
    each: u64,
    together: u64,
    left: u64,
    prints: bool,
}

impl Run<'_> {
    fn test(&mut self, test: &Found) -> Case {
        let mut case = Case {
            package: test.package.clone(),
            name: test.name.clone(),
            file: test.file.clone(),
            line: test.line,
            steps: 0,
            outcome: Outcome::Skipped,
            failed: Vec::new(),
            printed: Vec::new(),
            cases: BTreeMap::new(),
        };
        match &test.kind {
            Kind::Skipped => return case,
            Kind::Function => {
                let why = "is a function; a test takes no arguments".to_owned();
                case.outcome = Outcome::Errored(why);
                return case;
            }
            Kind::Plain | Kind::Cases(_) => {}
        }
        let steps = self.each.min(self.left);
        let budget = Budget::new(steps);
        let answer = self.ask(&test.path, &budget);
        case.printed = said_in(self.loaded, &answer.printed);
        case.outcome = match answer.value {
            Ok(value) => match &test.kind {
                Kind::Cases(cases) => self.cases(cases.as_deref(), value, &budget, &mut case),
                _ => outcome_of(value.as_ref()),
            },
            Err(stop) => self.stopped(&stop, &budget),
        };
        if case.outcome == undefined() {
            case.failed = failed_in(self.loaded, &answer.failed);
        }
        self.left = self.left.saturating_sub(budget.spent());
        case.steps = budget.spent();
        case
    }

    fn ask(&self, path: &[String], budget: &Budget) -> Answer<Value> {
        let hears = Hears {
            prints: self.prints,
            failures: true,
        };
        let question = Question {
            input: None,
            now_ns: 0,
            budget,
            hears,
        };
        self.loaded.ask(path, question)
    }

    fn stopped(&self, stop: &Stop, budget: &Budget) -> Outcome {
        Outcome::Errored(match stop {
            Stop::Exhausted(Exhausted::Steps) if self.left <= budget.spent() => {
                let together = self.together;
                format!("the bundle's tests together took more than {together} steps")
            }
            Stop::Exhausted(Exhausted::Steps) => format!("took more than {} steps", self.each),
            Stop::Exhausted(why) => why.to_string(),
            Stop::Error(error) => self.loaded.told(error),
        })
    }

    /// Whether every case there is has passed.
    fn cases(
        &self,
        counted: Option<&[String]>,
        value: Option<Value>,
        budget: &Budget,
        case: &mut Case,
    ) -> Outcome {
        let Some(counted) = counted else {
            let why = "its cases can't be counted: their name needs the whole body";
            return Outcome::Errored(why.to_owned());
        };
        let there = match self.ask(counted, budget).value {
            Ok(there) => there,
            Err(stop) => return self.stopped(&stop, budget),
        };
        let passed = value.unwrap_or_else(Value::empty_object);
        if let Some(cases) = passed.as_object() {
            for (key, value) in cases.iter() {
                case.cases.insert(shown(key), is_passed(value));
            }
        }
        let there = there.as_ref().and_then(Value::as_set);
        for keys in there.into_iter().flat_map(|set| set.iter()) {
            let Some(keys) = keys.as_array() else {
                continue;
            };
            let mut at = Some(&passed);
            for key in keys.iter() {
                at = at.and_then(|at| at.get(key));
            }
            if at.is_none() {
                let names: Vec<String> = keys.iter().map(shown).collect();
                if let Some(first) = names.first().filter(|_| names.len() > 1) {
                    case.cases.remove(first);
                }
                case.cases.insert(names.join("/"), false);
            }
        }
        let failed = case.cases.iter().filter(|(_, passed)| !**passed);
        let failed: Vec<String> = failed.map(|(name, _)| format!("`{name}`")).collect();
        match failed.as_slice() {
            [] => Outcome::Passed,
            [one] => Outcome::Failed(format!("the case {one} did not pass")),
            many => Outcome::Failed(format!("the cases {} did not pass", many.join(", "))),
        }
    }
}

fn undefined() -> Outcome {
    Outcome::Failed("undefined".to_owned())
}

fn outcome_of(value: Option<&Value>) -> Outcome {
    match value {
        Some(Value::Bool(true)) => Outcome::Passed,
        None => undefined(),
        Some(value) if is_heavier_than(value, SHOWN_BYTES) => {
            Outcome::Failed("is a large value".to_owned())
        }
        Some(value) => Outcome::Failed(format!("is {value}")),
    }
}

/// Objects are cases in cases. Source: OPA.
fn is_passed(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::Object(cases) => cases.iter().all(|(_, value)| is_passed(value)),
        _ => false,
    }
}

fn shown(key: &Value) -> String {
    match key {
        Value::String(text) => text.to_string(),
        key if is_heavier_than(key, SHOWN_BYTES) => "a large value".to_owned(),
        key => key.to_string(),
    }
}
