//! SQL for `users`.

use std::collections::{BTreeMap, BTreeSet};

use plinto_contract::{
    ids::{TenantId, UserId},
    time::UnixMillis,
};
use plinto_platform::{
    args,
    db::{DbError, Tx},
};

use super::model::{Outdated, Status, User, UserState};

#[derive(sqlx::FromRow)]
struct UserRow {
    id: String,
    email: String,
    name: Option<String>,
    status: String,
    session_epoch: i64,
    token_epoch: i64,
    created_at: i64,
    updated_at: i64,
    disabled_at: Option<i64>,
}

impl UserRow {
    fn into_user(self, tenant: TenantId) -> Result<User, DbError> {
        let broken = |column| DbError::Inconsistent {
            table: "users",
            column,
            id: self.id.clone(),
        };
        Ok(User {
            tenant,
            id: self.id.parse().map_err(|_| broken("id"))?,
            status: Status::from_text(&self.status).ok_or_else(|| broken("status"))?,
            email: self.email,
            name: self.name,
            session_epoch: self.session_epoch,
            token_epoch: self.token_epoch,
            created_at: UnixMillis(self.created_at),
            updated_at: UnixMillis(self.updated_at),
            disabled_at: self.disabled_at.map(UnixMillis),
        })
    }
}

/// The unique key that says: this e-mail address is in use.
pub(super) const EMAIL_KEY: &str = "users_tenant_id_email_normalized_key";

const INSERT: &str = "insert into users
    (tenant_id, id, email, email_normalized, name, status, session_epoch, token_epoch, created_at,
    updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// Errors: `Conflict` on [`EMAIL_KEY`].
pub(super) async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    user: &User,
    email_normalized: &str,
) -> Result<(), DbError> {
    let args = args![
        tenant,
        user.id,
        &user.email,
        email_normalized,
        user.name.as_deref(),
        user.status.as_str(),
        user.session_epoch,
        user.token_epoch,
        user.created_at,
        user.updated_at,
    ];
    tx.execute(INSERT, args).await.map(|_| ())
}

const FIND: &str = "select id, email, name, status, session_epoch, token_epoch, created_at,
    updated_at, disabled_at from users where tenant_id = $1 and id = $2";

/// One user by id.
pub(super) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    id: UserId,
) -> Result<Option<User>, DbError> {
    tx.optional::<UserRow>(FIND, args![tenant, id])
        .await?
        .map(|row| row.into_user(tenant))
        .transpose()
}

const FIND_BY_EMAIL: &str = "select id, email, name, status, session_epoch, token_epoch,
    created_at, updated_at, disabled_at from users where tenant_id = $1 and email_normalized = $2";

/// One user by normalised e-mail address.
pub(super) async fn find_by_email(
    tx: &mut Tx,
    tenant: TenantId,
    email_normalized: &str,
) -> Result<Option<User>, DbError> {
    tx.optional::<UserRow>(FIND_BY_EMAIL, args![tenant, email_normalized])
        .await?
        .map(|row| row.into_user(tenant))
        .transpose()
}

const LIST: &str = "select id, email, name, status, session_epoch, token_epoch, created_at,
    updated_at, disabled_at from users where tenant_id = $1 and id > $2 order by id limit $3";

/// Users in the order they were made, after `after` (empty: from the first).
pub(super) async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    after: &str,
    limit: i64,
) -> Result<Vec<User>, DbError> {
    let rows = tx.all(LIST, args![tenant, after, limit]).await?;
    users(tenant, rows)
}

const LIST_BY_STATUS: &str = "select id, email, name, status, session_epoch, token_epoch,
    created_at, updated_at, disabled_at from users
    where tenant_id = $1 and status = $2 and id > $3 order by id limit $4";

/// The same, only those of one status.
pub(super) async fn list_by_status(
    tx: &mut Tx,
    tenant: TenantId,
    status: Status,
    after: &str,
    limit: i64,
) -> Result<Vec<User>, DbError> {
    let args = args![tenant, status.as_str(), after, limit];
    let rows = tx.all(LIST_BY_STATUS, args).await?;
    users(tenant, rows)
}

fn users(tenant: TenantId, rows: Vec<UserRow>) -> Result<Vec<User>, DbError> {
    rows.into_iter().map(|row| row.into_user(tenant)).collect()
}

#[derive(sqlx::FromRow)]
struct UserStateRow {
    status: String,
    session_epoch: i64,
    token_epoch: i64,
}

const USER_STATE: &str =
    "select status, session_epoch, token_epoch from users where tenant_id = $1 and id = $2";

/// What decides over the user's sessions and access tokens.
pub(super) async fn user_state(
    tx: &mut Tx,
    tenant: TenantId,
    id: UserId,
) -> Result<Option<UserState>, DbError> {
    let Some(row) = tx
        .optional::<UserStateRow>(USER_STATE, args![tenant, id])
        .await?
    else {
        return Ok(None);
    };
    let status = Status::from_text(&row.status).ok_or_else(|| DbError::Inconsistent {
        table: "users",
        column: "status",
        id: id.to_string(),
    })?;
    Ok(Some(UserState {
        status,
        session_epoch: row.session_epoch,
        token_epoch: row.token_epoch,
    }))
}

#[derive(sqlx::FromRow)]
struct UserStateOfRow {
    id: String,
    status: String,
    session_epoch: i64,
    token_epoch: i64,
    sessions_ended_at: Option<i64>,
}

