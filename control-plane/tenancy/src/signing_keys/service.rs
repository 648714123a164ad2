//! The verbs on signing keys. Ending one before its time: [`withdraw`].

pub(crate) mod withdraw;

use std::{sync::Arc, time::Duration};

use plinto_contract::{
    events::{SigningKeyCreated, SigningKeyRetired, SigningKeyRotated},
    ids::TenantId,
    time::UnixMillis,
};
use plinto_jose::{Algorithm, JwkSet, SigningKey};
use plinto_platform::{
    Platform, PlatformState,
    actor::{Actor, Permission},
    authority::{self, Need, Work},
    db::{DbError, Tx},
    envelope::Place,
    http::known::{Found, Known, Unread},
};

use super::{
    error::SigningKeysError,
    model::{CACHE_TTL_S, Purpose, SigningKeyRecord, State},
    store::{self, Stored},
};
use crate::tenants::{self, Tenant};

/// 5 s: how long we verify by a set without reading it anew.
const SET_TTL: Duration = Duration::from_secs(5);
/// 10,000 keys: two for each of 5,000 tenants that are busy at once.
const CACHE_CAPACITY: u64 = 10_000;

/// The active keys, decrypted, and the published sets, under the version of the tenant's keys: who has
/// just read the tenant never goes by keys of before.
#[derive(Debug)]
struct Cache {
    active: moka::future::Cache<Version, Arc<SigningKey>>,
    /// As we verify by them.
    published: moka::future::Cache<Version, Arc<JwkSet>>,
    /// As everybody else fetches them, by slug.
    documents: Known<(String, Purpose), Arc<str>, SigningKeysError>,
}

/// A tenant's keys of one purpose, as they were at one time.
type Version = (TenantId, Purpose, i64);

impl PlatformState for Cache {
    fn new(_: &Platform) -> Self {
        Self {
            active: moka::future::Cache::builder()
                .max_capacity(CACHE_CAPACITY)
                .time_to_live(Duration::from_secs(CACHE_TTL_S))
                .build(),
            published: moka::future::Cache::builder()
                .max_capacity(CACHE_CAPACITY)
                .time_to_live(SET_TTL)
                .build(),
            documents: Known::default(),
        }
    }
}

/// Keys that have been made and not stored yet.
#[derive(Debug)]
pub struct Prepared(Vec<(Purpose, State, SigningKey)>);

/// Makes the keys of a new tenant: for each purpose one that signs and one that will.
/// Takes tenths of a second on a blocking thread; call it outside any transaction.
pub async fn prepare(algorithm: Algorithm) -> Result<Prepared, SigningKeysError> {
    let mut keys = Vec::new();
    for purpose in Purpose::ALL {
        for state in [State::Active, State::Next] {
            keys.push((
                purpose,
                state,
                generate(purpose.algorithm(algorithm)).await?,
            ));
        }
    }
    Ok(Prepared(keys))
}

/// Stores the keys of a new tenant in the work that makes it.
pub async fn provision(work: &mut Work<'_>, keys: Prepared) -> Result<(), SigningKeysError> {
    work.actor.require(Permission::SigningKeysRotate)?;
    let now = work.platform.clock.now();
    for (purpose, state, key) in keys.0 {
        // Nobody can have fetched the tenant's keys before they were there: usable at once.
        let stored = seal(
            work.platform,
            work.actor.tenant,
            (purpose, state),
            &key,
            now,
        )?;
        store::insert(&mut work.tx, work.actor.tenant, &stored).await?;
        record_created(work, &stored.record).await?;
    }
    Ok(())
}

/// The tenant's keys, retired ones included, newest first.
pub async fn list(
    platform: &Platform,
    actor: &Actor,
) -> Result<Vec<SigningKeyRecord>, SigningKeysError> {
    actor.require(Permission::SigningKeysRead)?;
    let mut tx = platform.db.read().await?;
    Ok(store::all(&mut tx, actor.tenant).await?)
}

