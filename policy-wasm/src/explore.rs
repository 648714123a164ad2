//! Asks a policy for whoever writes it: the decision as the edge gets it, or any rule's value, with what
//! `print` said on the way.

use plinto_contract::{
    bundle::{Manifest, Route},
    time::UnixSeconds,
};

use crate::{
    budget::Budget,
    bundle::Source,
    diagnostics::PolicyError,
    engine::{Evaluation, Fault, Limits, evaluation_of, fault_of, moment_of, too_large},
    front::{TermKind, is_path, names_of, parse_term},
    load::{self, Hears, Loaded, Question},
    trail::{Said, said_in},
    value::Value,
};

/// A policy with its tests, ready to be asked.
pub struct Explorer {
    /// Tests and all.
    whole: Loaded,
    /// What the edge gets: a test file may define more of a rule.
    deciding: Option<Loaded>,
}

impl std::fmt::Debug for Explorer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Explorer")
            .field("routes", &self.whole.routes.len())
            .finish_non_exhaustive()
    }
}

/// What a rule's value is.
#[derive(Debug, Clone, PartialEq)]
pub struct Explored {
    /// `None`: undefined.
    pub value: Result<Option<Value>, Fault>,
    /// What `print` said.
    pub printed: Vec<Said>,
    /// Steps spent.
    pub steps: u64,
}

impl Explorer {
    /// Compiles a policy with its tests. A manifest without an entrypoint will do, but then there is no
    /// decision.
    /// Errors: every finding.
    pub fn prepare(manifest: &Manifest, source: &Source) -> Result<Self, PolicyError> {
        let decides = !manifest.metadata.plinto.entrypoint.is_empty();
        let deciding = decides.then(|| load::policies(manifest, source));
        Ok(Self {
            deciding: deciding.transpose()?,
            whole: load::with_tests(manifest, source)?,
        })
    }

    /// The routes, in their order.
    pub fn routes(&self) -> &[Route] {
        &self.whole.routes
    }

    /// What the edge would decide, and what `print` said. `None`: there is no entrypoint to decide by.
    pub fn decide(&self, input: Value, limits: &Limits) -> Option<(Evaluation, Vec<Said>)> {
        let loaded = self.deciding.as_ref()?;
        if let Some(refused) = too_large(&input, limits) {
            return Some((refused, Vec::new()));
        }
        let budget = Budget::new(limits.steps);
        let answer = loaded.decide(question(input, &budget));
        let said = said_in(loaded, &answer.printed);
        let evaluation = evaluation_of(loaded, answer.value, budget.spent(), limits);
        Some((evaluation, said))
    }

    /// The value at a path of `data`, as it is written in Rego: `data.app.authz.allow`. `now`: the moment,
    /// where the input names none.
    /// Errors: `None` for a text that is no such path.
    pub fn value(
        &self,
        path: &str,
        input: Option<Value>,
        now: UnixSeconds,
        limits: &Limits,
    ) -> Option<Explored> {
        let names = names(path)?;
        let has_input = input.is_some();
        let budget = Budget::new(limits.steps);
        let mut question = question(input.unwrap_or(Value::Null), &budget);
        if question.now_ns == 0 {
            question.now_ns = now.0.saturating_mul(1_000_000_000);
        }
        if !has_input {
            question.input = None;
        }
        let answer = self.whole.ask(&names, question);
        let fault = |stop| fault_of(&self.whole, &stop, limits);
        Some(Explored {
            printed: said_in(&self.whole, &answer.printed),
            value: answer.value.map_err(fault),
            steps: budget.spent(),
        })
    }
}

fn question(input: Value, budget: &Budget) -> Question<'_> {
    Question {
        now_ns: moment_of(&input),
        input: Some(input),
        budget,
        hears: Hears {
            prints: true,
            failures: false,
        },
    }
}

/// The names below `data`.
fn names(path: &str) -> Option<Vec<String>> {
    let term = parse_term(path).ok()?;
    if !is_path(&term) || !matches!(term.kind, TermKind::Var(_) | TermKind::Ref(..)) {
        return None;
    }
    let mut names = names_of(&term);
    if names.first().is_none_or(|first| first != "data") {
        return None;
    }
    names.remove(0);
    Some(names)
}
