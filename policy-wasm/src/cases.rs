//! Runs the tests that come with a policy: rules named `test_*` in files named `*_test.rego`.
//! A test passes when its rule is `true`. Source: OPA, "Policy Testing".

use plinto_contract::bundle::Manifest;
use serde::Serialize;

use crate::{
    budget::{Budget, Exhausted},
    bundle::Source,
    diagnostics::PolicyError,
    evaluate::Stop,
    input::is_heavier_than,
    limits::{EvaluationLimits, TEST_STEPS_FACTOR, TESTS_STEPS_FACTOR},
    load::{self, Question, Scope},
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
}

/// All tests of a bundle, in file order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// One for each `test_` rule.
    pub cases: Vec<Case>,
}

impl Report {
    /// How many passed.
    pub fn passed(&self) -> usize {
        let passed = self
            .cases
            .iter()
            .filter(|case| case.outcome == Outcome::Passed);
        passed.count()
    }

    /// Those that did not pass.
    pub fn failures(&self) -> impl Iterator<Item = &Case> {
        let cases = self.cases.iter();
        cases.filter(|case| case.outcome != Outcome::Passed)
    }

    /// Whether none failed. A bundle without tests passes.
    pub fn is_ok(&self) -> bool {
        self.failures().next().is_none()
    }
}

/// Compiles a policy together with its tests and says how many there are, without running them.
/// Errors: the policy or a test file does not compile.
pub fn count(manifest: &Manifest, source: &Source) -> Result<usize, PolicyError> {
    Ok(load::load(manifest, source, Scope::Everything)?.tests.len())
}

/// Runs every test, each on a fresh copy of the policy, until all together have spent what a
/// bundle's tests may.
/// Errors: the policy or a test file does not compile.
pub fn run(
    manifest: &Manifest,
    source: &Source,
    limits: &EvaluationLimits,
) -> Result<Report, PolicyError> {
    let loaded = load::load(manifest, source, Scope::Everything)?;
    let steps = limits.steps.saturating_mul(TEST_STEPS_FACTOR);
    let together = limits.steps.saturating_mul(TESTS_STEPS_FACTOR);
    let mut left = together;
    let cases = loaded.tests.iter().map(|test| {
        let steps = steps.min(left);
        let budget = Budget::new(steps);
        let question = Question {
            input: None,
            now_ns: 0,
            budget: &budget,
            hears_prints: false,
        };
        let answer = loaded.ask(test.rule, question);
        left = left.saturating_sub(budget.spent());
        let outcome = match answer.value {
            Ok(Some(Value::Bool(true))) => Outcome::Passed,
            Ok(None) => Outcome::Failed("undefined".to_owned()),
            Ok(Some(value)) if is_heavier_than(&value, SHOWN_BYTES) => {
                Outcome::Failed("is a large value".to_owned())
            }
            Ok(Some(value)) => Outcome::Failed(format!("is {value}")),
            Err(Stop::Exhausted(Exhausted::Steps)) if left == 0 => Outcome::Errored(format!(
                "the bundle's tests together took more than {together} steps"
            )),
            Err(Stop::Exhausted(Exhausted::Steps)) => {
                Outcome::Errored(format!("took more than {steps} steps"))
            }
            Err(Stop::Exhausted(why)) => Outcome::Errored(why.to_string()),
            Err(Stop::Error(error)) => Outcome::Errored(loaded.told(&error)),
        };
        Case {
            package: test.package.clone(),
            name: test.name.clone(),
            file: test.file.clone(),
            line: test.line,
            steps: budget.spent(),
            outcome,
        }
    });
    Ok(Report {
        cases: cases.collect(),
    })
}
