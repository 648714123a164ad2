//! Tokens of a session: signing them, recognising them, telling a resource server about them,
//! taking them back.

use plinto_contract::{
    claims::{AccessToken, TYP_ACCESS_TOKEN},
    ids::{SessionId, TenantId, UserId},
    limits::CLOCK_LEEWAY_S,
    time::UnixMillis,
};
use plinto_directory::users;
use plinto_jose::{
    Algorithm, JwkSet, Jws,
    jwt::{self, Expectations},
};
use plinto_platform::{
    Platform,
    actor::{Actor, Denied, Permission, PermissionSet, PresentedToken, Principal},
    authority::{self, Need},
    db::{DbError, Tx},
    recheck::Rechecked,
};
use plinto_tenancy::{
    signing_keys::{self, Purpose},
    tenants::{self, Tenant, TenantsError},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Opened, end, own_tenant};
use crate::administrators;
use crate::sessions::{
    error::SessionError,
    model::{Client, IssuedTokens, Origin, RefreshToken, RevokedReason, Session},
    store,
};

/// What our own tokens may be signed with; a key allows one of them.
const ALGORITHMS: &[Algorithm] = &[Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa];

/// Signs the access token of a session that has been committed.
pub async fn issue(platform: &Platform, opened: Opened) -> Result<IssuedTokens, SessionError> {
    let Opened {
        tenant,
        session,
        rights,
        refresh_token,
    } = opened;
    let origin = Origin {
        issuer: platform.config.issuer(&tenant.slug),
        issued_from: tenant.tokens_good_from(),
        audience: resource(platform, &tenant, &session),
        access_token_s: platform.config.sessions.access_token_s,
    };
    let claims = session.claims(&origin, platform.random.id(platform.clock.now()), &rights);
    let expires_in_s = claims.exp.0.saturating_sub(claims.iat.0);
    let payload = json!(claims).to_string();
    let access_token = signing_keys::sign(
        platform,
        &tenant,
        Purpose::Token,
        Some(TYP_ACCESS_TOKEN),
        payload.as_bytes(),
    )
    .await?;
    Ok(IssuedTokens {
        session,
        access_token: Zeroizing::new(access_token),
        expires_in_s,
        refresh_token,
    })
}

/// The API that a session's access tokens are for. Source: RFC 8707.
pub(super) fn resource(platform: &Platform, tenant: &Tenant, session: &Session) -> String {
    if session.is_for_management {
        platform.config.management_resource()
    } else {
        tenant.audience.clone()
    }
}

/// Who stands behind an access token that is presented to the issuer itself.
/// Errors: `TokenInvalid`, `TokenExpired`, `TokenRevoked`, `TokenOutdated`.
/// Source: RFC 9068 §4.
pub async fn authenticate(
    platform: &Platform,
    tenant: &Tenant,
    bearer: &str,
) -> Result<Principal, SessionError> {
    let issuer = platform.config.issuer(&tenant.slug);
    Ok(authenticate_for(platform, tenant, &issuer, bearer).await?.0)
}

/// An administrator, or a member with rights in an organization, as a token says.
#[derive(Debug)]
pub struct Authenticated {
    /// The person.
    pub principal: Principal,
    /// The tenant that they act in.
    pub tenant: TenantId,
    /// What they may do in the whole of it at this moment.
    pub permissions: PermissionSet,
}

