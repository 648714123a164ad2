//! The verbs on users, and what other features ask about them.

use std::collections::{BTreeMap, BTreeSet};

use plinto_contract::{
    events::{UserCreated, UserDisabled, UserEnabled, UserSessionsRevoked},
    ids::{TenantId, UserId},
    time::UnixMillis,
};
use plinto_platform::{
    Platform,
    actor::{Actor, Permission},
    authority::{self, Need, Work},
    db::{DbError, Tx},
};

use super::{
    error::UserError,
    model::{Email, Name, Outdated, Status, User, UserState},
    store,
};

/// Makes a user.
/// Errors: `EmailTaken`; the work is of no use afterwards.
pub async fn create(
    work: &mut Work<'_>,
    email: &Email,
    name: Option<Name>,
) -> Result<User, UserError> {
    let now = work.platform.clock.now();
    let user = User {
        tenant: work.actor.tenant,
        id: work.platform.random.id(now),
        email: email.written.clone(),
        name: name.map(|name| name.as_str().to_owned()),
        status: Status::Active,
        session_epoch: 0,
        token_epoch: 0,
        created_at: now,
        updated_at: now,
        disabled_at: None,
    };
    store::insert(&mut work.tx, work.actor.tenant, &user, &email.normalized)
        .await
        .map_err(|error| error.on(store::EMAIL_KEY, || UserError::EmailTaken))?;
    work.record(user.id, &UserCreated {}).await?;
    Ok(user)
}

/// One user, for another feature's transaction.
pub async fn find(tx: &mut Tx, tenant: TenantId, id: UserId) -> Result<Option<User>, DbError> {
    store::find(tx, tenant, id).await
}

/// Whether there is such a user.
pub async fn exists(tx: &mut Tx, tenant: TenantId, id: UserId) -> Result<bool, DbError> {
    Ok(store::user_state(tx, tenant, id).await?.is_some())
}

/// One user by normalised e-mail address; the empty one finds nobody, at the same cost.
pub async fn find_by_email(
    tx: &mut Tx,
    tenant: TenantId,
    email_normalized: &str,
) -> Result<Option<User>, DbError> {
    store::find_by_email(tx, tenant, email_normalized).await
}

/// What decides over the user's sessions and access tokens; `None` when there is no such user.
pub async fn user_state(
    tx: &mut Tx,
    tenant: TenantId,
    id: UserId,
) -> Result<Option<UserState>, DbError> {
    store::user_state(tx, tenant, id).await
}

/// What decides over the sessions of those of the users that exist, and when all sessions of one last
/// ended at once (`None`: never). However many they are, it is one statement.
pub async fn user_states(
    tx: &mut Tx,
    tenant: TenantId,
    ids: &BTreeSet<UserId>,
) -> Result<BTreeMap<UserId, (UserState, Option<UnixMillis>)>, DbError> {
    store::user_states(tx, tenant, ids).await
}

/// Outdates the access tokens that the user holds: what they say is true no more. For whoever
/// changes that, in the transaction of the change; the sessions go on.
pub async fn outdate_tokens(
    tx: &mut Tx,
    tenant: TenantId,
    id: UserId,
    now: UnixMillis,
) -> Result<(), DbError> {
    store::outdate_tokens(tx, tenant, id, now).await
}

/// Users whose access tokens were outdated at or after `since`: the latest `limit` of them.
pub async fn outdated_since(
    tx: &mut Tx,
    tenant: TenantId,
    since: UnixMillis,
    limit: i64,
) -> Result<Vec<Outdated>, DbError> {
    store::outdated_since(tx, tenant, since, limit).await
}

/// Which users a list shows.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only these.
    pub status: Option<Status>,
    /// Only the one with this e-mail address.
    pub email: Option<Email>,
}

