//! Builds what the edge enforces: a checked bundle with the tenant's roles, signed (N15).

use plinto_contract::{bundle::Activation as ManifestActivation, ids::TenantId, time::UnixSeconds};
use plinto_directory::roles::PolicyData;
use plinto_jose::{JwkSet, Jws};
use plinto_platform::envelope::sha256_hex;
use plinto_policy::{
    bundle::{Expect, Limits, Unsigned, Unverified, Upload},
    engine::{ENGINE, ENGINE_VERSION, Engine},
};

use super::check;
use crate::policies::error::PoliciesError;

/// What goes into an artifact besides the bundle itself.
#[derive(Debug, Clone)]
pub(super) struct Ingredients {
    pub(super) tenant: TenantId,
    /// What the archive must be.
    pub(super) revision: String,
    pub(super) sequence: i64,
    pub(super) issued_at: UnixSeconds,
    pub(super) expires_at: UnixSeconds,
    pub(super) roles: PolicyData,
    pub(super) kid: String,
}

/// A signed artifact, checked as the edge will check it.
#[derive(Debug, Clone)]
pub(super) struct Artifact {
    pub(super) packed: Vec<u8>,
    pub(super) digest: String,
}

/// Adds roles and activation to a stored archive. Its tests ran when it was published, with the
/// engine that decides now; it is compiled once it is signed.
/// Errors: `Altered` when the archive is not what was published.
pub(super) fn draft(archive: &[u8], with: Ingredients) -> Result<Unsigned, PoliciesError> {
    let Upload { manifest, source } = check::read(archive)?;
    if manifest.revision != with.revision {
        return Err(PoliciesError::Altered {
            declared: with.revision,
            computed: manifest.revision,
        });
    }
    let roles = with.roles.document().to_string();
    let (mut manifest, source) = check::add_roles(&manifest, &source.without_tests(), &roles);
    manifest.metadata.plinto.activation = Some(ManifestActivation {
        tenant: with.tenant,
        sequence: u64::try_from(with.sequence).unwrap_or_default(),
        iat: with.issued_at,
        exp: with.expires_at,
        engine: ENGINE.to_owned(),
        engine_version: ENGINE_VERSION.to_owned(),
    });
    Ok(Unsigned::new(&source, &manifest, &with.kid)?)
}

/// Packs a signed artifact and reads it back as the edge does, down to a prepared engine.
/// Errors: whatever would make the edge refuse it.
pub(super) fn finish(
    draft: Unsigned,
    signature: String,
    keys: &JwkSet,
    expect: &Expect,
) -> Result<Artifact, PoliciesError> {
    let packed = draft.signed(signature)?;
    let unverified = Unverified::read(&packed, &Limits::activated())?;
    let key = unverified
        .kid()
        .and_then(|kid| keys.find(kid, unverified.alg()))
        .ok_or(PoliciesError::Unverifiable(plinto_jose::Error::Key))?;
    plinto_jose::verify(&unverified.signature_job(key)?).map_err(PoliciesError::Unverifiable)?;
    let bundle = unverified.verified(expect)?;
    Engine::prepare(&bundle.manifest, &bundle.source)?;
    Ok(Artifact {
        digest: sha256_hex(&packed),
        packed,
    })
}

/// The id of the key that made a compact JWS.
pub(super) fn kid_of(compact: &str) -> Option<String> {
    Jws::parse_within(compact, compact.len()).ok()?.header.kid
}
