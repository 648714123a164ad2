//! `plinto policy eval`: asks a policy as the edge would, or for any rule's value.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::ValueHint;
use plinto_contract::{
    claims::AccessToken,
    limits::POLICY_INPUT_BYTES,
    policy::{Action, Decision, DenyReason, EvaluationRequest, Resource, Subject},
};
use plinto_policy::{
    engine::{Evaluation, Fault, Value as PolicyValue, input_of},
    explore::Explorer,
    limits::EvaluationLimits,
    path::CanonicalPath,
    routing::{Routes, Target},
    trail::Said,
};
use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::{
    folder::{Folder, PolicyFolder, after_remarks},
    offline::wrong,
};
use crate::{clock, failure::Failure, output::Output, token};

/// Claims that a policy sees as properties of the subject.
const PROPERTIES: [&str; 7] = [
    "amr",
    "auth_time",
    "client_id",
    "org",
    "roles",
    "sid",
    "tenant",
];

/// Arguments of `plinto policy eval`.
#[derive(Debug, clap::Args)]
pub(crate) struct Eval {
    #[command(flatten)]
    folder: PolicyFolder,
    /// The request's path; its route says what the policy is asked.
    #[arg(long, required_unless_present_any = ["input", "rule"])]
    path: Option<String>,
    /// The request's method.
    #[arg(long, default_value = "GET", requires = "path")]
    method: String,
    /// An access token whose claims are the subject, or `-` to read it from standard input. It is
    /// decoded, not verified. Without one the request is anonymous.
    #[arg(long, requires = "path")]
    token: Option<String>,
    /// The request's host.
    #[arg(long, default_value = "localhost", requires = "path")]
    host: String,
    /// The client's address.
    #[arg(long, requires = "path")]
    ip: Option<String>,
    /// The moment of the request, in seconds since 1970; otherwise now.
    #[arg(long, requires = "path")]
    time: Option<i64>,
    /// A file with the whole input as JSON, or `-` for standard input.
    #[arg(long, value_hint = ValueHint::FilePath, conflicts_with = "path")]
    input: Option<PathBuf>,
    /// Show the value of this rule or package, like `data.app.authz.allow`, instead of the decision.
    #[arg(long)]
    rule: Option<String>,
}

/// What a policy is asked with.
#[derive(Default)]
struct Asked {
    input: Option<PolicyValue>,
    route: Option<Value>,
    /// Why the edge would not ask the policy at all.
    fault: Option<Fault>,
    has_token: bool,
}

/// The answer as JSON.
#[derive(Serialize)]
struct Answer<'a, Told> {
    #[serde(flatten)]
    asked: AskedDocument<'a>,
    #[serde(flatten)]
    told: Told,
    fault: Option<Value>,
    printed: &'a [Said],
    steps: u64,
}

#[derive(Serialize)]
struct AskedDocument<'a> {
    route: Option<&'a Value>,
    input: Option<Box<RawValue>>,
    token_verified: Option<bool>,
}

#[derive(Serialize)]
struct Decided<'a> {
    decision: &'a Decision,
}

#[derive(Serialize)]
struct Found<'a> {
    rule: &'a str,
    is_defined: bool,
    value: Option<Box<RawValue>>,
}

impl Eval {
    pub(crate) fn run(self, output: Output) -> Result<(), Failure> {
        let folder = self.folder.read()?;
        let explorer = Explorer::prepare(&folder.manifest, &folder.source)
            .map_err(|error| wrong(&folder, error))?;
        let asked = self.asked(&explorer)?;
        match &self.rule {
            Some(rule) => show_rule(rule, &asked, &explorer, &folder, output),
            None => show_decision(&asked, &explorer, &folder, output),
        }
    }

    fn asked(&self, explorer: &Explorer) -> Result<Asked, Failure> {
        if let Some(path) = &self.input {
            return Ok(Asked {
                input: Some(read_input(path)?),
                ..Asked::default()
            });
        }
        match &self.path {
            Some(path) => self.routed(path, explorer),
            None => Ok(Asked::default()),
        }
    }