/// Lets the next key sign from now on and publishes the one after it.
/// Errors: `RotationInProgress` while some verifier may not have the next key yet.
pub async fn rotate(
    platform: &Platform,
    actor: &Actor,
    purpose: Purpose,
) -> Result<Vec<SigningKeyRecord>, SigningKeysError> {
    actor.require(Permission::SigningKeysRotate)?;
    let tenant = tenants::by_id(platform, actor.tenant).await?;
    let fresh = generate(purpose.algorithm(tenant.signing_alg)).await?;
    let now = platform.clock.now();
    let mut work = authority::begin(
        platform,
        actor,
        Need::Permission(Permission::SigningKeysRotate),
    )
    .await?;
    let next = store::in_state(&mut work.tx, actor.tenant, purpose, State::Next)
        .await?
        .ok_or(SigningKeysError::NoKey)?
        .record;
    if let Some(seconds) = next.wait_s(now) {
        return Err(SigningKeysError::RotationInProgress(seconds));
    }
    let lifetime_s = purpose.lifetime_s(
        platform.config.sessions.access_token_s,
        platform.config.policies.bundle_s,
    );
    let retires_at = now.plus_seconds(lifetime_s);
    if !store::succeed(&mut work.tx, actor.tenant, &next, now, retires_at).await? {
        return Err(SigningKeysError::RotationInProgress(1));
    }
    let usable_at = now.plus_seconds(platform.config.signing_keys.publish_ahead_s);
    let mut stored = seal(platform, actor.tenant, (purpose, State::Next), &fresh, now)?;
    stored.record.usable_at = usable_at;
    store::insert(&mut work.tx, actor.tenant, &stored).await?;
    record_created(&mut work, &stored.record).await?;
    let data = SigningKeyRotated {
        purpose: purpose.as_str().to_owned(),
        kid: next.kid,
        retires_at: Some(retires_at),
    };
    work.record(next.id, &data).await?;
    let keys = store::published(&mut work.tx, actor.tenant, purpose).await?;
    let changed = tenants::keys_changed(&mut work.tx, actor.tenant).await?;
    work.commit().await?;
    changed.tell(platform).await;
    Ok(keys)
}

/// Signs with the tenant's active key and returns the compact form.
/// `tenant`: just read, so that its keys are those of now.
/// `typ`: the media type without `application/`, such as `at+jwt`.
pub async fn sign(
    platform: &Platform,
    tenant: &Tenant,
    purpose: Purpose,
    typ: Option<&str>,
    payload: &[u8],
) -> Result<String, SigningKeysError> {
    let key = active(platform, tenant, purpose).await?;
    Ok(key.sign(typ, payload)?)
}

/// The id of the key that signs now.
/// `tenant`: just read.
pub async fn active_kid(
    platform: &Platform,
    tenant: &Tenant,
    purpose: Purpose,
) -> Result<String, SigningKeysError> {
    Ok(active(platform, tenant, purpose)
        .await?
        .public()
        .thumbprint())
}

/// The public keys that verify what the tenant signs, as of the moment it was read.
pub async fn jwks(
    platform: &Platform,
    tenant: &Tenant,
    purpose: Purpose,
) -> Result<Arc<JwkSet>, SigningKeysError> {
    let version = (tenant.id, purpose, tenant.keys_version);
    if let Some(set) = platform.state::<Cache>().published.get(&version).await {
        return Ok(set);
    }
    jwks_in(&mut platform.db.read().await?, platform, tenant, purpose).await
}

/// The same inside a transaction of the caller's, which has read the tenant.
pub async fn jwks_in(
    tx: &mut Tx,
    platform: &Platform,
    tenant: &Tenant,
    purpose: Purpose,
) -> Result<Arc<JwkSet>, SigningKeysError> {
    let version = (tenant.id, purpose, tenant.keys_version);
    let published = &platform.state::<Cache>().published;
    if let Some(set) = published.get(&version).await {
        return Ok(set);
    }
    let set = Arc::new(read_set(tx, tenant.id, purpose).await?);
    published.insert(version, Arc::clone(&set)).await;
    Ok(set)
}

