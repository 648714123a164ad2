//! How an entrypoint's value becomes a decision: what a policy may answer.

use plinto_contract::{
    bundle::Answer,
    limits::OBLIGATIONS_BYTES,
    policy::{Decision, DenyReason},
};
use serde_json::{Map, Value as Json};

use crate::{input::is_heavier_than, value::Value};

/// 64 KiB: reasons, and obligations, each as large as an input.
const DECISION_BYTES: usize = 64 * 1024;
/// Longest list of reasons that is passed on.
const REASONS_MAX: usize = 64;
/// Member of a violation that says it. Source: Gatekeeper, constraint templates.
const MESSAGE: &str = "msg";

/// An entrypoint's value, as far as it is asked for.
#[derive(Debug)]
pub(crate) enum Answered {
    /// The value itself.
    Whole(Value),
    /// What a package has at these names, and at no others.
    Members(Vec<(&'static str, Value)>),
}

/// Names of a package that make a decision.
pub(crate) const MEMBERS: [&str; 3] = ["allow", "reasons", "obligations"];

type Wrong = (DenyReason, &'static str);

const fn wrong(why: &'static str) -> Wrong {
    (DenyReason::WrongShape, why)
}

/// The decision in an entrypoint's value.
/// Errors: why there is none.
pub(crate) fn decision_of(answer: Answer, answered: &Answered) -> Result<Decision, Wrong> {
    let value = match answered {
        Answered::Whole(value) => value,
        Answered::Members(members) => {
            let members = members.iter().map(|(name, value)| (*name, value));
            return from_members(members, Others::Pass);
        }
    };
    match answer {
        Answer::Decision => from_object(value, Others::Refuse),
        Answer::Allow => from_object(value, Others::Pass),
        Answer::Boolean => match value.as_bool() {
            Some(allow) => Ok(Decision {
                allow,
                ..Decision::default()
            }),
            None => Err(wrong("the decision must be true or false")),
        },
        Answer::Violations => from_violations(value),
    }
}

/// Whether members with other names are an error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    Refuse,
    Pass,
}

fn from_object(value: &Value, others: Others) -> Result<Decision, Wrong> {
    let members = value
        .as_object()
        .ok_or(wrong("the decision must be an object"))?;
    let members = members.iter();
    from_members(
        members.map(|(name, value)| (name.as_str().unwrap_or_default(), value)),
        others,
    )
}

/// The decision contract: `allow`, and optionally `reasons` and `obligations`.
/// A refusal stands whatever its obligations are like; nobody would be told them.
fn from_members<'a>(
    members: impl Iterator<Item = (&'a str, &'a Value)>,
    others: Others,
) -> Result<Decision, Wrong> {
    let (mut allow, mut reasons, mut obligations) = (None, Vec::new(), Ok(Map::new()));
    for (name, value) in members {
        match name {
            "allow" => {
                let given = value.as_bool();
                allow = Some(given.ok_or(wrong("`allow` must be true or false"))?);
            }
            "reasons" => reasons = reasons_of(value).map_err(wrong)?,
            "obligations" => obligations = obligations_of(value),
            _ if others == Others::Pass => {}
            _ => {
                let why = "the decision has a member besides `allow`, `reasons`, `obligations`";
                return Err(wrong(why));
            }
        }
    }
    let allow = allow.ok_or(wrong("the decision lacks `allow`"))?;
    let obligations = match obligations {
        Err(why) if allow => return Err((DenyReason::ObligationsInvalid, why)),
        sayable => sayable.unwrap_or_default(),
    };
    Ok(Decision {
        allow,
        reasons,
        obligations,
    })
}

/// Each violation refuses, also one that is not told because there are too many.
fn from_violations(value: &Value) -> Result<Decision, Wrong> {
    let items: &[Value] = match value {
        Value::Array(items) => items,
        Value::Set(items) => items,
        _ => return Err(wrong("the violations must be a set or an array")),
    };
    let mut reasons = Vec::new();
    let mut bytes: usize = 0;
    for item in items.iter().take(REASONS_MAX) {
        let text = match item {
            Value::String(text) => Some(text.as_ref()),
            Value::Object(object) => object.get_str(MESSAGE).and_then(Value::as_str),
            _ => None,
        };
        let text = text.ok_or(wrong(
            "a violation must be a text, or an object with a text `msg`",
        ))?;
        bytes = bytes.saturating_add(text.len());
        if bytes > DECISION_BYTES {
            break;
        }
        reasons.push(text.to_owned());
    }
    Ok(Decision {
        allow: items.is_empty(),
        reasons,
        obligations: Map::new(),
    })
}

const TOO_LONG: &str = "`obligations` are longer than 4 KiB, as JSON in ASCII, or nest too deep";

fn obligations_of(value: &Value) -> Result<Map<String, Json>, &'static str> {
    // A value may share its parts; written out it would not end.
    if is_heavier_than(value, DECISION_BYTES) {
        return Err(TOO_LONG);
    }
    let Some(Json::Object(obligations)) = value.to_json() else {
        return Err("`obligations` must be an object with plain names");
    };
    let text = serde_json::to_string(&obligations).unwrap_or_default();
    let escaped = |letter: char| {
        if letter.is_ascii() {
            1
        } else {
            letter.len_utf16().saturating_mul(6)
        }
    };
    if text.chars().map(escaped).sum::<usize>() > OBLIGATIONS_BYTES {
        return Err(TOO_LONG);
    }
    Ok(obligations)
}

/// Reasons are an array, or the set that `reasons contains …` builds.
fn reasons_of(value: &Value) -> Result<Vec<String>, &'static str> {
    const WRONG: &str = "`reasons` must be a list or a set of texts";
    if is_heavier_than(value, DECISION_BYTES) {
        return Err("`reasons` are larger than 64 KiB or nest too deep");
    }
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or(WRONG);
    let reasons: Vec<String> = match value {
        Value::Array(items) => items.iter().map(text).collect::<Result<_, _>>()?,
        Value::Set(items) => items.iter().map(text).collect::<Result<_, _>>()?,
        _ => return Err(WRONG),
    };
    if reasons.len() > REASONS_MAX {
        return Err("`reasons` has more than 64 entries");
    }
    Ok(reasons)
}