    /// The input that the edge makes of a request.
    fn routed(&self, raw: &str, explorer: &Explorer) -> Result<Asked, Failure> {
        let path = raw.split(['?', '#']).next().unwrap_or_default();
        let path = CanonicalPath::parse(path).map_err(|error| {
            Failure::Usage(format!("the edge answers `{raw}` with 400: {error}"))
        })?;
        let routes = Routes::compile(explorer.routes())
            .map_err(|error| Failure::Check(error.to_string()))?;
        let Some(target) = routes.find(&self.method, &path) else {
            return Ok(Asked {
                fault: Some(Fault {
                    reason: DenyReason::NoRoute,
                    detail: format!("no route covers {} {}", self.method, path.decoded()),
                }),
                ..Asked::default()
            });
        };
        let route = json!({
            "method": self.method,
            "path": target.route,
            "action": target.action,
            "resource_type": target.resource_type,
            "public": target.is_public,
        });
        let subject = match &self.token {
            Some(given) => user(&token::read(Some(given.clone()))?)?,
            None if target.is_public => anonymous(),
            None => {
                let text = "this route is not public: without a token the edge answers 401; \
                            `--token` says whose request it is";
                return Err(Failure::Check(text.to_owned()));
            }
        };
        let request = self.request(subject, &target, &path);
        Ok(Asked {
            input: Some(input_of(&request)),
            route: Some(route),
            fault: None,
            has_token: self.token.is_some(),
        })
    }

    fn request(
        &self,
        subject: Subject,
        target: &Target<'_>,
        path: &CanonicalPath,
    ) -> EvaluationRequest {
        let properties = target.properties.iter();
        let time = self.time.unwrap_or_else(|| clock::now().0);
        let mut context = Map::new();
        context.insert("time".to_owned(), json!(time));
        context.insert("method".to_owned(), json!(self.method));
        context.insert("path".to_owned(), json!(path.decoded()));
        context.insert("host".to_owned(), json!(self.host));
        if let Some(ip) = &self.ip {
            context.insert("ip".to_owned(), json!(ip));
        }
        EvaluationRequest {
            subject,
            action: Action {
                name: target.action.to_owned(),
            },
            resource: Resource {
                kind: target.resource_type.to_owned(),
                id: target.resource_id.clone(),
                properties: properties
                    .map(|(name, value)| ((*name).to_owned(), value.clone()))
                    .collect(),
            },
            context,
        }
    }
}

/// The subject that a token speaks of, as the edge tells a policy.
fn user(text: &str) -> Result<Subject, Failure> {
    let claims = token::claims(text)?;
    let token: AccessToken = serde_json::from_value(claims).map_err(|error| {
        Failure::Check(format!(
            "the token is no access token of Plinto's, which the edge would refuse: {error}"
        ))
    })?;
    let written = serde_json::to_value(&token).map_err(Failure::local)?;
    let properties = PROPERTIES.iter().filter_map(|name| {
        let value = written.get(name)?;
        Some(((*name).to_owned(), value.clone()))
    });
    Ok(Subject {
        kind: "user".to_owned(),
        id: token.sub.to_string(),
        properties: properties.collect(),
    })
}

fn anonymous() -> Subject {
    Subject {
        kind: "anonymous".to_owned(),
        id: String::new(),
        properties: Map::new(),
    }
}

fn read_input(path: &Path) -> Result<PolicyValue, Failure> {
    let mut text = Vec::new();
    // As much as an input may be, and some white space.
    let most = u64::try_from(POLICY_INPUT_BYTES.saturating_mul(8)).unwrap_or(u64::MAX);
    let read = if path == Path::new("-") {
        std::io::stdin().take(most).read_to_end(&mut text)
    } else {
        fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut text))
    };
    read.map_err(|error| Failure::file(path, error))?;
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::Check(format!("`{}` is no JSON: {why}", path.display()))
    };
    let text = std::str::from_utf8(&text).map_err(|error| wrong(&error))?;
    PolicyValue::from_json_text(text).map_err(|error| wrong(&error))
}

fn show_decision(
    asked: &Asked,
    explorer: &Explorer,
    folder: &Folder,
    output: Output,
) -> Result<(), Failure> {
    let limits = EvaluationLimits::default();
    let (evaluation, printed) = match (&asked.fault, asked.input.clone()) {
        (None, Some(input)) => {
            let Some(decided) = explorer.decide(input, &limits) else {
                let why = folder.lacks.unwrap_or("there is no decision to ask for");
                return Err(Failure::Usage(format!(
                    "{why}; ask for a rule: `--rule data.app.allow`"
                )));
            };
            decided
        }
        (Some(fault), _) => (unasked(fault), Vec::new()),
        (None, None) => {
            return Err(Failure::Usage(
                "`--path` or `--input` is missing".to_owned(),
            ));
        }
    };
    let answer = Answer {
        asked: asked.document()?,
        told: Decided {
            decision: &evaluation.decision,
        },
        fault: evaluation.fault.as_ref().map(fault_json),
        printed: &printed,
        steps: evaluation.steps,
    };
    output.answer(&answer, || {
        let mut lines = asked.lines();
        lines.extend(decided(&evaluation));
        lines.extend(said(&printed));
        lines.push(format!("{} steps", evaluation.steps));
        lines.extend(asked.caveat());
        lines.join("\n")
    })
}

