//! Exchanging a refresh token for its successor: the story is told in the feature's `mod.rs`.

use plinto_contract::{
    events::{RefreshTokenReused, SessionRefreshed},
    ids::{RefreshTokenId, SessionId},
};
use plinto_directory::users;
use plinto_platform::{
    Platform,
    actor::Actor,
    authority::{self, Need, Work},
    db::DbError,
};
use plinto_tenancy::tenants::Tenant;

use super::{Opened, end, own_tenant, require_client, roles_in, tokens};
use crate::sessions::{
    error::SessionError,
    model::{
        Client, IssuedTokens, RefreshToken, RevokedReason, Rights, SECRET_BYTES, SecondUse,
        Session, StoredRefreshToken,
    },
    store,
};

/// Spends a refresh token and gives its successor with a new access token.
/// `resource`: the API to get a token for, if the client says so; it is the session's own or none.
/// Errors: `InvalidGrant` for whatever the token is not good for; a reuse ends the family first;
/// `OtherResource`, with nothing spent.
/// Source: RFC 6749 §6, RFC 8707 §2.2, RFC 9700 §4.14.2.
pub async fn refresh(
    platform: &Platform,
    actor: &Actor,
    client: &Client,
    presented: &RefreshToken,
    resource: Option<&str>,
) -> Result<IssuedTokens, SessionError> {
    let mut work = authority::begin(platform, actor, Need::Open).await?;
    let opened = if let Some(spent) = spend(&mut work, client, presented).await? {
        let opened = rotate(&mut work, spent, presented).await?;
        require_resource(platform, &opened, resource)?;
        work.commit().await?;
        opened
    } else {
        let opened = second_use(work, client, presented).await?;
        require_resource(platform, &opened, resource)?;
        opened
    };
    tokens::issue(platform, opened).await
}

/// Errors: `OtherResource`.
fn require_resource(
    platform: &Platform,
    opened: &Opened,
    resource: Option<&str>,
) -> Result<(), SessionError> {
    let own = tokens::resource(platform, &opened.tenant, &opened.session);
    match resource {
        Some(resource) if resource != own => Err(SessionError::OtherResource),
        _ => Ok(()),
    }
}

/// A refresh token that the work has spent.
pub(super) struct Spent {
    /// Its session.
    pub(super) session: SessionId,
    /// The row that its successor takes.
    successor: RefreshTokenId,
    /// What gives the successor once more.
    nonce: [u8; SECRET_BYTES],
}

/// Spends a refresh token; `None` when it can't be: [`second_use`] says what that means.
pub(super) async fn spend(
    work: &mut Work<'_>,
    client: &Client,
    presented: &RefreshToken,
) -> Result<Option<Spent>, DbError> {
    let now = work.platform.clock.now();
    let mut nonce = [0_u8; SECRET_BYTES];
    work.platform.random.fill(&mut nonce);
    let successor = work.platform.random.id(now);
    let spending = store::Spending {
        hash: &presented.hash(),
        client_id: client.as_str(),
        successor,
        nonce: &nonce,
    };
    let session = store::spend(&mut work.tx, work.actor.tenant, &spending, now).await?;
    Ok(session.map(|session| Spent {
        session,
        successor,
        nonce,
    }))
}

async fn rotate(
    work: &mut Work<'_>,
    spent: Spent,
    presented: &RefreshToken,
) -> Result<Opened, SessionError> {
    let now = work.platform.clock.now();
    let successor = presented.successor(&spent.nonce);
    let session = store::touch(&mut work.tx, work.actor.tenant, spent.session, now).await?;
    let (tenant, rights) = rights_now(work, &session).await?;
    let (idle_s, _) = tenant.session_limits(&work.platform.config.sessions);
    let stored = StoredRefreshToken {
        id: spent.successor,
        session: session.id,
        created_at: now,
        expires_at: session.idle_end(idle_s, now),
        used_at: None,
        successor_nonce: None,
    };
    store::insert_refresh_token(&mut work.tx, work.actor.tenant, &stored, &successor.hash())
        .await?;
    store::forget_nonces(&mut work.tx, work.actor.tenant, session.id, stored.id).await?;
    let data = SessionRefreshed {
        user_id: session.user,
        client_id: session.client_id.clone(),
    };
    work.record(session.id, &data).await?;
    Ok(Opened {
        tenant,
        session,
        rights,
        refresh_token: successor,
    })
}

