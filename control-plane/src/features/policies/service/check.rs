//! Everything that is checked of a bundle before it may be stored or signed: archive, digests,
//! compilation, entrypoint, tests. Pure work on bytes, on bounded blocking threads.

use plinto_contract::bundle::Manifest;
use plinto_policy::{
    bundle::{self, Limits, Source, Upload},
    cases,
    engine::Engine,
    limits::EvaluationLimits,
};
use tokio::sync::Semaphore;

use crate::{envelope::sha256_hex, features::policies::error::PoliciesError};

/// 2: bundles worked on at once. Compiling takes a core for up to a second; sign-ins want the rest.
static SLOTS: Semaphore = Semaphore::const_new(2);
/// 16: bundles that may wait or be worked on; more are turned away.
static PLACES: Semaphore = Semaphore::const_new(16);

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

/// Runs work that takes a core for long. A slot stays taken until the work is done, also when
/// nobody waits for it any more.
/// Errors: `Busy` when too many wait already.
pub(super) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PoliciesError> + Send + 'static,
) -> Result<T, PoliciesError> {
    let place = PLACES.try_acquire().map_err(|_| PoliciesError::Busy)?;
    let slot = SLOTS.acquire().await.map_err(|_| PoliciesError::Busy)?;
    tokio::task::spawn_blocking(move || {
        let result = work();
        drop((slot, place));
        result
    })
    .await
    .map_err(|_| PoliciesError::Interrupted)?
}

/// Checks an archive as it was sent in.
/// Errors: whatever makes it unusable; nothing of it is kept then.
pub(super) fn check(packed: &[u8]) -> Result<Checked, PoliciesError> {
    let Upload { mut manifest, source } = Upload::read(packed, &Limits::default())?;
    let computed = bundle::revision(&source, &manifest)?;
    if !manifest.revision.is_empty() && manifest.revision != computed {
        return Err(PoliciesError::Altered {
            declared: manifest.revision,
            computed,
        });
    }
    manifest.revision = computed;
    Engine::prepare(&manifest, &source)?;
    let report = cases::run(&manifest, &source, &EvaluationLimits::default())?;
    if !report.is_ok() {
        return Err(PoliciesError::TestsFailed(report.failures().cloned().collect()));
    }
    Ok(Checked {
        digest: sha256_hex(packed),
        tests_passed: report.passed(),
        manifest,
        source,
    })
}