/// What the edge says without asking the policy.
fn unasked(fault: &Fault) -> Evaluation {
    Evaluation {
        decision: Decision {
            allow: false,
            reasons: vec![fault.reason.as_str().to_owned()],
            obligations: Map::new(),
        },
        fault: Some(fault.clone()),
        steps: 0,
    }
}

fn show_rule(
    rule: &str,
    asked: &Asked,
    explorer: &Explorer,
    folder: &Folder,
    output: Output,
) -> Result<(), Failure> {
    if let Some(fault) = &asked.fault {
        return Err(Failure::Check(fault.detail.clone()));
    }
    let limits = EvaluationLimits::default();
    let found = explorer
        .value(rule, asked.input.clone(), clock::now(), &limits)
        .ok_or_else(|| {
            Failure::Usage(format!("`{rule}` is no path like `data.app.authz.allow`"))
        })?;
    let shown = found.value.as_ref().ok().and_then(Option::as_ref);
    let fault = found.value.as_ref().err();
    let answer = Answer {
        asked: asked.document()?,
        told: Found {
            rule,
            is_defined: shown.is_some(),
            value: shown.map(as_json).transpose()?,
        },
        fault: fault.map(fault_json),
        printed: &found.printed,
        steps: found.steps,
    };
    output.answer(&answer, || {
        let mut lines = asked.lines();
        lines.push(match (shown, fault) {
            (Some(value), _) => format!("{rule} is {}", value.to_json_pretty("")),
            (None, Some(fault)) => format!("{rule} has no value: {}", told(fault)),
            (None, None) => format!("{rule} is undefined"),
        });
        lines.extend(said(&found.printed));
        lines.push(format!("{} steps", found.steps));
        lines.extend(asked.caveat());
        after_remarks(&folder.remarks(None, None), &lines.join("\n"))
    })
}

impl Asked {
    fn lines(&self) -> Vec<String> {
        let text = |route: &Value, name: &str| {
            let member = route.get(name).and_then(Value::as_str);
            member.unwrap_or_default().to_owned()
        };
        let route = self.route.as_ref().map(|route| {
            format!(
                "route: {} {}, {} of {}",
                text(route, "method"),
                text(route, "path"),
                text(route, "action"),
                text(route, "resource_type"),
            )
        });
        let input = self.input.as_ref();
        let input = input.map(|input| format!("input: {}", input.to_json_pretty("")));
        route.into_iter().chain(input).collect()
    }

    fn document(&self) -> Result<AskedDocument<'_>, Failure> {
        Ok(AskedDocument {
            route: self.route.as_ref(),
            input: self.input.as_ref().map(as_json).transpose()?,
            token_verified: self.has_token.then_some(false),
        })
    }

    fn caveat(&self) -> Option<String> {
        self.has_token
            .then(|| "The token was decoded, not verified.".to_owned())
    }
}

fn decided(evaluation: &Evaluation) -> Vec<String> {
    let decision = &evaluation.decision;
    let mut lines = Vec::new();
    lines.push(if decision.allow {
        "decision: allowed".to_owned()
    } else {
        "decision: refused".to_owned()
    });
    let reasons = decision.reasons.iter();
    lines.extend(reasons.map(|reason| format!("reason: {reason}")));
    if !decision.obligations.is_empty() {
        let shown = pretty(&json!(decision.obligations));
        lines.push(format!("obligations: {shown}"));
    }
    lines.extend(
        evaluation
            .fault
            .as_ref()
            .map(|fault| format!("why: {}", fault.detail)),
    );
    lines
}

fn said(printed: &[Said]) -> Vec<String> {
    let printed = printed.iter();
    printed
        .map(|said| format!("printed {}:{}: {}", said.file, said.line, said.text))
        .collect()
}

fn told(fault: &Fault) -> String {
    format!("{} ({})", fault.detail, fault.reason.as_str())
}

fn fault_json(fault: &Fault) -> Value {
    json!({ "reason": fault.reason.as_str(), "detail": fault.detail })
}

/// A value as a member of an answer, its numbers as they were written. Sets become arrays, and keys
/// that are no texts are written as JSON.
fn as_json(value: &PolicyValue) -> Result<Box<RawValue>, Failure> {
    RawValue::from_string(value.to_json_pretty("  ")).map_err(Failure::local)
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
