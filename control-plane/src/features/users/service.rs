//! The verbs on users, and what other features ask about them.

use std::collections::{BTreeMap, BTreeSet};

use plinto_contract::{
    events::EventKind,
    ids::{TenantId, UserId},
    time::UnixMillis,
};
use serde_json::json;

use super::{
    error::UserError,
    model::{Email, Name, Outdated, Standing, Status, User},
    store,
};
use crate::{
    actor::{Actor, Permission},
    app::App,
    authority::{self, Need},
    db::{DbError, Tx},
    events,
};

/// Makes a user.
/// Errors: `EmailTaken`; the transaction is of no use afterwards.
pub(crate) async fn create(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    email: &Email,
    name: Option<Name>,
) -> Result<User, UserError> {
    let now = app.clock.now();
    let user = User {
        tenant: actor.tenant,
        id: app.random.id(now),
        email: email.written.clone(),
        name: name.map(|name| name.as_str().to_owned()),
        status: Status::Active,
        session_epoch: 0,
        token_epoch: 0,
        created_at: now,
        updated_at: now,
        disabled_at: None,
    };
    store::insert(tx, actor.tenant, &user, &email.normalized)
        .await
        .map_err(|error| error.on(store::EMAIL_KEY, || UserError::EmailTaken))?;
    events::record(tx, app, actor, EventKind::UserCreated, user.id, json!({})).await?;
    Ok(user)
}

/// One user, for another feature's transaction.
pub(crate) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    id: UserId,
) -> Result<Option<User>, DbError> {
    store::find(tx, tenant, id).await
}

/// Whether there is such a user.
pub(crate) async fn exists(tx: &mut Tx, tenant: TenantId, id: UserId) -> Result<bool, DbError> {
    Ok(store::standing(tx, tenant, id).await?.is_some())
}

/// One user by normalised e-mail address; the empty one finds nobody, at the same cost.
pub(crate) async fn find_by_email(
    tx: &mut Tx,
    tenant: TenantId,
    email_normalized: &str,
) -> Result<Option<User>, DbError> {
    store::find_by_email(tx, tenant, email_normalized).await
}

/// What decides over the user's sessions and access tokens; `None` when there is no such user.
pub(crate) async fn standing(
    tx: &mut Tx,
    tenant: TenantId,
    id: UserId,
) -> Result<Option<Standing>, DbError> {
    store::standing(tx, tenant, id).await
}

/// What decides over the sessions of those of the users that exist, and when all sessions of one last
/// ended at once (`None`: never). However many they are, it is one statement.
pub(crate) async fn standings(
    tx: &mut Tx,
    tenant: TenantId,
    ids: &BTreeSet<UserId>,
) -> Result<BTreeMap<UserId, (Standing, Option<UnixMillis>)>, DbError> {
    store::standings(tx, tenant, ids).await
}

/// Outdates the access tokens that the user holds: what they say is true no more. For whoever
/// changes that, in the transaction of the change; the sessions go on.
pub(crate) async fn outdate_tokens(
    tx: &mut Tx,
    tenant: TenantId,
    id: UserId,
    now: UnixMillis,
) -> Result<(), DbError> {
    store::outdate_tokens(tx, tenant, id, now).await
}

/// Users whose access tokens were outdated at or after `since`: the latest `limit` of them.
pub(crate) async fn outdated_since(
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
    app: &App,
    actor: &Actor,
    filter: &Filter,
    after: &str,
    limit: i64,
) -> Result<Vec<User>, UserError> {
    actor.require(Permission::UsersRead)?;
    let mut tx = app.db.read().await?;
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
pub async fn get(app: &App, actor: &Actor, id: UserId) -> Result<User, UserError> {
    actor.require(Permission::UsersRead)?;
    read(app, actor.tenant, id).await
}

/// The user behind the access token.
pub async fn me(app: &App, actor: &Actor) -> Result<User, UserError> {
    let (user, _) = actor.user()?;
    read(app, actor.tenant, user).await
}

async fn read(app: &App, tenant: TenantId, id: UserId) -> Result<User, UserError> {
    let mut tx = app.db.read().await?;
    store::find(&mut tx, tenant, id)
        .await?
        .ok_or(UserError::NotFound)
}

/// Disables a user: no sign-in, and every session and refresh token is dead from here on (S4).
/// A user who is disabled already stays so.
pub async fn disable(app: &App, actor: &Actor, id: UserId) -> Result<User, UserError> {
    actor.require(Permission::UsersWrite)?;
    let mut tx = authority::begin(app, actor, Need::Permission(Permission::UsersWrite)).await?;
    if store::disable(&mut tx, actor.tenant, id, app.clock.now()).await? {
        events::record(&mut tx, app, actor, EventKind::UserDisabled, id, json!({})).await?;
    }
    let user = store::find(&mut tx, actor.tenant, id)
        .await?
        .ok_or(UserError::NotFound)?;
    tx.commit().await?;
    Ok(user)
}

/// Lets a disabled user sign in again. Ended sessions stay ended.
pub async fn enable(app: &App, actor: &Actor, id: UserId) -> Result<User, UserError> {
    actor.require(Permission::UsersWrite)?;
    let mut tx = authority::begin(app, actor, Need::Permission(Permission::UsersWrite)).await?;
    if store::enable(&mut tx, actor.tenant, id, app.clock.now()).await? {
        events::record(&mut tx, app, actor, EventKind::UserEnabled, id, json!({})).await?;
    }
    let user = store::find(&mut tx, actor.tenant, id)
        .await?
        .ok_or(UserError::NotFound)?;
    tx.commit().await?;
    Ok(user)
}

/// Ends every session of a user, who may sign in again at once.
pub async fn end_sessions(app: &App, actor: &Actor, id: UserId) -> Result<(), UserError> {
    actor.require(Permission::SessionsRevoke)?;
    let mut tx = authority::begin(app, actor, Need::Permission(Permission::SessionsRevoke)).await?;
    if !end_all_sessions(&mut tx, app, actor, id).await? {
        return Err(UserError::NotFound);
    }
    tx.commit().await?;
    Ok(())
}

/// Ends every session of a user, in the transaction of whoever decided so; `false` when there is no
/// such user.
pub(crate) async fn end_all_sessions(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    id: UserId,
) -> Result<bool, DbError> {
    let is_there = store::end_sessions(tx, actor.tenant, id, app.clock.now()).await?;
    if is_there {
        let kind = EventKind::UserSessionsRevoked;
        events::record(tx, app, actor, kind, id, json!({})).await?;
    }
    Ok(is_there)
}
