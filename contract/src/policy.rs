//! What the edge asks a policy and what it gets back. Source: `AuthZEN` Authorization API 1.0 §5, §6.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::objects::objects_only;

/// The `input` of a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self")]
pub struct EvaluationRequest {
    /// Who asks.
    pub subject: Subject,
    /// What they want to do.
    pub action: Action,
    /// What they want to do it to.
    pub resource: Resource,
    /// The circumstances: `time` (Unix seconds), `method`, `path`, `host`, `ip`.
    pub context: Map<String, Value>,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self")]
pub struct Subject {
    /// `user`, or `anonymous` on a public route without a token.
    #[serde(rename = "type")]
    pub kind: String,
    /// `sub` of the token; empty for `anonymous`.
    pub id: String,
    /// `tenant`, `org`, `roles`, `amr`, `auth_time`, `sid`, `client_id`: verified claims.
    #[serde(default)]
    pub properties: Map<String, Value>,
}

/// What the subject wants to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self")]
pub struct Action {
    /// As the route names it: `read`.
    pub name: String,
}

/// What the subject wants to do it to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self")]
pub struct Resource {
    /// As the route names it: `document`.
    #[serde(rename = "type")]
    pub kind: String,
    /// As the route takes it from the path; empty for a collection.
    pub id: String,
    /// Further parts of the path, as the route names them.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
}

/// What a policy's entrypoint must evaluate to: one object with these members and no others.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Decision {
    /// Whether the request may pass.
    pub allow: bool,
    /// Why, for the person who asked; shown in the refusal.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// What the application must do if it lets the request pass.
    #[serde(default)]
    pub obligations: Map<String, Value>,
}

/// Why there is no decision of the policy's own. Every one of them means: refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DenyReason {
    /// The entrypoint has no value for this input.
    Undefined,
    /// The entrypoint's value is not a decision.
    WrongShape,
    /// Two rules disagree, or a builtin failed.
    EvaluationError,
    /// The evaluation ran out of its step budget.
    LimitReached,
    /// The request is larger than a policy input may be, or nests deeper.
    InputTooLarge,
    /// The policy allows, but its obligations can't be told to the application: an error of the
    /// policy's, not an answer to who asked.
    ObligationsInvalid,
    /// No policy is active.
    NoBundle,
    /// No route of the active bundle matches the request.
    NoRoute,
}

impl DenyReason {
    /// The reason as it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::WrongShape => "wrong_shape",
            Self::EvaluationError => "evaluation_error",
            Self::LimitReached => "limit_reached",
            Self::InputTooLarge => "input_too_large",
            Self::ObligationsInvalid => "obligations_invalid",
            Self::NoBundle => "no_bundle",
            Self::NoRoute => "no_route",
        }
    }
}

objects_only!(EvaluationRequest, Subject, Action, Resource, Decision);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_with_a_member_it_does_not_have_is_refused() {
        assert!(serde_json::from_str::<Decision>(r#"{"allow":true,"alow":false}"#).is_err());
        assert!(serde_json::from_str::<Decision>(r#"{"reasons":[]}"#).is_err());
        assert!(
            serde_json::from_str::<Decision>(r#"{"allow":true}"#)
                .unwrap()
                .allow
        );
    }

    #[test]
    fn reasons_read_the_same_as_text_and_as_json() {
        for reason in [
            DenyReason::Undefined,
            DenyReason::WrongShape,
            DenyReason::EvaluationError,
            DenyReason::LimitReached,
            DenyReason::InputTooLarge,
            DenyReason::ObligationsInvalid,
            DenyReason::NoBundle,
            DenyReason::NoRoute,
        ] {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }
}
