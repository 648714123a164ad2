//! The verbs on sessions. Those on tokens: [`refresh`] and [`tokens`].

pub(crate) mod refresh;
pub(crate) mod tokens;

use plinto_contract::{
    events::{SessionCreated, SessionRevoked},
    ids::{OrganizationId, SessionId, TenantId, UserId},
    time::UnixMillis,
};
use plinto_directory::{
    organizations,
    users::{self, User},
};
use plinto_platform::{
    Platform,
    actor::{Actor, Permission, Principal},
    authority::{self, Need, Work},
    db::{DbError, Tx},
    secret::Secret,
};
use plinto_tenancy::tenants::{self, Tenant, TenantsError};

use super::{
    error::SessionError,
    model::{
        Client, IssuedTokens, Position, RefreshToken, RevokedReason, Rights, SECRET_BYTES, Session,
        StoredRefreshToken,
    },
    store::{self, Epochs},
};

/// What a session begins with.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Whose; active, and read in the same transaction.
    pub(crate) user: &'a User,
    /// The organization it acts in.
    pub(crate) organization: Option<OrganizationId>,
    /// The software it belongs to.
    pub(crate) client: &'a Client,
    /// How the user proved who they are. Source: RFC 8176.
    pub(crate) amr: Vec<String>,
    /// When they did.
    pub(crate) authenticated_at: UnixMillis,
    /// Whether it is for the management API.
    pub(crate) is_for_management: bool,
    /// When it ends whatever happens; a full term from now when `None`.
    pub(crate) expires_at: Option<UnixMillis>,
}

/// A session that will be there once the transaction is committed.
#[derive(Debug)]
pub struct Opened {
    pub(super) tenant: Tenant,
    pub(super) session: Session,
    pub(super) rights: Rights,
    pub(super) refresh_token: RefreshToken,
}

/// Begins a session and its family of refresh tokens. Tokens are signed by [`tokens::issue`] after
/// the commit: signing takes longer than the transaction.
/// Errors: `UnknownClient`; `NotAMember`.
pub async fn open(work: &mut Work<'_>, new: NewSession<'_>) -> Result<Opened, SessionError> {
    let now = work.platform.clock.now();
    let tenant = own_tenant(&mut work.tx, work.actor.tenant).await?;
    require_client(&tenant, new.client.as_str())?;
    let (idle_s, absolute_s) = tenant.session_limits(&work.platform.config.sessions);
    let roles = roles_in(
        &mut work.tx,
        work.actor.tenant,
        new.organization,
        new.user.id,
    )
    .await?
    .ok_or(SessionError::NotAMember)?;
    let rights = Rights {
        at: now,
        token_epoch: new.user.token_epoch,
        roles,
    };
    let full_term = now.plus_seconds(absolute_s);
    let session = Session {
        tenant: work.actor.tenant,
        id: work.platform.random.id(now),
        user: new.user.id,
        organization: new.organization,
        client_id: new.client.as_str().to_owned(),
        tenant_epoch: tenant.session_epoch,
        user_epoch: new.user.session_epoch,
        amr: new.amr,
        authenticated_at: new.authenticated_at,
        created_at: now,
        last_used_at: now,
        expires_at: new.expires_at.unwrap_or(full_term).min(full_term),
        ip: work.actor.ip.map(|ip| ip.to_string()),
        user_agent: Some(work.actor.user_agent.clone()).filter(|name| !name.is_empty()),
        is_for_management: new.is_for_management,
        revoked: None,
    };
    store::insert(&mut work.tx, work.actor.tenant, &session).await?;
    let mut secret = [0_u8; SECRET_BYTES];
    work.platform.random.fill(&mut secret);
    let refresh_token = RefreshToken::new(secret);
    let stored = StoredRefreshToken {
        id: work.platform.random.id(now),
        session: session.id,
        created_at: now,
        expires_at: session.idle_end(idle_s, now),
        used_at: None,
        successor_nonce: None,
    };
    store::insert_refresh_token(
        &mut work.tx,
        work.actor.tenant,
        &stored,
        &refresh_token.hash(),
    )
    .await?;
    let data = SessionCreated {
        user_id: session.user,
        organization_id: session.organization,
        client_id: session.client_id.clone(),
        amr: session.amr.clone(),
        is_for_management: session.is_for_management,
    };
    work.record(session.id, &data).await?;
    Ok(Opened {
        tenant,
        session,
        rights,
        refresh_token,
    })
}

