//! A policy with its questions, and what our engine answers.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    budget::Budget,
    check::{CheckedModule, check},
    evaluate::{Evaluation, Settings, Stop},
    front, plan,
    value::Value,
};

/// Far more than a small policy takes.
const STEPS: u64 = 300_000;

/// Modules, data, and what they are asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Policy {
    pub(super) modules: Vec<String>,
    pub(super) data: Box<RawValue>,
    pub(super) asks: Vec<Ask>,
}

/// One question: `data.t.p`, for this input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Ask {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<Box<RawValue>>,
    /// Whether an error of a builtin ends the evaluation.
    #[serde(default)]
    pub(super) strict: bool,
}

/// What one question is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Answer {
    /// `=` and the value as Rego writes it, `undefined`, `!` and an error's code, or `refused` and
    /// why.
    pub(super) text: String,
    /// Steps it took.
    pub(super) steps: u64,
}

/// Our answers to a policy's questions.
pub(super) fn answers(policy: &Policy) -> Vec<Answer> {
    let plan = compiled(policy);
    let answers = policy.asks.iter().map(|ask| match &plan {
        Ok(plan) => answer(plan, ask),
        Err(why) => Answer {
            text: format!("refused {why}"),
            steps: 0,
        },
    });
    answers.collect()
}

fn compiled(policy: &Policy) -> Result<plan::Plan, String> {
    let parsed = policy.modules.iter().map(|text| front::parse(text));
    let parsed: Vec<front::Module> = parsed
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    let checked = parsed.iter().zip(&policy.modules);
    let checked = checked.map(|(module, text)| CheckedModule {
        path: "t.rego",
        text,
        module,
    });
    if let Some(finding) = check(&checked.collect::<Vec<_>>()).into_iter().next() {
        return Err(finding.message);
    }
    let modules: Vec<_> = parsed.iter().map(|module| ("t.rego", module)).collect();
    let data = Value::from_json_text(policy.data.get()).map_err(|error| error.to_string())?;
    plan::compile(&modules, &data).map_err(|errors| {
        let first = errors.into_iter().next();
        first.map_or_else(String::new, |(_, error)| error.message)
    })
}

fn answer(plan: &plan::Plan, ask: &Ask) -> Answer {
    let budget = Budget::new(STEPS);
    let input = ask.input.as_ref();
    let mut evaluation = Evaluation::new(Settings {
        plan,
        budget: &budget,
        input: input.and_then(|input| Value::from_json_text(input.get()).ok()),
        now_ns: 0,
        is_strict: ask.strict,
        hears_prints: false,
    });
    let text = match evaluation.ask_path(&["t", "p"]) {
        Ok(Some(value)) => format!("={value}"),
        Ok(None) => "undefined".to_owned(),
        Err(Stop::Error(error)) => format!("!{}", error.code),
        Err(Stop::Exhausted(why)) => format!("!{why}"),
    };
    Answer {
        text,
        steps: budget.spent(),
    }
}