/// What the next access token says, of the tenant and of the user.
/// Errors: `InvalidGrant` when the session is dead or the user has left the organization;
/// `UnknownClient` when its client is none of the tenant's any more.
async fn rights_now(
    work: &mut Work<'_>,
    session: &Session,
) -> Result<(Tenant, Rights), SessionError> {
    let at = work.platform.clock.now();
    let tenant = own_tenant(&mut work.tx, session.tenant).await?;
    let user_state = users::user_state(&mut work.tx, session.tenant, session.user)
        .await?
        .filter(|user_state| session.is_live(&tenant, Some(*user_state), at))
        .ok_or(SessionError::InvalidGrant)?;
    require_client(&tenant, &session.client_id)?;
    let roles = roles_in(
        &mut work.tx,
        session.tenant,
        session.organization,
        session.user,
    )
    .await?
    .ok_or(SessionError::InvalidGrant)?;
    let rights = Rights {
        at,
        token_epoch: user_state.token_epoch,
        roles,
    };
    Ok((tenant, rights))
}

/// What a token that could not be spent is good for: the same successor within the grace, the end
/// of the family after it, nothing otherwise.
pub(super) async fn second_use(
    mut work: Work<'_>,
    client: &Client,
    presented: &RefreshToken,
) -> Result<Opened, SessionError> {
    let now = work.platform.clock.now();
    let hash = presented.hash();
    let Some(spent) = store::find_refresh_token(&mut work.tx, work.actor.tenant, &hash).await?
    else {
        return Err(SessionError::InvalidGrant);
    };
    let session = store::find(&mut work.tx, work.actor.tenant, spent.session)
        .await?
        .ok_or(SessionError::InvalidGrant)?;
    // Expired unused, or another client's: refused, and the owner's session goes on (S9).
    if spent.used_at.is_none() || session.client_id != client.as_str() {
        return Err(SessionError::InvalidGrant);
    }
    if let SecondUse::Grace(nonce) =
        spent.second_use(work.platform.config.sessions.refresh_grace_s, now)
    {
        let successor = presented.successor(&nonce);
        match store::find_refresh_token(&mut work.tx, work.actor.tenant, &successor.hash()).await? {
            Some(found) if found.used_at.is_none() => {
                return again(&mut work, session, successor).await;
            }
            Some(_) => {}
            // Spent a moment ago on entering another organization, which no second use gives.
            None => return Err(SessionError::InvalidGrant),
        }
    }
    // Judged before anything else of the session: a copy is out, whatever its user may still do.
    if now < session.expires_at {
        end_family(work, &session).await?;
    }
    Err(SessionError::InvalidGrant)
}

/// The successor that was given before, with a new access token.
async fn again(
    work: &mut Work<'_>,
    session: Session,
    successor: RefreshToken,
) -> Result<Opened, SessionError> {
    let (tenant, rights) = rights_now(work, &session).await?;
    Ok(Opened {
        tenant,
        session,
        rights,
        refresh_token: successor,
    })
}

/// Ends the session whose spent token came again, or the one that it goes on in. Of several reuses
/// at once the one that ends it says so.
async fn end_family(mut work: Work<'_>, session: &Session) -> Result<(), SessionError> {
    let reason = RevokedReason::RefreshTokenReused;
    let mut last = store::last_of_family(&mut work.tx, work.actor.tenant, session.id).await?;
    while !end(&mut work, last, reason).await? {
        // It has ended, which is all there is to do, unless the family moved on this moment.
        let next = store::last_of_family(&mut work.tx, work.actor.tenant, last).await?;
        if next == last {
            return Ok(());
        }
        last = next;
    }
    let data = RefreshTokenReused {
        user_id: session.user,
        client_id: session.client_id.clone(),
    };
    work.record(last, &data).await?;
    work.commit().await?;
    Ok(())
}
