//! The verbs on policies. Publishing stores a checked bundle; activating makes it what the edge
//! enforces. Whatever is refused, what is active stays active.

pub(crate) mod activate;
mod artifact;
pub(crate) mod check;
pub(crate) mod edge;
pub(crate) mod workbench;

use plinto_contract::events::BundlePublished;
use plinto_directory::roles;
use plinto_platform::{
    Platform,
    actor::{Actor, Permission},
    authority::{self, Need},
    envelope::sha256_hex,
};
use plinto_tenancy::{
    signing_keys::{self, Purpose, SigningKeysError},
    tenants,
};

use self::workbench::Workbench;
use super::{
    error::PoliciesError,
    model::{self, Activation, Bundle, Status},
    store,
};

/// Checks a bundle and stores it. Publishing the same content again changes nothing.
/// Answers the bundle and whether it is new.
/// Errors: `Refused`, `TooExpensive`: nothing of it is kept; `Busy`.
pub(crate) async fn publish(
    platform: &Platform,
    actor: &Actor,
    packed: Vec<u8>,
) -> Result<(Bundle, bool), PoliciesError> {
    actor.require(Permission::PoliciesPublish)?;
    let checked = platform.state::<Workbench>().check(&packed).await?;
    let now = platform.clock.now();
    let bundle = Bundle {
        id: platform.random.id(now),
        revision: checked.revision,
        digest: sha256_hex(&packed),
        size_bytes: count(packed.len()),
        file_count: count(checked.files),
        entrypoint: checked.entrypoint,
        tests_passed: count(checked.tests_passed),
        checked_by: check::checked_by(),
        published_by: name_of(actor),
        created_at: now,
        is_active: false,
    };
    let mut work = authority::begin(
        platform,
        actor,
        Need::Permission(Permission::PoliciesPublish),
    )
    .await?;
    if !store::insert(&mut work.tx, actor.tenant, &bundle, &packed).await? {
        let known = store::find(&mut work.tx, actor.tenant, &bundle.revision).await?;
        return known
            .map(|bundle| (bundle, false))
            .ok_or(PoliciesError::NotFound);
    }
    let data = BundlePublished {
        revision: bundle.revision.clone(),
        entrypoint: bundle.entrypoint.clone(),
    };
    work.record(bundle.id, &data).await?;
    work.commit().await?;
    Ok((bundle, true))
}

/// One bundle.
pub(crate) async fn get(
    platform: &Platform,
    actor: &Actor,
    revision: &str,
) -> Result<Bundle, PoliciesError> {
    actor.require(Permission::PoliciesRead)?;
    let mut tx = platform.db.read().await?;
    store::find(&mut tx, actor.tenant, revision)
        .await?
        .ok_or(PoliciesError::NotFound)
}

/// A bundle's archive, byte for byte as it was published.
pub(crate) async fn archive(
    platform: &Platform,
    actor: &Actor,
    revision: &str,
) -> Result<Vec<u8>, PoliciesError> {
    actor.require(Permission::PoliciesRead)?;
    let mut tx = platform.db.read().await?;
    store::archive(&mut tx, actor.tenant, revision)
        .await?
        .ok_or(PoliciesError::NotFound)
}

/// Bundles, the newest first, before the id `before` (empty: from the newest), at most `limit`.
pub(crate) async fn list(
    platform: &Platform,
    actor: &Actor,
    before: &str,
    limit: i64,
) -> Result<Vec<Bundle>, PoliciesError> {
    actor.require(Permission::PoliciesRead)?;
    let mut tx = platform.db.read().await?;
    Ok(store::list(&mut tx, actor.tenant, before, limit).await?)
}

/// Activations, the newest first, before the sequence `before` (0: from the newest).
pub(crate) async fn history(
    platform: &Platform,
    actor: &Actor,
    before: i64,
    limit: i64,
) -> Result<Vec<Activation>, PoliciesError> {
    actor.require(Permission::PoliciesRead)?;
    let mut tx = platform.db.read().await?;
    Ok(store::history(&mut tx, actor.tenant, before, limit).await?)
}

/// What is active, and whether it will be built anew shortly.
pub(crate) async fn status(platform: &Platform, actor: &Actor) -> Result<Status, PoliciesError> {
    actor.require(Permission::PoliciesRead)?;
    let tenant = tenants::by_id(platform, actor.tenant)
        .await
        .map_err(SigningKeysError::from)?;
    let kid = signing_keys::active_kid(platform, &tenant, Purpose::Bundle).await?;
    let mut tx = platform.db.read().await?;
    let active = store::active(&mut tx, actor.tenant).await?;
    let roles_version = roles::version(&mut tx, actor.tenant).await?;
    let outdated = active.as_ref().and_then(|active| {
        let renew_before_s = platform.config.policies.renew_before_s;
        active.is_outdated(roles_version, &kid, platform.clock.now(), renew_before_s)
    });
    Ok(Status {
        active,
        outdated,
        roles_version,
    })
}

/// A revision as it stands in a URL. Errors: `NotFound` for anything that cannot be one.
pub(crate) fn revision(text: &str) -> Result<&str, PoliciesError> {
    if model::is_digest(text) {
        Ok(text)
    } else {
        Err(PoliciesError::NotFound)
    }
}

/// A user's or key's id; `system` for ourselves.
fn name_of(actor: &Actor) -> String {
    let actor = actor.for_event();
    if actor.id.is_empty() {
        actor.kind
    } else {
        actor.id
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
