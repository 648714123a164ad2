//! The verbs on API keys.

use std::time::Duration;

use plinto_contract::{
    events::{ApiKeyCreated, ApiKeyRevoked},
    ids::{ApiKeyId, TenantId},
    problem::FieldError,
    time::UnixMillis,
};
use plinto_platform::{
    Platform, PlatformState,
    actor::{Actor, Denied, Permission, PermissionSet, Principal},
    authority::{self, Need, Work},
    db::{DbError, Tx},
    recheck::Rechecked,
};
use zeroize::Zeroizing;

use super::{
    error::ApiKeysError,
    model::{ApiKey, ApiKeySecret, CHANCE_BYTES, CreateApiKey, Marks, USE_RECORDED_EVERY_MS},
    store,
};

/// 1 s: how long another instance may still take a key that was revoked here (S4 grants five).
const KNOWN_FOR: Duration = Duration::from_secs(1);
/// 10,000: keys at hand, a few hundred bytes each.
const KNOWN_MAX: u64 = 10_000;
/// 60 s: far longer than a key read before its revocation can be at hand.
const REVOKED_FOR: Duration = Duration::from_mins(1);

/// Keys that were presented in the last moment, and those that were revoked in this process.
#[derive(Debug)]
struct Cache {
    marks: Marks,
    /// By the hash of the secret.
    known: moka::future::Cache<String, (TenantId, ApiKey)>,
    /// Refused whatever `known` says: a key may be read before its revocation and kept after it.
    revoked: moka::future::Cache<ApiKeyId, ()>,
}

impl PlatformState for Cache {
    fn new(platform: &Platform) -> Self {
        const PURPOSE: &str = "api key marks";
        let envelope = &platform.envelope;
        let previous = envelope.derive_previous(PURPOSE);
        Self {
            marks: Marks::new(envelope.derive(PURPOSE), previous),
            known: moka::future::Cache::builder()
                .max_capacity(KNOWN_MAX)
                .time_to_live(KNOWN_FOR)
                .build(),
            revoked: moka::future::Cache::builder()
                .time_to_live(REVOKED_FOR)
                .build(),
        }
    }
}

/// Whose key was presented, and what it opens.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// The key's tenant: nothing else of the request may name one.
    pub tenant: TenantId,
    /// Names the key, for events and its rate limit.
    pub key: ApiKeyId,
    /// What it may do.
    pub permissions: PermissionSet,
}

/// Makes a key and shows its secret, this once.
/// Errors: `Denied` when the key would get a permission that the caller lacks (Z6); `Invalid`, also
/// when it would outlive the key that makes it.
pub(crate) async fn create(
    platform: &Platform,
    actor: &Actor,
    input: CreateApiKey,
) -> Result<(ApiKey, ApiKeySecret), ApiKeysError> {
    actor.require(Permission::ApiKeysWrite)?;
    let errors = input.check(platform.clock.now());
    if !errors.is_empty() {
        return Err(ApiKeysError::Invalid(errors));
    }
    let granted = input.permissions.iter();
    let needed = granted.chain([Permission::ApiKeysWrite]).collect();
    let mut work = authority::begin(platform, actor, Need::All(needed)).await?;
    let input = within_makers_life(&mut work, input).await?;
    let made = issue(&mut work, input).await?;
    work.commit().await?;
    Ok(made)
}

/// A key does not outlive the key that makes it: nobody grants what they lack, time included (Z6).
/// Errors: `NotLive` when that key is gone; `Invalid` for a later end than its own.
async fn within_makers_life(
    work: &mut Work<'_>,
    mut input: CreateApiKey,
) -> Result<CreateApiKey, ApiKeysError> {
    let Principal::ApiKey { key } = work.actor.principal else {
        return Ok(input);
    };
    let maker = store::find(&mut work.tx, work.actor.tenant, key)
        .await?
        .ok_or(ApiKeysError::NotLive)?;
    if let Some(end) = maker.expires_at {
        if input.expires_at.is_some_and(|wanted| wanted > end) {
            let detail = format!("not after {end}, when the key that makes it expires");
            let error = FieldError::new("/expires_at", "too_late", detail);
            return Err(ApiKeysError::Invalid(vec![error]));
        }
        input.expires_at.get_or_insert(end);
    }
    Ok(input)
}

/// One key, without its secret.
pub(crate) async fn get(
    platform: &Platform,
    actor: &Actor,
    id: ApiKeyId,
) -> Result<ApiKey, ApiKeysError> {
    actor.require(Permission::ApiKeysRead)?;
    let mut tx = platform.db.read().await?;
    store::find(&mut tx, actor.tenant, id)
        .await?
        .ok_or(ApiKeysError::NotFound)
}

/// Keys in the order of their ids, after `after` (empty: from the first), at most `limit`.
pub(crate) async fn list(
    platform: &Platform,
    actor: &Actor,
    after: &str,
    limit: i64,
) -> Result<Vec<ApiKey>, ApiKeysError> {
    actor.require(Permission::ApiKeysRead)?;
    let mut tx = platform.db.read().await?;
    Ok(store::list(&mut tx, actor.tenant, after, limit).await?)
}

