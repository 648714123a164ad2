//! `plinto explain CODE`: what a problem code means and what helps, without a network.

use clap::builder::PossibleValuesParser;
use plinto_contract::problem::Code;
use serde_json::{Value, json};

use crate::{
    failure::Failure,
    output::{Output, table},
};

/// Arguments of `plinto explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// The `code` of a problem; without it, all codes are listed.
    #[arg(
        value_parser = PossibleValuesParser::new(Code::ALL.iter().map(|code| code.as_str())),
        hide_possible_values = true
    )]
    code: Option<String>,
}

impl Explain {
    pub(crate) fn run(&self, output: Output) -> Result<(), Failure> {
        match self.code.as_deref().and_then(Code::from_text) {
            Some(code) => output.answer(&explanation(code), || text(code)),
            None => output.answer(&json!({ "data": all() }), list),
        }
    }
}

fn all() -> Vec<Value> {
    Code::ALL.iter().map(|code| explanation(*code)).collect()
}

fn explanation(code: Code) -> Value {
    json!({
        "code": code.as_str(),
        "status": code.status(),
        "title": code.title(),
        "cause": code.cause(),
        "remedy": code.remedy(),
        "retryable": code.is_retryable(),
    })
}

fn text(code: Code) -> String {
    let (name, status, title) = (code.as_str(), code.status(), code.title());
    let again = if code.is_retryable() {
        "\n\nThe same request may succeed later."
    } else {
        ""
    };
    let (cause, remedy) = (code.cause(), code.remedy());
    format!("{name} ({status}): {title}\n\nCause: {cause}\n\nRemedy: {remedy}{again}")
}

fn list() -> String {
    let rows = Code::ALL.iter().map(|code| {
        let status = code.status().to_string();
        [code.as_str().to_owned(), status, code.title().to_owned()]
    });
    table(["Code", "Status", "Title"], rows)
}
