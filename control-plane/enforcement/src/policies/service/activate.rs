//! Activation: roles and bundle become one signed artifact with the next sequence.

use plinto_contract::{
    events::{BundleActivated, BundleRenewed, BundleRolledBack},
    time::UnixMillis,
};
use plinto_directory::roles;
use plinto_platform::{
    Platform,
    actor::{Actor, Permission},
    authority::{self, Need, Work},
    db::{DbError, Tx},
    recheck::Refused,
};
use plinto_policy::bundle::Expect;
use plinto_tenancy::{
    signing_keys::{self, Purpose, SigningKeysError},
    tenants::{self, Tenant},
};

use super::{
    artifact::{self, Artifact, Ingredients},
    check, count, name_of,
    workbench::Workbench,
};
use crate::policies::{
    error::PoliciesError,
    model::{Activation, Reason, Step},
    store,
};

/// 5: attempts before we say that somebody else is always faster.
const ATTEMPTS: usize = 5;
/// 16: artifacts kept. An edge in the middle of a download, and people who look, find theirs.
const ARTIFACTS_KEPT: i64 = 16;

/// Makes a published revision what the edge enforces.
/// Errors: `NotFound`; whatever makes the bundle unusable by now.
pub(crate) async fn activate(
    platform: &Platform,
    actor: &Actor,
    revision: &str,
) -> Result<Activation, PoliciesError> {
    actor.require(Permission::PoliciesActivate)?;
    for attempt in 0..ATTEMPTS {
        let mut tx = begin_attempt(platform, actor, attempt).await?;
        let active = store::active(&mut tx, actor.tenant).await?;
        drop(tx);
        let step = Step::activate(active.as_ref(), revision);
        if let Some(made) = apply(platform, actor, active.as_ref(), step).await? {
            return Ok(made);
        }
    }
    Err(PoliciesError::Overtaken)
}

/// The transaction in which an attempt reads what is active. Who lost to another activation reads where
/// that one was written: on SQLite it may be waiting for its flush, which no reader sees before.
async fn begin_attempt(platform: &Platform, actor: &Actor, attempt: usize) -> Result<Tx, Refused> {
    if attempt == 0 {
        return Ok(platform.db.read().await?);
    }
    let need = Need::Permission(Permission::PoliciesActivate);
    Ok(authority::begin(platform, actor, need).await?.tx)
}

/// Goes back to the revision that was active before the active one.
/// Errors: `NothingActive`; `NothingToRollBackTo`; `Overtaken` when somebody activated another
/// revision meanwhile: going back from that one is not what was asked for.
pub(crate) async fn roll_back(
    platform: &Platform,
    actor: &Actor,
) -> Result<Activation, PoliciesError> {
    actor.require(Permission::PoliciesActivate)?;
    let mut seen: Option<String> = None;
    for attempt in 0..ATTEMPTS {
        let mut tx = begin_attempt(platform, actor, attempt).await?;
        let active = store::active(&mut tx, actor.tenant)
            .await?
            .ok_or(PoliciesError::NothingActive)?;
        if seen.as_ref().is_some_and(|seen| *seen != active.revision) {
            return Err(PoliciesError::Overtaken);
        }
        let previous = active
            .previous_revision
            .as_deref()
            .ok_or(PoliciesError::NothingToRollBackTo)?;
        let earlier = store::latest_of(&mut tx, actor.tenant, previous)
            .await?
            .ok_or(PoliciesError::NothingToRollBackTo)?;
        drop(tx);
        let step = Step::roll_back(&earlier);
        if let Some(made) = apply(platform, actor, Some(&active), step).await? {
            return Ok(made);
        }
        seen = Some(active.revision);
    }
    Err(PoliciesError::Overtaken)
}