/// Who stands behind an access token that is presented to the management API: one that was issued for
/// it, so that no application can use its own users' tokens there. Source: RFC 8707, RFC 9068 §4.
/// `slug`: the tenant to act in; `None`: the one whose user they are.
/// Errors: as [`authenticate`]; `Denied` for a tenant of which they are no administrator, whether or
/// not there is such a tenant.
pub async fn authenticate_for_management(
    platform: &Platform,
    bearer: &str,
    slug: Option<&str>,
) -> Result<Authenticated, SessionError> {
    let home = issuer_of(platform, bearer).await?;
    let resource = platform.config.management_resource();
    let (mut principal, session) = authenticate_for(platform, &home, &resource, bearer).await?;
    let Principal::User { user, token, .. } = &mut principal else {
        return Err(SessionError::TokenInvalid);
    };
    // The audience of an application's tokens is what its tenant chose, so it alone proves nothing.
    if !session.is_for_management {
        return Err(SessionError::TokenInvalid);
    }
    token.is_for_management = true;
    let whose = (home.id, *user);
    let Some(slug) = slug.filter(|slug| *slug != home.slug) else {
        let mut tx = platform.db.read().await?;
        return Ok(Authenticated {
            principal,
            tenant: home.id,
            permissions: administrators::permissions(&mut tx, home.id, whose).await?,
        });
    };
    let tenant = match tenants::by_slug(platform, slug).await {
        Ok(tenant) => tenant.id,
        Err(TenantsError::NotFound) => return Err(Denied::NotAnAdministrator.into()),
        Err(error) => return Err(error.into()),
    };
    let mut tx = platform.db.read().await?;
    let permissions = administrators::permissions(&mut tx, tenant, whose).await?;
    if permissions.is_empty() {
        return Err(Denied::NotAnAdministrator.into());
    }
    Ok(Authenticated {
        principal,
        tenant,
        permissions,
    })
}

/// Of claims that nobody has verified, what says where to look for the keys.
#[derive(serde::Deserialize)]
struct ClaimedIssuer {
    iss: String,
}

/// The tenant that a token says issued it. Nothing of the token is believed by that.
async fn issuer_of(platform: &Platform, bearer: &str) -> Result<Tenant, SessionError> {
    let jws = Jws::parse(bearer).map_err(|_| SessionError::TokenInvalid)?;
    let claimed: ClaimedIssuer =
        serde_json::from_slice(&jws.payload).map_err(|_| SessionError::TokenInvalid)?;
    let slug = platform
        .config
        .slug_of(&claimed.iss)
        .ok_or(SessionError::TokenInvalid)?;
    match tenants::by_slug(platform, slug).await {
        Err(TenantsError::NotFound) => Err(SessionError::TokenInvalid),
        found => Ok(found?),
    }
}

async fn authenticate_for(
    platform: &Platform,
    tenant: &Tenant,
    audience: &str,
    bearer: &str,
) -> Result<(Principal, Session), SessionError> {
    // What anybody may send is judged by what is in memory first: it costs no query.
    let keys = signing_keys::jwks(platform, tenant, Purpose::Token).await?;
    let claims = verify(platform, tenant, audience, &keys, bearer)?;
    let mut tx = platform.db.read().await?;
    // The caller's is a second old: a key may have been withdrawn since, or all sessions ended.
    let current = own_tenant(&mut tx, tenant.id).await?;
    if current.keys_version != tenant.keys_version {
        drop(tx);
        let keys = signing_keys::jwks(platform, &current, Purpose::Token).await?;
        verify(platform, &current, audience, &keys, bearer)?;
        tx = platform.db.read().await?;
    }
    let session = require_live(&mut tx, &current, &claims, platform.clock.now()).await?;
    let principal = Principal::User {
        user: claims.sub,
        home: tenant.id,
        session: claims.sid,
        token: PresentedToken {
            expires_at: claims.exp,
            epoch: claims.epoch,
            signer: signer(bearer),
            keys_version: current.keys_version,
            is_for_management: false,
        },
    };
    Ok((principal, session))
}

/// SHA-256 of the id of the key that a verified token names.
fn signer(bearer: &str) -> [u8; 32] {
    let kid = Jws::parse(bearer).ok().and_then(|jws| jws.header.kid);
    Sha256::digest(kid.unwrap_or_default()).into()
}

/// Whether the key that signed a token has been withdrawn since the token was verified.
async fn is_withdrawn(
    tx: &mut Tx,
    tenant: &Tenant,
    token: &PresentedToken,
) -> Result<bool, DbError> {
    if tenant.keys_version == token.keys_version {
        return Ok(false);
    }
    let published = signing_keys::published(tx, tenant.id, Purpose::Token).await?;
    Ok(!published
        .iter()
        .any(|kid| <[u8; 32]>::from(Sha256::digest(kid)) == token.signer))
}

