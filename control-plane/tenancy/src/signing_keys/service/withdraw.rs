//! Ending a key before its time, because somebody else may have it.

use plinto_contract::{
    events::{SigningKeyRotated, SigningKeyWithdrawn},
    ids::SigningKeyId,
    time::UnixMillis,
};
use plinto_jose::SigningKey;
use plinto_platform::{
    Platform,
    actor::{Actor, Permission},
    authority::{self, Need, Work},
};

use super::{generate, record_created, seal};
use crate::{
    signing_keys::{
        error::SigningKeysError,
        model::{SigningKeyRecord, State},
        store,
    },
    tenants,
};

/// Ends a key at once: it leaves the published set, its private part is erased, and what it signed is
/// refused, here at once and at edges as soon as they know the revocation feed. If it signed, the next
/// key signs instead, whether every verifier has it yet or not. Ending it again changes nothing.
/// Errors: `NotFound`; `RotationInProgress` when the key has just moved on to another state.
pub(crate) async fn withdraw(
    platform: &Platform,
    actor: &Actor,
    id: SigningKeyId,
) -> Result<SigningKeyRecord, SigningKeysError> {
    actor.require(Permission::SigningKeysRotate)?;
    let mut tx = platform.db.read().await?;
    let seen = store::find(&mut tx, actor.tenant, id)
        .await?
        .ok_or(SigningKeysError::NotFound)?;
    drop(tx);
    if seen.state == State::Withdrawn {
        return Ok(seen);
    }
    // What comes after the next key, should it have to sign.
    let fresh = generate(seen.algorithm).await?;
    let now = platform.clock.now();
    let mut work = authority::begin(
        platform,
        actor,
        Need::Permission(Permission::SigningKeysRotate),
    )
    .await?;
    if !store::withdraw(&mut work.tx, actor.tenant, &seen, now).await? {
        return Err(SigningKeysError::RotationInProgress(1));
    }
    replace(&mut work, &seen, &fresh, now).await?;
    let data = SigningKeyWithdrawn {
        purpose: seen.purpose.as_str().to_owned(),
        kid: seen.kid,
    };
    work.record(id, &data).await?;
    let key = store::find(&mut work.tx, actor.tenant, id)
        .await?
        .ok_or(SigningKeysError::NotFound)?;
    let changed = tenants::keys_changed(&mut work.tx, actor.tenant).await?;
    work.commit().await?;
    changed.tell(platform).await;
    Ok(key)
}

/// Fills the place that a withdrawn key leaves.
async fn replace(
    work: &mut Work<'_>,
    gone: &SigningKeyRecord,
    fresh: &SigningKey,
    now: UnixMillis,
) -> Result<(), SigningKeysError> {
    if !matches!(gone.state, State::Active | State::Next) {
        return Ok(());
    }
    if gone.state == State::Active {
        let next = store::in_state(&mut work.tx, work.actor.tenant, gone.purpose, State::Next)
            .await?
            .ok_or(SigningKeysError::NoKey)?
            .record;
        if !store::activate(&mut work.tx, work.actor.tenant, next.id, now).await? {
            return Err(SigningKeysError::RotationInProgress(1));
        }
        let data = SigningKeyRotated {
            purpose: gone.purpose.as_str().to_owned(),
            kid: next.kid,
            retires_at: None,
        };
        work.record(next.id, &data).await?;
    }
    let mut stored = seal(
        work.platform,
        work.actor.tenant,
        (gone.purpose, State::Next),
        fresh,
        now,
    )?;
    stored.record.usable_at = now.plus_seconds(work.platform.config.signing_keys.publish_ahead_s);
    store::insert(&mut work.tx, work.actor.tenant, &stored).await?;
    record_created(work, &stored.record).await?;
    Ok(())
}