/// The set as a document for verifiers, by the tenant's slug.
/// Errors: `NoTenant`.
pub async fn document(
    platform: &Platform,
    slug: &str,
    purpose: Purpose,
) -> Result<Found<Arc<str>>, Unread<SigningKeysError>> {
    let (handle, name) = (platform.clone(), slug.to_owned());
    let read = move |_| {
        let (platform, slug) = (handle.clone(), name.clone());
        async move {
            let mut tx = platform.db.read_document().await?;
            let tenant = tenants::find_by_slug(&mut tx, &slug).await?;
            let set = read_set(&mut tx, tenant.id, purpose).await?;
            Ok(set.to_value().to_string().into())
        }
    };
    let key = (slug.to_owned(), purpose);
    platform
        .state::<Cache>()
        .documents
        .get(platform, key, read)
        .await
}

async fn read_set(tx: &mut Tx, tenant: TenantId, purpose: Purpose) -> Result<JwkSet, DbError> {
    let keys = store::published(tx, tenant, purpose).await?;
    let keys: Vec<_> = keys.into_iter().map(|key| key.public).collect();
    Ok(keys.into())
}

/// Ids of the published keys, read in the caller's transaction.
pub async fn published(
    tx: &mut Tx,
    tenant: TenantId,
    purpose: Purpose,
) -> Result<Vec<String>, DbError> {
    let keys = store::published(tx, tenant, purpose).await?;
    Ok(keys.into_iter().map(|key| key.kid).collect())
}

/// Ids of the keys that were withdrawn at or after `since`.
pub async fn withdrawn_since(
    tx: &mut Tx,
    tenant: TenantId,
    since: UnixMillis,
) -> Result<Vec<String>, DbError> {
    store::withdrawn_since(tx, tenant, since).await
}

/// Every tenant whose active bundle is due for its key, the longest due first. For background work.
pub async fn bundles_due(tx: &mut Tx, now: UnixMillis) -> Result<Vec<TenantId>, DbError> {
    store::bundles_due(tx, now).await
}

/// Notes that the active bundle, if there is one, is signed with this key. The next one is due
/// when another is active by now.
pub async fn bundle_signed(
    tx: &mut Tx,
    tenant: TenantId,
    kid: &str,
    now: UnixMillis,
) -> Result<(), DbError> {
    store::bundle_signed(tx, tenant, kid, now).await
}

/// Lets a bundle that is due for its key be due later.
pub async fn put_off_bundle(
    tx: &mut Tx,
    tenant: TenantId,
    until: UnixMillis,
) -> Result<(), DbError> {
    store::put_off_bundle(tx, tenant, until).await
}

/// Retires keys whose signatures have run out, and rotates those that have signed long enough.
/// One tenant's trouble does not keep the others waiting: it is logged and tried again.
pub async fn run_due_work(platform: &Platform) -> Result<(), SigningKeysError> {
    let now = platform.clock.now();
    let signing_since =
        now.plus_seconds(platform.config.signing_keys.rotate_after_s.saturating_neg());
    let mut tx = platform.db.read().await?;
    let due = store::due(&mut tx, now, signing_since).await?;
    drop(tx);
    for key in due {
        let actor = Actor::system(key.tenant);
        let done = match key.state {
            State::Retiring => retire_due(platform, &actor, now).await,
            _ => rotate(platform, &actor, key.purpose).await.map(|_| ()),
        };
        match done {
            // The next round comes.
            Ok(()) | Err(SigningKeysError::RotationInProgress(_)) => {}
            Err(SigningKeysError::Database(error)) if matches!(*error, DbError::Unavailable(_)) => {
                return Err(SigningKeysError::Database(error));
            }
            Err(error) => {
                tracing::error!(tenant.id = %key.tenant, %error, "due work on a key failed");
            }
        }
    }
    Ok(())
}

