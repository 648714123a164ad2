//! The verb on the revocation feed: serve it, true to this moment.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use plinto_contract::{
    ids::TenantId,
    revocation::TYP_REVOCATIONS,
    time::{UnixMillis, UnixSeconds},
};
use tokio::sync::Mutex;

use super::{
    error::RevocationsError,
    model::{self, Content, ENTRIES_MAX, RESIGN_AFTER_S, Revoked},
    store,
};
use crate::{
    actor::Actor,
    app::App,
    authority,
    db::Tx,
    features::{
        sessions,
        signing_keys::{self, Purpose},
        tenants::{self, Tenant, TenantsError},
        users,
    },
};

/// 10,000: tenants whose feed is in memory.
const TENANTS_MAX: u64 = 10_000;
/// 10 min: a feed that nobody fetches leaves memory.
const IDLE: Duration = Duration::from_mins(10);

/// The feeds as they were last served.
#[derive(Debug, Clone)]
pub(crate) struct Feeds(moka::future::Cache<TenantId, Arc<Slot>>);

/// One tenant's feed. Requests that come while it is read share the next reading: however many
/// come, one reading at a time asks the database.
#[derive(Debug, Default)]
struct Slot {
    /// Requests so far.
    arrived: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Every request that arrived before this one is answered by `served`.
    covers: u64,
    content: Content,
    issued_at: UnixSeconds,
    version: u64,
    served: Option<Served>,
}

/// A signed feed.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    /// A compact JWS.
    pub(crate) token: Arc<str>,
    /// Names this signature.
    pub(crate) etag: String,
}

impl Default for Feeds {
    fn default() -> Self {
        let cache = moka::future::Cache::builder()
            .max_capacity(TENANTS_MAX)
            .time_to_idle(IDLE)
            .build();
        Self(cache)
    }
}

/// The feed of the actor's tenant. It says everything that was committed before the call; it is
/// signed anew only when it says something else or its signature gets old.
pub(crate) async fn feed(
    app: &App,
    actor: &Actor,
    feeds: &Feeds,
) -> Result<Served, RevocationsError> {
    let slot = feeds
        .0
        .get_with(actor.tenant, async { Arc::default() })
        .await;
    let mine = slot.arrived.fetch_add(1, Ordering::SeqCst);
    let mut state = slot.state.lock().await;
    if let Some(served) = state.served.as_ref().filter(|_| mine < state.covers) {
        return Ok(served.clone());
    }
    let covers = slot.arrived.load(Ordering::SeqCst);
    let served = refresh(app, actor.tenant, &mut state).await?;
    state.covers = covers;
    Ok(served)
}

async fn refresh(
    app: &App,
    tenant: TenantId,
    state: &mut State,
) -> Result<Served, RevocationsError> {
    let now = app.clock.now();
    let mut tx = app.db.read().await?;
    let tenant = tenants::find(&mut tx, tenant)
        .await?
        .ok_or(TenantsError::NotFound)?;
    let content = read(&mut tx, app, &tenant, now).await?;
    drop(tx);
    let age_s = now.to_seconds().0.saturating_sub(state.issued_at.0);
    let (content, version, tenant) = match &state.served {
        Some(served) if content == state.content => {
            if (0..RESIGN_AFTER_S).contains(&age_s) {
                return Ok(served.clone());
            }
            (content, state.version, tenant)
        }
        _ => renumber(app, tenant.id, now).await?,
    };
    let issued_at = now.to_seconds();
    let feed = content.feed(
        app.config.issuer(&tenant.slug),
        tenant.id,
        version,
        issued_at,
    );
    let payload = serde_json::to_vec(&feed)?;
    let typ = Some(TYP_REVOCATIONS);
    let token = signing_keys::sign(app, &tenant, Purpose::Bundle, typ, &payload).await?;
    let served = Served {
        token: token.into(),
        etag: format!("{version}.{}", issued_at.0),
    };
    // All at once and last: a failure on the way leaves the state as it was.
    state.content = content;
    state.version = version;
    state.issued_at = issued_at;
    state.served = Some(served.clone());
    Ok(served)
}

/// Takes a new version and reads what it says under that version's lock, and the tenant whose key is to
/// sign it: no other instance's higher version says something older.
async fn renumber(
    app: &App,
    tenant: TenantId,
    now: UnixMillis,
) -> Result<(Content, u64, Tenant), RevocationsError> {
    let mut tx = authority::begin_own(app).await?;
    let version = store::next_version(&mut tx, tenant).await?;
    let tenant = tenants::find(&mut tx, tenant)
        .await?
        .ok_or(TenantsError::NotFound)?;
    let content = read(&mut tx, app, &tenant, now).await?;
    tx.commit().await?;
    Ok((content, u64::try_from(version).unwrap_or_default(), tenant))
}

/// Gathers what was revoked within the life of an access token from those who revoke.
async fn read(
    tx: &mut Tx,
    app: &App,
    tenant: &Tenant,
    now: UnixMillis,
) -> Result<Content, RevocationsError> {
    let since = model::since(now, app.config.sessions.access_token_s);
    let revoked = Revoked {
        issued_before: tenant.tokens_good_from(),
        sessions: sessions::revoked_since(tx, tenant.id, since).await?,
        subjects: users::outdated_since(tx, tenant.id, since).await?,
        withdrawn_keys: signing_keys::withdrawn_since(tx, tenant.id, model::keys_since(now))
            .await?,
    };
    Ok(Content::of(revoked, ENTRIES_MAX))
}
