//! Everything that is checked of a bundle before it may be stored or signed: archive, digests,
//! compilation, entrypoint, tests. Pure work on bytes, on bounded blocking threads.

use std::sync::Arc;

use plinto_contract::bundle::{Manifest, ROLES_FILE, ROLES_PATH};
use plinto_policy::{
    bundle::{self, Limits, Source, Upload},
    cases,
    engine::Engine,
    limits::EvaluationLimits,
};
use tokio::sync::Semaphore;

use crate::{
    envelope::sha256_hex,
    features::policies::{error::PoliciesError, model},
};

/// 2: bundles worked on at once. Compiling takes a core for up to a second; sign-ins want the rest.
const AT_ONCE: usize = 2;
/// 16: bundles that may wait or be worked on; more are turned away.
const WAITING: usize = 16;

/// Room for work that takes a core for long.
#[derive(Debug)]
pub struct Slots {
    slots: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            slots: Arc::new(Semaphore::new(AT_ONCE)),
            places: Arc::new(Semaphore::new(WAITING)),
        }
    }
}

impl Slots {
    /// Runs work on a blocking thread. A slot stays taken until the work is done, also when nobody
    /// waits for it any more.
    /// Errors: `Busy` when too many wait already.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PoliciesError> + Send + 'static,
    ) -> Result<T, PoliciesError> {
        let busy = |_| PoliciesError::Busy;
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| PoliciesError::Busy)?;
        let slot = Arc::clone(&self.slots)
            .acquire_owned()
            .await
            .map_err(busy)?;
        tokio::task::spawn_blocking(move || {
            let result = work();
            drop((slot, place));
            result
        })
        .await
        .map_err(|_| PoliciesError::Interrupted)?
    }
}

/// Stands for the tenant's roles while a bundle is checked.
const PLACEHOLDER_ROLES: &str = r#"{"owner":{"organization:update":true}}"#;

/// A bundle that was found good.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    /// Its manifest, with its revision and without activation.
    pub(super) manifest: Manifest,
    /// Its files, tests included.
    pub(super) source: Source,
    /// SHA-256 of the archive.
    pub(super) digest: String,
    /// How many of its tests passed.
    pub(super) tests_passed: usize,
}

/// Checks an archive as it was sent in.
/// Errors: whatever makes it unusable; nothing of it is kept then.
pub(super) fn check(packed: &[u8]) -> Result<Checked, PoliciesError> {
    let Upload {
        mut manifest,
        source,
    } = Upload::read(packed, &Limits::default())?;
    let computed = bundle::revision(&source, &manifest)?;
    if !manifest.revision.is_empty() && manifest.revision != computed {
        return Err(PoliciesError::Altered {
            declared: manifest.revision,
            computed,
        });
    }
    manifest.revision = computed;
    let engine = Engine::prepare(&manifest, &source)?;
    if engine.data(&ROLES_PATH).is_some() {
        return Err(PoliciesError::ReservedData(ROLES_PATH.join(".")));
    }
    // Whatever could not live beside the tenant's roles must be found now, not at activation.
    let (with_roles, source_with_roles) = add_roles(&manifest, &source, PLACEHOLDER_ROLES);
    Engine::prepare(&with_roles, &source_with_roles)?;
    let report = cases::run(&manifest, &source, &EvaluationLimits::default())?;
    if !report.is_ok() {
        return Err(PoliciesError::TestsFailed(
            report.failures().cloned().collect(),
        ));
    }
    Ok(Checked {
        digest: sha256_hex(packed),
        tests_passed: report.passed(),
        manifest,
        source,
    })
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