/// Builds the active artifact anew if it is outdated. `None`: it was not, or nothing is active, or
/// somebody else was faster.
pub(crate) async fn rebuild(
    platform: &Platform,
    actor: &Actor,
) -> Result<Option<Activation>, PoliciesError> {
    actor.require(Permission::PoliciesActivate)?;
    let mut tx = platform.db.read().await?;
    let active = store::active(&mut tx, actor.tenant).await?;
    let roles_version = roles::version(&mut tx, actor.tenant).await?;
    let tenant = own_tenant(&mut tx, actor).await?;
    drop(tx);
    let kid = signing_keys::active_kid(platform, &tenant, Purpose::Bundle).await?;
    let renew_before_s = platform.config.policies.renew_before_s;
    let reason = active.as_ref().and_then(|active| {
        active.is_outdated(roles_version, &kid, platform.clock.now(), renew_before_s)
    });
    let seen = active.as_ref().map(|active| active.sequence);
    let (Some(active), Some(reason)) = (active, reason) else {
        up_to_date(platform, actor, seen, roles_version, &kid).await?;
        return Ok(None);
    };
    let step = Step::rebuild(&active, reason);
    apply(platform, actor, Some(&active), step).await
}

/// Notes that nothing is due: what is active, if anything is, has these roles and this key.
/// `seen`: the sequence of what was active when that was found.
async fn up_to_date(
    platform: &Platform,
    actor: &Actor,
    seen: Option<i64>,
    roles_version: i64,
    kid: &str,
) -> Result<(), PoliciesError> {
    let now = platform.clock.now();
    let mut tx = authority::begin_own(platform).await?;
    roles::bundle_built(&mut tx, actor.tenant, roles_version, now).await?;
    signing_keys::bundle_signed(&mut tx, actor.tenant, kid, now).await?;
    // Looked at last: an activation writes the same rows, so it is seen here or sees what was noted.
    let active = store::active(&mut tx, actor.tenant).await?;
    if active.map(|active| active.sequence) == seen {
        tx.commit().await?;
    }
    Ok(())
}

/// Lets whatever is due be due later: it could not be built now.
pub(crate) async fn put_off(
    platform: &Platform,
    actor: &Actor,
    until: UnixMillis,
) -> Result<(), PoliciesError> {
    let mut tx = authority::begin_own(platform).await?;
    roles::put_off_bundle(&mut tx, actor.tenant, until).await?;
    signing_keys::put_off_bundle(&mut tx, actor.tenant, until).await?;
    tx.commit().await?;
    Ok(())
}

/// The tenant as it is now, and with it which keys are its own.
async fn own_tenant(tx: &mut Tx, actor: &Actor) -> Result<Tenant, PoliciesError> {
    let tenant = tenants::find(tx, actor.tenant).await?;
    Ok(tenant.ok_or(SigningKeysError::NoKey)?)
}

/// Makes the activation that `step` asks for, after `active`. `None`: somebody else made one meanwhile.
/// All work is done before the transaction; the sequence's unique key decides who was first.
async fn apply(
    platform: &Platform,
    actor: &Actor,
    active: Option<&Activation>,
    step: Step,
) -> Result<Option<Activation>, PoliciesError> {
    let now = platform.clock.now();
    let issued_at = now.to_seconds();
    let expires_at = issued_at.plus_seconds(platform.config.policies.bundle_s);
    let sequence = active.map_or(0, |active| active.sequence).saturating_add(1);
    let mut tx = platform.db.read().await?;
    let bundle = store::find(&mut tx, actor.tenant, &step.revision)
        .await?
        .ok_or(PoliciesError::NotFound)?;
    let archive = store::archive(&mut tx, actor.tenant, &step.revision)
        .await?
        .ok_or(PoliciesError::NotFound)?;
    let roles = roles::policy_data(&mut tx, actor.tenant).await?;
    let tenant = own_tenant(&mut tx, actor).await?;
    drop(tx);
    // Its tests passed with the engine it was published under; another one may decide otherwise.
    // What is in force is rebuilt without them: to leave it would leave roles as they were.
    let needs_check = step.reason.is_choice() && bundle.checked_by != check::checked_by();
    if needs_check {
        platform.state::<Workbench>().check(&archive).await?;
    }
    let kid = signing_keys::active_kid(platform, &tenant, Purpose::Bundle).await?;
    let roles_version = roles.version;
    let ingredients = Ingredients {
        tenant: actor.tenant,
        revision: step.revision.clone(),
        sequence,
        issued_at,
        expires_at,
        roles,
        kid: kid.clone(),
    };
    let Some(Artifact { packed, digest }) = build(platform, &tenant, archive, ingredients).await?
    else {
        return Ok(None);
    };
    let made = Activation {
        id: platform.random.id(now),
        sequence,
        revision: step.revision,
        previous_revision: step.previous_revision,
        reason: step.reason,
        digest,
        size_bytes: count(packed.len()),
        roles_version,
        signed_by_kid: kid,
        activated_by: name_of(actor),
        created_at: now,
        expires_at: expires_at.to_millis(),
    };
    store_activation(platform, actor, made, &packed, needs_check).await
}

