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

/// Whether a difference is one that refuses a request which OPA may let through.
pub(super) const fn is_stricter((_, ours): &(Kind, Kind)) -> bool {
    matches!(ours, Kind::Refused | Kind::Error(_))
}

/// Whether OPA gave no answer that could be compared: it ran out of time.
pub(super) fn is_none(opa: &str) -> bool {
    // OPA's own failures: an internal error is none that a policy has.
    opa == "!eval_cancel_error" || opa.starts_with("!eval_internal_error") || opa.contains("!panic")
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
        (_, Kind::Error(_)) => opa.lines().any(|opa| matches!(kind(opa), Kind::Error(_))),
        _ => opa.lines().any(|opa| opa == ours),
    };
    let is_same = is_same || is_own_variable(ours);
    (!is_same && !is_none(opa)).then_some(kinds)
}

/// OPA takes a variable of a comprehension for another one where only the expression around the
/// comprehension gives it a value, as in `[x | x = input.a] = x`. Here such a policy is refused.
fn is_own_variable(ours: &str) -> bool {
    ours.starts_with("refused var") && ours.ends_with("is unsafe: nothing gives it a value")
}
