//! One attempt to sign in, counted before it is judged.

use plinto_contract::{events::EventKind, ids::UserId};
use serde_json::json;

use super::{
    SignInError,
    model::{Kind, subject_hash, wait_s},
    store,
};
use crate::{
    actor::Actor,
    app::App,
    authority::{self, Need},
    db::{DbError, Tx},
    events,
    features::credentials::{CredentialError, HashingError},
};

/// An attempt that has been counted against its account.
pub(super) struct Attempt {
    account: String,
}

impl Attempt {
    /// What attempts under this e-mail address are counted by.
    pub(super) fn on(email_normalized: &str) -> Self {
        Self {
            account: subject_hash(email_normalized),
        }
    }

    /// Counts an attempt. `need`: what the verb asks of its actor.
    /// Errors: `Throttled` when none is allowed now, for the account or the network address.
    pub(super) async fn begin(
        app: &App,
        actor: &Actor,
        need: Need,
        email_normalized: &str,
    ) -> Result<Self, SignInError> {
        let attempt = Self::on(email_normalized);
        let now = app.clock.now();
        let mut tx = authority::begin(app, actor, need).await?;
        require_free(&mut tx, app, actor).await?;
        let kind = Kind::Account;
        let counted = store::count(&mut tx, actor.tenant, kind, &attempt.account, now).await?;
        let Some(failures) = counted else {
            let until = store::blocked_until(&mut tx, actor.tenant, kind, &attempt.account).await?;
            return Err(SignInError::Throttled {
                retry_after_s: wait_s(until, now),
            });
        };
        let next = kind.next_attempt(failures, now);
        if next > now {
            store::block(&mut tx, actor.tenant, kind, &attempt.account, next).await?;
        }
        tx.commit().await?;
        Ok(attempt)
    }

    /// Forgets the account's failures: the password was right.
    pub(super) async fn clear(&self, tx: &mut Tx, actor: &Actor) -> Result<bool, DbError> {
        store::clear(tx, actor.tenant, Kind::Account, &self.account).await
    }

    /// Leaves the count, counts the network address too, and says what happened.
    pub(super) async fn failed<T>(
        &self,
        app: &App,
        actor: &Actor,
        user: Option<UserId>,
        reason: &'static str,
    ) -> Result<T, SignInError> {
        let mut tx = authority::begin(app, actor, Need::Open).await?;
        count_address(&mut tx, app, actor).await?;
        record_failure(&mut tx, app, actor, user, reason).await?;
        tx.commit().await?;
        Err(SignInError::InvalidCredentials)
    }

    /// Takes the count back: nobody looked at the password.
    pub(super) async fn unjudged(
        &self,
        app: &App,
        actor: &Actor,
        error: HashingError,
    ) -> Result<SignInError, SignInError> {
        let now = app.clock.now();
        let mut tx = authority::begin(app, actor, Need::Open).await?;
        store::refund(&mut tx, actor.tenant, Kind::Account, &self.account, now).await?;
        tx.commit().await?;
        Ok(CredentialError::from(error).into())
    }
}

/// Says that a sign-in failed. `user`: whose, if they exist.
pub(super) async fn record_failure(
    tx: &mut Tx,
    app: &App,
    actor: &Actor,
    user: Option<UserId>,
    reason: &'static str,
) -> Result<(), DbError> {
    let subject = user.map_or_else(|| "unknown".to_owned(), |user| user.to_string());
    let data = json!({"reason": reason});
    events::record(tx, app, actor, EventKind::SignInFailed, subject, data).await
}

/// Errors: `Throttled` when the actor's network address has failed too often.
pub(super) async fn require_free_address(app: &App, actor: &Actor) -> Result<(), SignInError> {
    let mut tx = app.db.read().await?;
    require_free(&mut tx, app, actor).await
}

async fn require_free(tx: &mut Tx, app: &App, actor: &Actor) -> Result<(), SignInError> {
    let Some(subject) = address(actor) else {
        return Ok(());
    };
    let now = app.clock.now();
    let until = store::blocked_until(tx, actor.tenant, Kind::Address, &subject).await?;
    if until > now {
        return Err(SignInError::Throttled {
            retry_after_s: wait_s(until, now),
        });
    }
    Ok(())
}

/// Counts a failure of the actor's network address.
pub(super) async fn blame_address(app: &App, actor: &Actor) -> Result<(), SignInError> {
    let mut tx = authority::begin(app, actor, Need::Open).await?;
    count_address(&mut tx, app, actor).await?;
    tx.commit().await?;
    Ok(())
}

async fn count_address(tx: &mut Tx, app: &App, actor: &Actor) -> Result<(), DbError> {
    let Some(subject) = address(actor) else {
        return Ok(());
    };
    let now = app.clock.now();
    let kind = Kind::Address;
    let Some(failures) = store::count(tx, actor.tenant, kind, &subject, now).await? else {
        return Ok(());
    };
    let next = kind.next_attempt(failures, now);
    if next > now {
        store::block(tx, actor.tenant, kind, &subject, next).await?;
    }
    Ok(())
}

/// What the actor's network is counted by: an IPv4 address, or the /64 that an IPv6 host has to
/// itself.
fn address(actor: &Actor) -> Option<String> {
    let subject = match actor.ip? {
        std::net::IpAddr::V4(ip) => ip.to_string(),
        std::net::IpAddr::V6(ip) => format!("{:x}/64", ip.to_bits() >> 64),
    };
    Some(subject_hash(&subject))
}