/// Ends a key at once. Ending it again changes nothing and is not an error.
/// Errors: `Denied` when the key has a permission that the caller lacks: who could not have made a
/// key does not end it (Z6).
pub(crate) async fn revoke(
    platform: &Platform,
    actor: &Actor,
    id: ApiKeyId,
) -> Result<ApiKey, ApiKeysError> {
    actor.require(Permission::ApiKeysWrite)?;
    let mut tx = platform.db.read().await?;
    let key = store::find(&mut tx, actor.tenant, id)
        .await?
        .ok_or(ApiKeysError::NotFound)?;
    drop(tx);
    // What a key may do never changes.
    let had = key.permissions.iter();
    let needed = had.chain([Permission::ApiKeysWrite]).collect();
    let mut work = authority::begin(platform, actor, Need::All(needed)).await?;
    let is_new = store::revoke(&mut work.tx, actor.tenant, id, platform.clock.now()).await?;
    let key = store::find(&mut work.tx, actor.tenant, id)
        .await?
        .ok_or(ApiKeysError::NotFound)?;
    if is_new {
        let name = key.name.clone();
        work.record(id, &ApiKeyRevoked { name }).await?;
    }
    work.commit().await?;
    platform.state::<Cache>().revoked.insert(id, ()).await;
    Ok(key)
}

/// Makes a key inside a transaction. The caller has checked that the actor may grant all of it.
pub async fn issue(
    work: &mut Work<'_>,
    input: CreateApiKey,
) -> Result<(ApiKey, ApiKeySecret), DbError> {
    let now = work.platform.clock.now();
    let mut chance = Zeroizing::new([0; CHANCE_BYTES]);
    work.platform.random.fill(chance.as_mut_slice());
    let secret = ApiKeySecret::from_chance(&chance, &work.platform.state::<Cache>().marks);
    let key = ApiKey {
        id: work.platform.random.id(now),
        name: input.name,
        last_four: secret.last_four(),
        permissions: input.permissions,
        created_by: created_by(work.actor),
        created_at: now,
        expires_at: input.expires_at,
        last_used_at: None,
        revoked_at: None,
    };
    store::insert(&mut work.tx, work.actor.tenant, &key, secret.hash()).await?;
    let permissions = key.permissions.names().into_iter();
    let data = ApiKeyCreated {
        name: key.name.clone(),
        permissions: permissions.map(str::to_owned).collect(),
    };
    work.record(key.id, &data).await?;
    Ok((key, secret))
}

/// A user's or key's id; `system` for ourselves.
fn created_by(actor: &Actor) -> String {
    let actor = actor.for_event();
    if actor.id.is_empty() {
        actor.kind
    } else {
        actor.id
    }
}

/// Whether we made a presented secret, whether or not it is still good. Asks nobody.
pub fn is_genuine(platform: &Platform, presented: &str) -> bool {
    ApiKeySecret::parse(presented)
        .is_some_and(|secret| platform.state::<Cache>().marks.are_on(&secret))
}

/// Says whose key a presented secret is.
/// Errors: `NotLive`, the same for junk, unknown, expired and revoked ones.
pub async fn authenticate(
    platform: &Platform,
    presented: &str,
) -> Result<Authenticated, ApiKeysError> {
    let secret = ApiKeySecret::parse(presented).ok_or(ApiKeysError::NotLive)?;
    let hash = secret.hash();
    let now = platform.clock.now();
    let known = platform.state::<Cache>().known.get(&hash).await;
    let (tenant, mut key) = if let Some(known) = known {
        known
    } else {
        let mut tx = platform.db.read().await?;
        let known = store::find_by_hash(&mut tx, &hash)
            .await?
            .ok_or(ApiKeysError::NotLive)?;
        platform
            .state::<Cache>()
            .known
            .insert(hash.clone(), known.clone())
            .await;
        known
    };
    if !key.is_live(now) || platform.state::<Cache>().revoked.contains_key(&key.id) {
        return Err(ApiKeysError::NotLive);
    }
    let stale = now.plus_millis(-USE_RECORDED_EVERY_MS);
    if key.last_used_at.is_none_or(|used_at| used_at < stale) {
        // The key is good whether or not its use can be noted, so nobody waits for that.
        let (handle, id) = (platform.clone(), key.id);
        platform.tasks.spawn(async move {
            if let Err(error) = note_use(&handle, tenant, id, now, stale).await {
                tracing::warn!(api_key.id = %id, %error, "the use of an API key was not noted");
            }
        });
        key.last_used_at = Some(now);
        platform
            .state::<Cache>()
            .known
            .insert(hash, (tenant, key.clone()))
            .await;
    }
    Ok(Authenticated {
        tenant,
        key: key.id,
        permissions: key.permissions,
    })
}

/// Looks at the actor's key again, inside the transaction that relies on it.
/// Errors: `KeyNotLive`.
pub fn recheck<'a>(tx: &'a mut Tx, actor: &'a Actor, now: UnixMillis) -> Rechecked<'a> {
    Box::pin(async move {
        let Principal::ApiKey { key } = actor.principal else {
            return Err(Denied::KeyNotLive.into());
        };
        let key = store::find(tx, actor.tenant, key).await?;
        key.filter(|key| key.is_live(now))
            .map(|key| key.permissions)
            .ok_or(Denied::KeyNotLive.into())
    })
}

async fn note_use(
    platform: &Platform,
    tenant: TenantId,
    key: ApiKeyId,
    now: UnixMillis,
    unless_after: UnixMillis,
) -> Result<(), DbError> {
    let mut tx = authority::begin_own(platform).await?;
    store::touch(&mut tx, tenant, key, now, unless_after).await?;
    tx.commit().await
}
