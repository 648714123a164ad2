//! The manifest and signatures of a policy bundle. Source: OPA, "Bundles" (file format, signing).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ids::TenantId, objects::objects_only, time::UnixSeconds};

/// Where a bundle keeps its manifest.
pub const MANIFEST_FILE: &str = ".manifest";
/// Where a bundle keeps its signature.
pub const SIGNATURES_FILE: &str = ".signatures.json";
/// Data path of the routes: `data.plinto.routes`, an array of [`Route`].
pub const ROUTES_PATH: [&str; 2] = ["plinto", "routes"];
/// Data path of the roles: `data.plinto.roles[role][permission] = true`.
pub const ROLES_PATH: [&str; 2] = ["plinto", "roles"];
/// The file the control plane adds at activation; a published bundle must not have it.
pub const ROLES_FILE: &str = "plinto/roles/data.json";
/// Name of the only hash we write and accept in a signature.
pub const HASH_ALGORITHM: &str = "SHA-256";

/// OPA's `.manifest`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Manifest {
    /// SHA-256 of the published content, 64 hexadecimal characters.
    #[serde(default)]
    pub revision: String,
    /// The data paths this bundle owns. Absent: all of them, as in OPA.
    #[serde(default = "all_paths")]
    pub roots: Vec<String>,
    /// The dialect of its modules: 1, or 0 for Rego as it was before OPA 1.0.
    #[serde(default = "rego_v1")]
    pub rego_version: u8,
    /// The dialect of single modules, by a glob over their paths.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub file_rego_versions: BTreeMap<String, u8>,
    /// Everything that is ours.
    pub metadata: Metadata,
}

const fn rego_v1() -> u8 {
    1
}

fn all_paths() -> Vec<String> {
    vec![String::new()]
}

/// `metadata` of the manifest: room that OPA leaves to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Metadata {
    /// Our part.
    pub plinto: PlintoMetadata,
    /// Other tools' parts, kept as they came.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, serde_json::Value>,
}

/// Our part of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct PlintoMetadata {
    /// The rule that decides, as a path: `app/authz/decision`; with [`Answer::Allow`] perhaps a package.
    pub entrypoint: String,
    /// What that rule answers.
    #[serde(default, skip_serializing_if = "Answer::is_default")]
    pub answer: Answer,
    /// Whether an error of a builtin refuses the request, instead of being undefined. Source: OPA,
    /// `--strict-builtin-errors`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub strict_builtin_errors: bool,
    /// Written at activation; absent in a bundle that was only built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<Activation>,
}

/// How the entrypoint's value becomes a decision. Whatever does not fit refuses the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// An object with `allow`, `reasons` and `obligations`, and nothing else.
    #[default]
    Decision,
    /// `true` or `false`.
    Boolean,
    /// An object or a package, in which `allow` is `true` or `false`. `reasons` and `obligations` are
    /// read as of a decision; other names mean nothing.
    Allow,
    /// A set or an array of violations: texts, or objects with a text `msg`. None allows; each is a reason.
    Violations,
}

impl Answer {
    /// Whether it need not be said.
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde calls"
    )]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls"
)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// What the control plane adds when it activates a bundle and signs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Activation {
    /// Whose policy it is. Another tenant's is refused.
    pub tenant: TenantId,
    /// Rises with every activation, a roll-back included. A lower one is refused.
    pub sequence: u64,
    /// Signed in this second.
    pub iat: UnixSeconds,
    /// Refused from this second on.
    pub exp: UnixSeconds,
    /// The engine that ran the bundle's tests.
    pub engine: String,
    /// The version of that engine; another one may judge the tests differently.
    pub engine_version: String,
}

/// OPA's `.signatures.json`: exactly one compact JWS whose payload is a [`SignaturePayload`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Signatures {
    /// One compact JWS.
    pub signatures: Vec<String>,
}

/// What a bundle's signature covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self")]
pub struct SignaturePayload {
    /// Every file of the bundle but `.signatures.json`.
    pub files: Vec<FileDigest>,
    /// Key id, as OPA wants it beside the JWS header's `kid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyid: Option<String>,
    /// OPA's optional scope; always absent in ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// One file of a bundle and its digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self")]
pub struct FileDigest {
    /// Path without a leading slash.
    pub name: String,
    /// Lower-case hexadecimal. JSON files are hashed in OPA's canonical form.
    pub hash: String,
    /// Always `SHA-256`.
    pub algorithm: String,
}

/// How requests to the application become actions on resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Route {
    /// Upper-case HTTP methods.
    pub methods: Vec<String>,
    /// `/documents/{id}`: literal segments and named ones, and at the end perhaps `{rest...}`, which
    /// takes one segment or more.
    pub path: String,
    /// The action's name.
    pub action: String,
    /// The resource's type.
    pub resource_type: String,
    /// The resource's id, with `{name}` replaced by that segment; empty for a collection.
    #[serde(default)]
    pub resource_id: String,
    /// Further properties of the resource, with `{name}` replaced.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
    /// Whether a request without a token is put to the policy, as subject type `anonymous`.
    #[serde(default)]
    pub public: bool,
    /// How long the application may take to begin its answer, in seconds, 1 to 3600; absent: as long as the
    /// edge's `UPSTREAM_TIMEOUT_S` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u32>,
}

objects_only!(
    Manifest,
    PlintoMetadata,
    Activation,
    Signatures,
    SignaturePayload,
    FileDigest,
    Route
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_keeps_what_others_wrote_into_its_metadata() {
        let text = r#"{"revision":"r","roots":["app"],"rego_version":1,
            "metadata":{"plinto":{"entrypoint":"app/authz/decision"},"git":{"commit":"abc"}}}"#;
        let manifest: Manifest = serde_json::from_str(text).unwrap();
        let again = serde_json::to_value(&manifest).unwrap();
        assert_eq!(
            again,
            serde_json::from_str::<serde_json::Value>(text).unwrap()
        );
    }
}