/// Users in the order they were made, after `after` (empty: from the first), at most `limit`.
pub async fn list(
    platform: &Platform,
    actor: &Actor,
    filter: &Filter,
    after: &str,
    limit: i64,
) -> Result<Vec<User>, UserError> {
    actor.require(Permission::UsersRead)?;
    let mut tx = platform.db.read().await?;
    let tenant = actor.tenant;
    if let Some(email) = &filter.email {
        let found = store::find_by_email(&mut tx, tenant, &email.normalized).await?;
        let is_shown = |user: &User| {
            filter.status.is_none_or(|status| user.status == status)
                && user.id.to_string().as_str() > after
        };
        return Ok(found.into_iter().filter(is_shown).collect());
    }
    Ok(match filter.status {
        Some(status) => store::list_by_status(&mut tx, tenant, status, after, limit).await?,
        None => store::list(&mut tx, tenant, after, limit).await?,
    })
}

/// One user.
pub async fn get(platform: &Platform, actor: &Actor, id: UserId) -> Result<User, UserError> {
    actor.require(Permission::UsersRead)?;
    read(platform, actor.tenant, id).await
}

/// The user behind the access token.
pub async fn me(platform: &Platform, actor: &Actor) -> Result<User, UserError> {
    let (user, _) = actor.user()?;
    read(platform, actor.tenant, user).await
}

async fn read(platform: &Platform, tenant: TenantId, id: UserId) -> Result<User, UserError> {
    let mut tx = platform.db.read().await?;
    store::find(&mut tx, tenant, id)
        .await?
        .ok_or(UserError::NotFound)
}

/// Disables a user: no sign-in, and every session and refresh token is dead from here on (S4).
/// A user who is disabled already stays so.
pub async fn disable(platform: &Platform, actor: &Actor, id: UserId) -> Result<User, UserError> {
    actor.require(Permission::UsersWrite)?;
    let mut work =
        authority::begin(platform, actor, Need::Permission(Permission::UsersWrite)).await?;
    work.require_rights_of(id).await?;
    if store::disable(&mut work.tx, actor.tenant, id, platform.clock.now()).await? {
        work.record(id, &UserDisabled {}).await?;
    }
    let user = store::find(&mut work.tx, actor.tenant, id)
        .await?
        .ok_or(UserError::NotFound)?;
    work.commit().await?;
    Ok(user)
}

/// Lets a disabled user sign in again. Ended sessions stay ended.
pub async fn enable(platform: &Platform, actor: &Actor, id: UserId) -> Result<User, UserError> {
    actor.require(Permission::UsersWrite)?;
    let mut work =
        authority::begin(platform, actor, Need::Permission(Permission::UsersWrite)).await?;
    work.require_rights_of(id).await?;
    if store::enable(&mut work.tx, actor.tenant, id, platform.clock.now()).await? {
        work.record(id, &UserEnabled {}).await?;
    }
    let user = store::find(&mut work.tx, actor.tenant, id)
        .await?
        .ok_or(UserError::NotFound)?;
    work.commit().await?;
    Ok(user)
}

/// Ends every session of a user, who may sign in again at once.
pub async fn end_sessions(platform: &Platform, actor: &Actor, id: UserId) -> Result<(), UserError> {
    actor.require(Permission::SessionsRevoke)?;
    let mut work = authority::begin(
        platform,
        actor,
        Need::Permission(Permission::SessionsRevoke),
    )
    .await?;
    if !end_all_sessions(&mut work, id).await? {
        return Err(UserError::NotFound);
    }
    work.commit().await?;
    Ok(())
}

/// Ends every session of a user, in the work of whoever decided so; `false` when there is no
/// such user.
pub async fn end_all_sessions(work: &mut Work<'_>, id: UserId) -> Result<bool, DbError> {
    let now = work.platform.clock.now();
    let is_there = store::end_sessions(&mut work.tx, work.actor.tenant, id, now).await?;
    if is_there {
        work.record(id, &UserSessionsRevoked {}).await?;
    }
    Ok(is_there)
}
