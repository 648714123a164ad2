//! Everything that is checked of a bundle before it may be stored: archive, digests, compilation,
//! entrypoint, tests. Pure work on bytes, for a process that may be ended at any moment.

use plinto_contract::bundle::{Manifest, ROLES_FILE, ROLES_PATH};
use plinto_policy::{
    bundle::{Limits, Source, Upload},
    cases,
    engine::{ENGINE, ENGINE_VERSION, Engine},
    limits::EvaluationLimits,
};
use serde::{Deserialize, Serialize};

use crate::policies::{
    error::{PoliciesError, Refusal},
    model,
};

/// Stands for the tenant's roles while a bundle is checked.
const PLACEHOLDER_ROLES: &str = r#"{"owner":{"organization:update":true}}"#;

/// How a check came out, as one process tells another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CheckOutcome {
    /// The bundle is good.
    Good(Checked),
    /// It is not.
    Refused(Refusal),
}

/// A bundle that was found good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checked {
    /// SHA-256 of its content.
    pub(super) revision: String,
    /// The rule that decides.
    pub(super) entrypoint: String,
    /// Files in it, without the manifest.
    pub(super) files: usize,
    /// How many of its tests passed; none failed.
    pub(super) tests_passed: usize,
}

/// What checks bundles here: a bundle that another one checked is checked again.
pub(super) fn checked_by() -> String {
    format!("{ENGINE} {ENGINE_VERSION}")
}

/// Checks an archive as it was sent in and says how it came out, as JSON.
pub fn outcome(packed: &[u8]) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&match check(packed) {
        Ok(checked) => CheckOutcome::Good(checked),
        Err(error) => CheckOutcome::Refused(Refusal::of(&error)),
    })
}

fn check(packed: &[u8]) -> Result<Checked, PoliciesError> {
    let Upload { manifest, source } = read(packed)?;
    // Every finding is told before anything is compiled alone.
    let report = cases::run(&manifest, &source, &EvaluationLimits::default())?;
    let engine = Engine::prepare(&manifest, &source)?;
    if engine.data(&ROLES_PATH).is_some() {
        return Err(PoliciesError::ReservedData(ROLES_PATH.join(".")));
    }
    // Whatever could not live beside the tenant's roles must be found now, not at activation.
    let (with_roles, source_with_roles) = add_roles(&manifest, &source, PLACEHOLDER_ROLES);
    Engine::prepare(&with_roles, &source_with_roles)?;
    if !report.is_ok() {
        return Err(PoliciesError::TestsFailed(
            report.failures().cloned().collect(),
        ));
    }
    Ok(Checked {
        revision: manifest.revision,
        entrypoint: manifest.metadata.plinto.entrypoint,
        files: source.files.len(),
        tests_passed: report.passed(),
    })
}

/// Reads an archive; its manifest names the revision that its content has.
/// Errors: `Bundle`; `Altered` when the manifest names another one.
pub(super) fn read(packed: &[u8]) -> Result<Upload, PoliciesError> {
    let mut upload = Upload::read(packed, &Limits::default())?;
    let computed = upload.revision()?;
    let declared = &upload.manifest.revision;
    if !declared.is_empty() && *declared != computed {
        return Err(PoliciesError::Altered {
            declared: declared.clone(),
            computed,
        });
    }
    upload.manifest.revision = computed;
    Ok(upload)
}

/// Adds the roles' data to a bundle. `roles`: the document at `data.plinto.roles`, as JSON.
pub(super) fn add_roles(manifest: &Manifest, source: &Source, roles: &str) -> (Manifest, Source) {
    let (mut manifest, mut source) = (manifest.clone(), source.clone());
    source
        .files
        .insert(ROLES_FILE.to_owned(), roles.as_bytes().to_vec());
    model::add_roles_root(&mut manifest.roots);
    (manifest, source)
}
