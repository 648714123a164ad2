//! Storing and finding passwords, for the flows that check them.

use plinto_contract::{
    events::EventKind,
    ids::{TenantId, UserId},
};
use serde_json::json;

use super::{model::PasswordHash, store};
use crate::{
    actor::Actor,
    app::App,
    db::{DbError, Tx},
    events,
};

/// The user's stored password. Without a user the same work is done and nothing is found.
pub(crate) async fn stored_password(
    tx: &mut Tx,
    tenant: TenantId,
    user: Option<UserId>,
) -> Result<Option<PasswordHash>, DbError> {
    store::find(tx, tenant, user).await
}

/// Gives a new user their password; `user.created` says that it happened.
pub(crate) async fn first_password(
    tx: &mut Tx,
    app: &App,
    tenant: TenantId,
    user: UserId,
    hash: &PasswordHash,
) -> Result<(), DbError> {
    store::put(tx, tenant, user, hash, app.clock.now()).await
}

/// Changes a user's password.
pub(crate) async fn change_password(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    user: UserId,
    hash: &PasswordHash,
) -> Result<(), DbError> {
    store::put(tx, actor.tenant, user, hash, app.clock.now()).await?;
    events::record(tx, app, actor, EventKind::PasswordChanged, user, json!({})).await
}

/// Confirms, inside the transaction that relies on it, a password that was verified before it began.
/// `better`: a hash of the same password with today's parameters.
/// `false` when the password has changed since.
pub(crate) async fn confirm(
    tx: &mut Tx,
    app: &App,
    tenant: TenantId,
    user: UserId,
    verified: &PasswordHash,
    better: Option<&PasswordHash>,
) -> Result<bool, DbError> {
    store::confirm(tx, tenant, user, verified, better, app.clock.now()).await
}