/// Judges a person's token once more, inside the transaction that relies on it: all that
/// [`authenticate`] asked but the signature.
/// Errors: `TokenExpired`, `TokenRevoked`, `TokenOutdated`.
pub fn recheck<'a>(tx: &'a mut Tx, actor: &'a Actor, now: UnixMillis) -> Rechecked<'a> {
    Box::pin(async move {
        let Principal::User {
            user,
            home,
            session,
            token,
        } = actor.principal
        else {
            return Err(Denied::NotAUser.into());
        };
        if now.to_seconds() >= token.expires_at.plus_seconds(CLOCK_LEEWAY_S) {
            return Err(Denied::TokenExpired.into());
        }
        let life = match tenants::find(tx, home).await? {
            Some(tenant) if !is_withdrawn(tx, &tenant, &token).await? => {
                life(tx, &tenant, (user, session), token.epoch, now).await?
            }
            _ => Life::Ended,
        };
        match life {
            // What is not for the management API carries no permission, whatever the person may do there.
            Life::Good(_) if !token.is_for_management => Ok(PermissionSet::none()),
            Life::Good(_) => Ok(administrators::permissions(tx, actor.tenant, (home, user)).await?),
            Life::Ended => Err(Denied::TokenRevoked.into()),
            Life::Outdated => Err(Denied::TokenOutdated.into()),
        }
    })
}

/// What a resource server learns of a token. Source: RFC 7662 §2.2.
#[derive(Debug)]
pub enum Introspection {
    /// Nothing: unknown, expired, revoked, spent, another tenant's.
    Inactive,
    /// An access token that is good.
    Access(AccessToken),
    /// A refresh token that is good.
    Refresh {
        /// Its session.
        session: Session,
        /// The tenant's issuer URL.
        issuer: String,
        /// When it was issued.
        issued_at: UnixMillis,
        /// When it ends unused.
        expires_at: UnixMillis,
    },
}

/// Tells a resource server about a token of its tenant.
pub async fn introspect(
    platform: &Platform,
    actor: &Actor,
    token: &str,
) -> Result<Introspection, SessionError> {
    actor.require(Permission::TokensIntrospect)?;
    let now = platform.clock.now();
    let mut tx = platform.db.read().await?;
    let tenant = own_tenant(&mut tx, actor.tenant).await?;
    if let Some(token) = RefreshToken::parse(token) {
        return introspect_refresh(&mut tx, platform, &tenant, &token, now).await;
    }
    let keys = signing_keys::jwks_in(&mut tx, platform, &tenant, Purpose::Token).await?;
    let issuer = platform.config.issuer(&tenant.slug);
    let known = match verify(platform, &tenant, &issuer, &keys, token) {
        Ok(claims) => require_live(&mut tx, &tenant, &claims, now)
            .await
            .map(|session| (claims, session)),
        Err(error) => Err(error),
    };
    match known {
        // A token for the management API is good for no other resource server.
        Ok((_, session)) if session.is_for_management => Ok(Introspection::Inactive),
        Ok((claims, _)) => Ok(Introspection::Access(claims)),
        Err(error) if error.is_of_token() => Ok(Introspection::Inactive),
        Err(error) => Err(error),
    }
}

async fn introspect_refresh(
    tx: &mut Tx,
    platform: &Platform,
    tenant: &Tenant,
    token: &RefreshToken,
    now: UnixMillis,
) -> Result<Introspection, SessionError> {
    let Some(stored) = store::find_refresh_token(tx, tenant.id, &token.hash()).await? else {
        return Ok(Introspection::Inactive);
    };
    let Some(session) = store::find(tx, tenant.id, stored.session).await? else {
        return Ok(Introspection::Inactive);
    };
    let user_state = users::user_state(tx, tenant.id, session.user).await?;
    let is_good = !session.is_for_management
        && stored.used_at.is_none()
        && now < stored.expires_at
        && session.is_live(tenant, user_state, now);
    if !is_good {
        return Ok(Introspection::Inactive);
    }
    Ok(Introspection::Refresh {
        session,
        issuer: platform.config.issuer(&tenant.slug),
        issued_at: stored.created_at,
        expires_at: stored.expires_at,
    })
}