// The ids come as one text: each takes 31 characters. Source: TypeID 0.3.
const USER_STATES: &str = "with recursive asked (at, id) as (
        select 1, substr($2, 1, 31)
        union all
        select at + 31, substr($2, at + 31, 31) from asked where at + 31 <= length($2))
    select u.id, u.status, u.session_epoch, u.token_epoch, u.sessions_ended_at
    from asked join users u on u.tenant_id = $1 and u.id = asked.id";

/// What decides over the sessions of some users, and when all of one's sessions last ended at once.
pub(super) async fn user_states(
    tx: &mut Tx,
    tenant: TenantId,
    ids: &BTreeSet<UserId>,
) -> Result<BTreeMap<UserId, (UserState, Option<UnixMillis>)>, DbError> {
    let text: String = ids.iter().map(UserId::to_string).collect();
    tx.all::<UserStateOfRow>(USER_STATES, args![tenant, text])
        .await?
        .into_iter()
        .map(|row| {
            let broken = |column| DbError::Inconsistent {
                table: "users",
                column,
                id: row.id.clone(),
            };
            let user_state = UserState {
                status: Status::from_text(&row.status).ok_or_else(|| broken("status"))?,
                session_epoch: row.session_epoch,
                token_epoch: row.token_epoch,
            };
            let id = row.id.parse().map_err(|_| broken("id"))?;
            Ok((id, (user_state, row.sessions_ended_at.map(UnixMillis))))
        })
        .collect()
}

const DISABLE: &str = "update users set status = 'disabled', disabled_at = $3, updated_at = $3,
    session_epoch = session_epoch + 1, sessions_ended_at = $3,
    token_epoch = token_epoch + 1, ended_token_epoch = token_epoch + 1, tokens_outdated_at = $3
    where tenant_id = $1 and id = $2 and status = 'active'";

/// Disables an active user and ends every session; `false` when there was nothing to change.
pub(super) async fn disable(
    tx: &mut Tx,
    tenant: TenantId,
    id: UserId,
    now: UnixMillis,
) -> Result<bool, DbError> {
    tx.hold_alone(id).await?;
    Ok(tx.execute(DISABLE, args![tenant, id, now]).await? > 0)
}

const ENABLE: &str = "update users set status = 'active', disabled_at = null, updated_at = $3
    where tenant_id = $1 and id = $2 and status = 'disabled'";

/// Enables a disabled user; `false` when there was nothing to change.
pub(super) async fn enable(
    tx: &mut Tx,
    tenant: TenantId,
    id: UserId,
    now: UnixMillis,
) -> Result<bool, DbError> {
    Ok(tx.execute(ENABLE, args![tenant, id, now]).await? > 0)
}

const END_SESSIONS: &str = "update users set session_epoch = session_epoch + 1,
    sessions_ended_at = $3, token_epoch = token_epoch + 1, ended_token_epoch = token_epoch + 1,
    tokens_outdated_at = $3, updated_at = $3 where tenant_id = $1 and id = $2";

/// Ends every session of the user; `false` when there is no such user.
pub(super) async fn end_sessions(
    tx: &mut Tx,
    tenant: TenantId,
    id: UserId,
    now: UnixMillis,
) -> Result<bool, DbError> {
    tx.hold_alone(id).await?;
    Ok(tx.execute(END_SESSIONS, args![tenant, id, now]).await? > 0)
}

const OUTDATE_TOKENS: &str = "update users set token_epoch = token_epoch + 1,
    tokens_outdated_at = $3 where tenant_id = $1 and id = $2";

/// Outdates the access tokens that the user holds.
pub(super) async fn outdate_tokens(
    tx: &mut Tx,
    tenant: TenantId,
    id: UserId,
    now: UnixMillis,
) -> Result<(), DbError> {
    tx.execute(OUTDATE_TOKENS, args![tenant, id, now])
        .await
        .map(|_| ())
}

const OUTDATED_SINCE: &str = "select id, token_epoch, tokens_outdated_at, ended_token_epoch,
    sessions_ended_at from users where tenant_id = $1 and tokens_outdated_at >= $2
    order by tokens_outdated_at desc, id desc limit $3";

#[derive(sqlx::FromRow)]
struct OutdatedRow {
    id: String,
    token_epoch: i64,
    tokens_outdated_at: i64,
    ended_token_epoch: i64,
    sessions_ended_at: Option<i64>,
}

impl OutdatedRow {
    fn read(self, since: UnixMillis) -> Result<Outdated, DbError> {
        let broken = |column| DbError::Inconsistent {
            table: "users",
            column,
            id: self.id.clone(),
        };
        let number = |column, number: i64| number.try_into().map_err(|_| broken(column));
        let ended = match self.sessions_ended_at.map(UnixMillis) {
            Some(at) if at >= since => {
                Some((number("ended_token_epoch", self.ended_token_epoch)?, at))
            }
            _ => None,
        };
        Ok(Outdated {
            user: self.id.parse().map_err(|_| broken("id"))?,
            least: number("token_epoch", self.token_epoch)?,
            at: UnixMillis(self.tokens_outdated_at),
            ended,
        })
    }
}

/// Users whose token epoch rose at or after `since`, and whether their sessions ended in that time:
/// the latest `limit` of them.
pub(super) async fn outdated_since(
    tx: &mut Tx,
    tenant: TenantId,
    since: UnixMillis,
    limit: i64,
) -> Result<Vec<Outdated>, DbError> {
    let rows: Vec<OutdatedRow> = tx.all(OUTDATED_SINCE, args![tenant, since, limit]).await?;
    rows.into_iter().map(|row| row.read(since)).collect()
}