async fn retire_due(
    platform: &Platform,
    actor: &Actor,
    now: UnixMillis,
) -> Result<(), SigningKeysError> {
    let need = Need::Permission(Permission::SigningKeysRotate);
    let mut work = authority::begin(platform, actor, need).await?;
    let retired = store::retire_due(&mut work.tx, actor.tenant, now).await?;
    if retired.is_empty() {
        return Ok(());
    }
    for key in retired {
        let data = SigningKeyRetired {
            purpose: key.purpose.as_str().to_owned(),
            kid: key.kid,
        };
        work.record(key.id, &data).await?;
    }
    let changed = tenants::keys_changed(&mut work.tx, actor.tenant).await?;
    work.commit().await?;
    changed.tell(platform).await;
    Ok(())
}

/// Whether the master key is the one that this database's keys are sealed under: without it nothing could
/// be signed, and the first to learn of it would be who signs up.
pub async fn check_master_key(platform: &Platform) -> Result<(), SigningKeysError> {
    let mut tx = platform.db.read().await?;
    if let Some((tenant, row, sealed)) = store::any_sealed(&mut tx).await? {
        platform.envelope.open(&place(tenant, &row), &sealed)?;
    }
    Ok(())
}

async fn active(
    platform: &Platform,
    tenant: &Tenant,
    purpose: Purpose,
) -> Result<Arc<SigningKey>, SigningKeysError> {
    let version = (tenant.id, purpose, tenant.keys_version);
    platform
        .state::<Cache>()
        .active
        .try_get_with(version, open_active(platform, tenant.id, purpose))
        .await
        .map_err(|error| (*error).clone())
}

async fn open_active(
    platform: &Platform,
    tenant: TenantId,
    purpose: Purpose,
) -> Result<Arc<SigningKey>, SigningKeysError> {
    let mut tx = platform.db.read_document().await?;
    let stored = store::in_state(&mut tx, tenant, purpose, State::Active)
        .await?
        .ok_or(SigningKeysError::NoKey)?;
    let row = stored.record.id.to_string();
    let pkcs8 = platform
        .envelope
        .open(&place(tenant, &row), &stored.private_sealed)?;
    Ok(Arc::new(SigningKey::from_pkcs8(
        stored.record.algorithm,
        &pkcs8,
    )?))
}

async fn generate(algorithm: Algorithm) -> Result<SigningKey, SigningKeysError> {
    tokio::task::spawn_blocking(move || SigningKey::generate(algorithm))
        .await
        .map_err(|error| SigningKeysError::Key(error.to_string()))?
        .map_err(SigningKeysError::from)
}

fn seal(
    platform: &Platform,
    tenant: TenantId,
    (purpose, state): (Purpose, State),
    key: &SigningKey,
    now: UnixMillis,
) -> Result<Stored, SigningKeysError> {
    let public = key.public();
    let record = SigningKeyRecord {
        id: platform.random.id(now),
        tenant,
        purpose,
        algorithm: key.algorithm(),
        kid: public.thumbprint(),
        public,
        state,
        created_at: now,
        usable_at: now,
        activated_at: (state == State::Active).then_some(now),
        retires_at: None,
        withdrawn_at: None,
    };
    let row = record.id.to_string();
    let private_sealed = platform.envelope.seal(
        platform.random.as_ref(),
        &place(tenant, &row),
        &key.to_pkcs8(),
    )?;
    Ok(Stored {
        record,
        private_sealed,
    })
}

fn place(tenant: TenantId, row: &str) -> Place<'_> {
    Place {
        tenant,
        table: "signing_keys",
        row,
        column: "private_sealed",
    }
}

async fn record_created(work: &mut Work<'_>, key: &SigningKeyRecord) -> Result<(), DbError> {
    let data = SigningKeyCreated {
        purpose: key.purpose.as_str().to_owned(),
        kid: key.kid.clone(),
        usable_at: key.usable_at,
    };
    work.record(key.id, &data).await
}