/// What tokens say of their client is a fact: nobody gets one under a name that the tenant has not
/// configured.
/// Errors: `UnknownClient`.
pub fn require_client(tenant: &Tenant, client_id: &str) -> Result<(), SessionError> {
    if tenant.has_client(client_id) {
        Ok(())
    } else {
        Err(SessionError::UnknownClient)
    }
}

/// The tenant of the actor or of a row of ours.
async fn own_tenant(tx: &mut Tx, tenant: TenantId) -> Result<Tenant, SessionError> {
    let tenant = tenants::find(tx, tenant).await?;
    Ok(tenant.ok_or(TenantsError::NotFound)?)
}

/// The user's roles in the organization, none without an organization; `None`: not a member.
async fn roles_in(
    tx: &mut Tx,
    tenant: TenantId,
    organization: Option<OrganizationId>,
    user: UserId,
) -> Result<Option<Vec<String>>, DbError> {
    match organization {
        None => Ok(Some(Vec::new())),
        Some(organization) => organizations::membership(tx, tenant, organization, user).await,
    }
}

/// 30 d after its absolute end nobody asks about a session any more.
const KEPT_S: i64 = 30 * 24 * 60 * 60;

/// Drops sessions that ended long ago.
pub async fn run_due_work(platform: &Platform) -> Result<(), SessionError> {
    let before = platform.clock.now().plus_seconds(-KEPT_S);
    loop {
        let mut tx = authority::begin_own(platform).await?;
        if !store::purge_some(&mut tx, before).await? {
            return Ok(());
        }
        tx.commit().await?;
    }
}

/// Which sessions a list shows.
#[derive(Debug, Default)]
pub(super) struct Filter {
    /// Only this user's.
    pub(super) user: Option<UserId>,
}

/// The sessions as they stand: a row does not say that all sessions of its tenant or user ended at
/// once.
async fn with_ended_by_epoch(
    tx: &mut Tx,
    tenant: &Tenant,
    mut sessions: Vec<Session>,
) -> Result<Vec<Session>, DbError> {
    let users = sessions.iter().map(|session| session.user).collect();
    let user_states = users::user_states(tx, tenant.id, &users).await?;
    let live = |session: &&mut Session| session.revoked.is_none();
    for session in sessions.iter_mut().filter(live) {
        let ended_at = if tenant.is_current_epoch(session.tenant_epoch) {
            match user_states.get(&session.user) {
                Some((user_state, _)) if user_state.is_current_epoch(session.user_epoch) => {
                    continue;
                }
                known => known.and_then(|(_, ended_at)| *ended_at),
            }
        } else {
            tenant.sessions_ended_at
        };
        let ended_at = ended_at.unwrap_or(session.last_used_at);
        session.revoked = Some((ended_at, RevokedReason::AllEnded));
    }
    Ok(sessions)
}

/// One session as it stands, dead or alive.
async fn find(tx: &mut Tx, tenant: TenantId, id: SessionId) -> Result<Session, SessionError> {
    let tenant = own_tenant(tx, tenant).await?;
    let found = store::find(tx, tenant.id, id).await?;
    let sessions = with_ended_by_epoch(tx, &tenant, found.into_iter().collect()).await?;
    sessions.into_iter().next().ok_or(SessionError::NotFound)
}

/// Sessions in the order in which they end, after `after`, at most `limit`: none that was revoked
/// itself or has expired. Those of one user all live; among those of many are some that ended with
/// all of their user's, and say so.
pub(super) async fn list(
    platform: &Platform,
    actor: &Actor,
    filter: &Filter,
    after: Position,
    limit: i64,
) -> Result<Vec<Session>, SessionError> {
    actor.require(Permission::SessionsRead)?;
    let after = after.among_the_living(platform.clock.now());
    let mut tx = platform.db.read().await?;
    let tenant = own_tenant(&mut tx, actor.tenant).await?;
    if let Some(user) = filter.user {
        return Ok(list_of(&mut tx, &tenant, user, &after, limit).await?);
    }
    let found = store::list(&mut tx, tenant.id, tenant.session_epoch, &after, limit).await?;
    Ok(with_ended_by_epoch(&mut tx, &tenant, found).await?)
}

