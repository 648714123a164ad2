//! Whether two answers are the same, and how they differ.

/// What an answer is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Value,
    Undefined,
    /// With its code.
    Error(String),
    /// The compiler refused the policy.
    Refused,
}

pub(super) fn kind(answer: &str) -> Kind {
    match answer.split_at_checked(1) {
        Some(("=", _)) => Kind::Value,
        Some(("!", code)) => Kind::Error(code.to_owned()),
        _ if answer == "undefined" => Kind::Undefined,
        _ => Kind::Refused,
    }
}

/// Whether OPA gave no answer that could be compared: it checks types before it evaluates, and we
/// do not; or it ran out of time.
pub(super) fn is_none(opa: &str) -> bool {
    opa.starts_with("refused rego_type_error") || opa == "!eval_cancel_error"
}

/// How answers differ; `None`: they don't. OPA's may have an error on a second line, which it finds
/// when it evaluates everything.
pub(super) fn difference(opa: &str, ours: &str) -> Option<(Kind, Kind)> {
    let kinds = (kind(opa.lines().next().unwrap_or_default()), kind(ours));
    let is_same = match kinds {
        (Kind::Refused, Kind::Refused) => true,
        (Kind::Refused, _) | (_, Kind::Refused) => false,
        // In OPA what uses a value goes on before all ways to it are tried, so that another of several
        // errors may come first.
        (Kind::Error(_), Kind::Error(_)) => true,
        _ => opa.split('\n').any(|opa| opa == ours),
    };
    (!is_same && !is_none(opa)).then_some(kinds)
}
