//! The verb on the revocation feed: serve it, true to this moment.

use std::sync::Arc;

use plinto_contract::{
    revocation::TYP_REVOCATIONS,
    time::{UnixMillis, UnixSeconds},
};
use plinto_directory::users;
use plinto_identity::sessions;
use plinto_platform::{
    Platform,
    db::Tx,
    http::known::{Found, Known, Unread},
};
use plinto_tenancy::{
    signing_keys::{self, Purpose},
    tenants::{self, Tenant},
};

use super::{
    error::RevocationsError,
    model::{self, Content, ENTRIES_MAX, Revoked},
};

/// The feeds as they were last served, by the tenant's slug.
pub(crate) type Feeds = Known<String, Served, RevocationsError>;

/// A signed feed.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    /// A compact JWS.
    pub(crate) token: Arc<str>,
    /// Names what it says and when it was signed.
    pub(crate) etag: Arc<str>,
    content: Arc<Content>,
    version: u64,
    issued_at: UnixSeconds,
    kid: Arc<str>,
    /// Since when this process knows what it says.
    changed_at: UnixMillis,
    signed_at: UnixMillis,
}

/// The feed of a tenant, by its slug. It says everything that was committed before the call, unless
/// the database does not answer; it is signed anew only when it says something else or its
/// signature gets old. Nothing is written: a full disk is no reason not to say who is revoked.
/// Errors: `Tenant`.
pub(crate) async fn feed(
    platform: &Platform,
    feeds: &Feeds,
    slug: &str,
) -> Result<Found<Served>, Unread<RevocationsError>> {
    let (handle, name) = (platform.clone(), slug.to_owned());
    let read = move |before| {
        let (platform, slug) = (handle.clone(), name.clone());
        async move { read_and_sign(&platform, &slug, before).await }
    };
    feeds.get(platform, slug.to_owned(), read).await
}

async fn read_and_sign(
    platform: &Platform,
    slug: &str,
    before: Option<Served>,
) -> Result<Served, RevocationsError> {
    // Before anything is read: what is said is at least as new as its `iat`.
    let now = platform.clock.now();
    let mut tx = platform.db.read_document().await?;
    let tenant = tenants::find_by_slug(&mut tx, slug).await?;
    let content = read(&mut tx, platform, &tenant, now).await?;
    drop(tx);
    let kid = signing_keys::active_kid(platform, &tenant, Purpose::Bundle).await?;
    let issued_at = now.to_seconds();
    let same = before.as_ref().filter(|before| {
        *before.content == content
            && *before.kid == *kid
            && model::period(before.issued_at) == model::period(issued_at)
            && model::is_settled(before.changed_at, before.signed_at, now)
    });
    if let Some(same) = same {
        return Ok(same.clone());
    }
    let changed_at = before
        .as_ref()
        .filter(|before| *before.content == content)
        .map_or(now, |before| before.changed_at);
    let version = model::version(now, before.as_ref().map(|before| before.version));
    let feed = content.feed(platform.config.issuer(slug), tenant.id, version, issued_at);
    let payload = serde_json::to_vec(&feed)?;
    let typ = Some(TYP_REVOCATIONS);
    let token = signing_keys::sign(platform, &tenant, Purpose::Bundle, typ, &payload).await?;
    Ok(Served {
        token: token.into(),
        etag: content.etag(tenant.id, issued_at)?.into(),
        content: Arc::new(content),
        version,
        issued_at,
        kid: kid.into(),
        changed_at,
        signed_at: now,
    })
}

/// Gathers what was revoked within the life of an access token from those who revoke.
async fn read(
    tx: &mut Tx,
    platform: &Platform,
    tenant: &Tenant,
    now: UnixMillis,
) -> Result<Content, RevocationsError> {
    let since = model::since(now, platform.config.sessions.access_token_s);
    // Of either kind one more than fits: `Content` learns from it when the rest was revoked.
    let limit = i64::try_from(ENTRIES_MAX)
        .unwrap_or(i64::MAX)
        .saturating_add(1);
    let revoked = Revoked {
        issued_before: tenant.tokens_good_from(),
        sessions: sessions::revoked_since(tx, tenant.id, since, limit).await?,
        subjects: users::outdated_since(tx, tenant.id, since, limit).await?,
        withdrawn_keys: signing_keys::withdrawn_since(tx, tenant.id, model::keys_since(now))
            .await?,
    };
    Ok(Content::of(revoked, ENTRIES_MAX))
}