/// One session, dead or alive.
pub(super) async fn get(
    platform: &Platform,
    actor: &Actor,
    id: SessionId,
) -> Result<Session, SessionError> {
    actor.require(Permission::SessionsRead)?;
    let mut tx = platform.db.read().await?;
    find(&mut tx, actor.tenant, id).await
}

/// The caller's own live sessions, in the order in which they end.
pub(super) async fn list_mine(
    platform: &Platform,
    actor: &Actor,
    after: Position,
    limit: i64,
) -> Result<Vec<Session>, SessionError> {
    let (user, _) = actor.user()?;
    let after = after.among_the_living(platform.clock.now());
    let mut tx = platform.db.read().await?;
    let tenant = own_tenant(&mut tx, actor.tenant).await?;
    Ok(list_of(&mut tx, &tenant, user, &after, limit).await?)
}

async fn list_of(
    tx: &mut Tx,
    tenant: &Tenant,
    user: UserId,
    after: &Position,
    limit: i64,
) -> Result<Vec<Session>, DbError> {
    let Some(user_state) = users::user_state(tx, tenant.id, user).await? else {
        return Ok(Vec::new());
    };
    let epochs = Epochs {
        tenant: tenant.session_epoch,
        user: user_state.session_epoch,
    };
    store::list_of_user(tx, tenant.id, (user, epochs), after, limit).await
}

/// Ends a session. Ending it again changes nothing and is not an error.
pub(super) async fn revoke(
    platform: &Platform,
    actor: &Actor,
    id: SessionId,
) -> Result<Session, SessionError> {
    actor.require(Permission::SessionsRevoke)?;
    let mut work = authority::begin(
        platform,
        actor,
        Need::Permission(Permission::SessionsRevoke),
    )
    .await?;
    let session = find(&mut work.tx, actor.tenant, id).await?;
    if session.revoked.is_some() {
        return Ok(session);
    }
    let reason = match actor.principal {
        Principal::User { .. } => RevokedReason::ByAdministrator,
        _ => RevokedReason::ByApiKey,
    };
    end(&mut work, id, reason).await?;
    let session = store::find(&mut work.tx, actor.tenant, id)
        .await?
        .ok_or(SessionError::NotFound)?;
    work.commit().await?;
    Ok(session)
}

/// Ends one of the caller's own sessions; somebody else's looks absent.
pub(super) async fn revoke_mine(
    platform: &Platform,
    actor: &Actor,
    id: SessionId,
) -> Result<(), SessionError> {
    let (user, own) = actor.user()?;
    let mut work = authority::begin(platform, actor, Need::Person).await?;
    let session = store::find(&mut work.tx, actor.tenant, id).await?;
    if session.is_none_or(|session| session.user != user) {
        return Err(SessionError::NotFound);
    }
    let reason = if id == own {
        RevokedReason::SignedOut
    } else {
        RevokedReason::ByUser
    };
    end(&mut work, id, reason).await?;
    work.commit().await?;
    Ok(())
}

/// Ends the caller's session, or every one of theirs wherever it is.
pub(super) async fn sign_out(
    platform: &Platform,
    actor: &Actor,
    is_everywhere: bool,
) -> Result<(), SessionError> {
    let (user, session) = actor.user()?;
    if !is_everywhere {
        return revoke_mine(platform, actor, session).await;
    }
    let mut work = authority::begin(platform, actor, Need::Person).await?;
    users::end_all_sessions(&mut work, user).await?;
    work.commit().await?;
    Ok(())
}