/// Builds and signs outside any transaction. `None`: the key was rotated in between.
async fn build(
    platform: &Platform,
    tenant: &Tenant,
    archive: Vec<u8>,
    ingredients: Ingredients,
) -> Result<Option<Artifact>, PoliciesError> {
    let kid = ingredients.kid.clone();
    let expect = Expect {
        tenant: tenant.id,
        now: ingredients.issued_at,
        min_sequence: u64::try_from(ingredients.sequence).unwrap_or_default(),
    };
    let draft = platform
        .state::<Workbench>()
        .run(move || artifact::draft(&archive, ingredients))
        .await?;
    let signature =
        signing_keys::sign(platform, tenant, Purpose::Bundle, None, draft.payload()).await?;
    if artifact::kid_of(&signature).as_deref() != Some(kid.as_str()) {
        return Ok(None);
    }
    let keys = signing_keys::jwks(platform, tenant, Purpose::Bundle).await?;
    platform
        .state::<Workbench>()
        .run(move || artifact::finish(draft, signature, &keys, &expect))
        .await
        .map(Some)
}

async fn store_activation(
    platform: &Platform,
    actor: &Actor,
    made: Activation,
    packed: &[u8],
    was_checked: bool,
) -> Result<Option<Activation>, PoliciesError> {
    let mut work = authority::begin(
        platform,
        actor,
        Need::Permission(Permission::PoliciesActivate),
    )
    .await?;
    match store::activate(&mut work.tx, actor.tenant, &made, packed).await {
        Err(error) if error.constraint() == Some("activations_tenant_id_sequence_key") => {
            return Ok(None);
        }
        result => result?,
    }
    if was_checked {
        let checked_by = check::checked_by();
        store::mark_checked(&mut work.tx, actor.tenant, &made.revision, &checked_by).await?;
    }
    let now = platform.clock.now();
    roles::bundle_built(&mut work.tx, actor.tenant, made.roles_version, now).await?;
    signing_keys::bundle_signed(&mut work.tx, actor.tenant, &made.signed_by_kid, now).await?;
    let oldest_kept = made.sequence.saturating_sub(ARTIFACTS_KEPT);
    store::prune(&mut work.tx, actor.tenant, oldest_kept).await?;
    record(&mut work, &made).await?;
    work.commit().await?;
    Ok(Some(made))
}

async fn record(work: &mut Work<'_>, made: &Activation) -> Result<(), DbError> {
    let (revision, sequence, digest) = (made.revision.clone(), made.sequence, made.digest.clone());
    let reason = made.reason.as_str().to_owned();
    match made.reason {
        Reason::Activated => {
            let data = BundleActivated {
                revision,
                sequence,
                digest,
                reason,
            };
            work.record(made.id, &data).await
        }
        Reason::RolledBack => {
            let data = BundleRolledBack {
                revision,
                sequence,
                digest,
                reason,
            };
            work.record(made.id, &data).await
        }
        Reason::RolesChanged | Reason::KeyRotated | Reason::Renewed => {
            let data = BundleRenewed {
                revision,
                sequence,
                digest,
                reason,
            };
            work.record(made.id, &data).await
        }
    }
}