/// Takes a token back: its session ends, and every token of the session with it. A token nobody
/// knows is taken back already.
/// Errors: `OtherClient` when the token was issued to another client.
/// Source: RFC 7009 §2.1.
pub async fn revoke_token(
    platform: &Platform,
    actor: &Actor,
    client: &Client,
    token: &str,
) -> Result<(), SessionError> {
    let mut work = authority::begin(platform, actor, Need::Open).await?;
    let id = if let Some(token) = RefreshToken::parse(token) {
        store::find_refresh_token(&mut work.tx, actor.tenant, &token.hash())
            .await?
            .map(|it| it.session)
    } else {
        let tenant = own_tenant(&mut work.tx, actor.tenant).await?;
        let keys = signing_keys::jwks_in(&mut work.tx, platform, &tenant, Purpose::Token).await?;
        let issuer = platform.config.issuer(&tenant.slug);
        verify(platform, &tenant, &issuer, &keys, token)
            .ok()
            .map(|claims| claims.sid)
    };
    let Some(id) = id else { return Ok(()) };
    let Some(session) = store::find(&mut work.tx, actor.tenant, id).await? else {
        return Ok(());
    };
    if session.client_id != client.as_str() {
        return Err(SessionError::OtherClient);
    }
    end(&mut work, id, RevokedReason::TokenRevoked).await?;
    work.commit().await?;
    Ok(())
}

/// Signature, header and claims of an access token. Nothing of the session.
/// Errors: `TokenInvalid`, `TokenExpired`.
fn verify(
    platform: &Platform,
    tenant: &Tenant,
    audience: &str,
    keys: &JwkSet,
    bearer: &str,
) -> Result<AccessToken, SessionError> {
    let issuer = platform.config.issuer(&tenant.slug);
    let expected = Expectations {
        typ: TYP_ACCESS_TOKEN,
        issuer: &issuer,
        audience,
        algorithms: ALGORITHMS,
        leeway_s: CLOCK_LEEWAY_S,
    };
    let now_s = platform.clock.now().to_seconds().0;
    let claims = jwt::verify(bearer, keys, &expected, now_s).map_err(|error| match error {
        plinto_jose::Error::Expired => SessionError::TokenExpired,
        _ => SessionError::TokenInvalid,
    })?;
    let claims: AccessToken =
        serde_json::from_value(Value::Object(claims)).map_err(|_| SessionError::TokenInvalid)?;
    if claims.tenant != tenant.id {
        return Err(SessionError::TokenInvalid);
    }
    Ok(claims)
}

/// The session of an access token.
/// Errors: `TokenRevoked`; `TokenOutdated`, which a refresh mends.
async fn require_live(
    tx: &mut Tx,
    tenant: &Tenant,
    claims: &AccessToken,
    now: UnixMillis,
) -> Result<Session, SessionError> {
    let whose = (claims.sub, claims.sid);
    match life(tx, tenant, whose, claims.epoch, now).await? {
        Life::Good(session) => Ok(*session),
        Life::Ended => Err(SessionError::TokenRevoked),
        Life::Outdated => Err(SessionError::TokenOutdated),
    }
}

/// How an access token stands, its expiry apart.
enum Life {
    /// Its session lives, and what it says is true.
    Good(Box<Session>),
    /// Its session has ended.
    Ended,
    /// Its session lives, but what it says of its user is true no more.
    Outdated,
}

/// Whether the access token's session lives and what the token says is still true: what the edge
/// learns from the revocation feed.
async fn life(
    tx: &mut Tx,
    tenant: &Tenant,
    (user, session): (UserId, SessionId),
    epoch: u64,
    now: UnixMillis,
) -> Result<Life, DbError> {
    let found = store::find(tx, tenant.id, session).await?;
    let Some(session) = found.filter(|session| session.user == user) else {
        return Ok(Life::Ended);
    };
    let user_state = users::user_state(tx, tenant.id, session.user).await?;
    if !session.is_live(tenant, user_state, now) {
        Ok(Life::Ended)
    } else if user_state.is_some_and(|user_state| user_state.accepts_epoch(epoch)) {
        Ok(Life::Good(Box::new(session)))
    } else {
        Ok(Life::Outdated)
    }
}