/// Goes on in another organization, or in none, under a new session id; the old one is dead (S2).
/// The new session ends when the old one would have, and belongs to the same family.
/// `presented`: the session's current refresh token. An access token travels through every
/// application behind the edge, so alone it must not buy a refresh token.
/// Errors: `InvalidGrant` as for a refresh, a reuse ends the family first; `NotAMember`, with
/// nothing spent; `TokenRevoked` when the session has ended meanwhile.
pub(super) async fn switch_organization(
    platform: &Platform,
    actor: &Actor,
    organization: Option<OrganizationId>,
    presented: &Secret,
) -> Result<IssuedTokens, SessionError> {
    let (user, session) = actor.user()?;
    let presented = RefreshToken::parse(presented.expose()).ok_or(SessionError::InvalidGrant)?;
    let mut work = authority::begin(platform, actor, Need::Person).await?;
    let tenant = own_tenant(&mut work.tx, actor.tenant).await?;
    let old = store::find(&mut work.tx, actor.tenant, session)
        .await?
        .ok_or(SessionError::TokenRevoked)?;
    let client = Client::parse(&old.client_id).unwrap_or_default();
    match refresh::spend(&mut work, &client, &presented).await? {
        Some(spent) if spent.session == session => {}
        // Another session's token; it stays unspent, since nothing is committed.
        Some(_) => return Err(SessionError::InvalidGrant),
        None => {
            // Within the grace a refresh gives the same successor again; a switch has none to give.
            refresh::second_use(work, &client, &presented).await?;
            return Err(SessionError::InvalidGrant);
        }
    }
    let reason = RevokedReason::OrganizationSwitched;
    let is_ended = end(&mut work, session, reason).await?;
    let user = users::find(&mut work.tx, actor.tenant, user)
        .await?
        .filter(|user| {
            is_ended && old.is_live(&tenant, Some(user.user_state()), platform.clock.now())
        })
        .ok_or(SessionError::TokenRevoked)?;
    let new = NewSession {
        user: &user,
        organization,
        client: &client,
        amr: old.amr,
        authenticated_at: old.authenticated_at,
        is_for_management: old.is_for_management,
        expires_at: Some(old.expires_at),
    };
    let opened = open(&mut work, new).await?;
    store::continue_family(&mut work.tx, actor.tenant, session, opened.session.id).await?;
    work.commit().await?;
    tokens::issue(platform, opened).await
}

/// Sessions that were revoked at or after `since`, and when: the latest `limit` of them.
pub async fn revoked_since(
    tx: &mut Tx,
    tenant: TenantId,
    since: UnixMillis,
    limit: i64,
) -> Result<Vec<(SessionId, UnixMillis)>, DbError> {
    store::revoked_since(tx, tenant, since, limit).await
}

/// Ends every session of the user but `kept`; answers how many.
pub async fn revoke_others(
    work: &mut Work<'_>,
    user: UserId,
    kept: SessionId,
    reason: RevokedReason,
) -> Result<usize, DbError> {
    let tenant = tenants::find(&mut work.tx, work.actor.tenant).await?;
    let user_state = users::user_state(&mut work.tx, work.actor.tenant, user).await?;
    let (Some(tenant), Some(user_state)) = (tenant, user_state) else {
        return Ok(0);
    };
    let epochs = Epochs {
        tenant: tenant.session_epoch,
        user: user_state.session_epoch,
    };
    let (whose, now) = ((user, epochs), work.platform.clock.now());
    let ended = store::revoke_others(&mut work.tx, tenant.id, whose, kept, reason, now).await?;
    for session in &ended {
        record_revoked(work, *session, reason).await?;
    }
    Ok(ended.len())
}

/// Ends a session as part of other work; `false` when it had ended before.
async fn end(work: &mut Work<'_>, id: SessionId, reason: RevokedReason) -> Result<bool, DbError> {
    let now = work.platform.clock.now();
    let is_new = store::revoke(&mut work.tx, work.actor.tenant, id, reason, now).await?;
    if is_new {
        record_revoked(work, id, reason).await?;
    }
    Ok(is_new)
}

/// Says that a session has ended; the edge learns it from [`revoked_since`].
async fn record_revoked(
    work: &mut Work<'_>,
    id: SessionId,
    reason: RevokedReason,
) -> Result<(), DbError> {
    let reason = reason.as_str().to_owned();
    work.record(id, &SessionRevoked { reason }).await
}
