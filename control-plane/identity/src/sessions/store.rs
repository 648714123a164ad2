//! SQL for `sessions` and `refresh_tokens`.

use plinto_contract::{
    ids::{RefreshTokenId, SessionId, TenantId, UserId},
    time::UnixMillis,
};
use plinto_platform::{
    args,
    db::{DbError, Tx},
};

use super::model::{Position, RevokedReason, SECRET_BYTES, Session, StoredRefreshToken};

#[derive(sqlx::FromRow)]
struct SessionRow {
    id: String,
    user_id: String,
    organization_id: Option<String>,
    client_id: String,
    tenant_epoch: i64,
    user_epoch: i64,
    amr: String,
    authenticated_at: i64,
    created_at: i64,
    last_used_at: i64,
    expires_at: i64,
    ip: Option<String>,
    user_agent: Option<String>,
    revoked_at: Option<i64>,
    revoked_reason: Option<String>,
    is_for_management: bool,
}

impl SessionRow {
    fn into_session(self, tenant: TenantId) -> Result<Session, DbError> {
        let broken = |column| DbError::Inconsistent {
            table: "sessions",
            column,
            id: self.id.clone(),
        };
        let revoked = match (self.revoked_at, self.revoked_reason.as_deref()) {
            (None, _) => None,
            (Some(at), reason) => Some((
                UnixMillis(at),
                reason
                    .and_then(RevokedReason::from_text)
                    .ok_or_else(|| broken("revoked_reason"))?,
            )),
        };
        Ok(Session {
            tenant,
            id: self.id.parse().map_err(|_| broken("id"))?,
            user: self.user_id.parse().map_err(|_| broken("user_id"))?,
            organization: self
                .organization_id
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(|_| broken("organization_id"))?,
            amr: serde_json::from_str(&self.amr).map_err(|_| broken("amr"))?,
            client_id: self.client_id,
            tenant_epoch: self.tenant_epoch,
            user_epoch: self.user_epoch,
            authenticated_at: UnixMillis(self.authenticated_at),
            created_at: UnixMillis(self.created_at),
            last_used_at: UnixMillis(self.last_used_at),
            expires_at: UnixMillis(self.expires_at),
            ip: self.ip,
            user_agent: self.user_agent,
            is_for_management: self.is_for_management,
            revoked,
        })
    }
}

const INSERT: &str = "insert into sessions (tenant_id, id, user_id, organization_id, client_id,
    tenant_epoch, user_epoch, amr, authenticated_at, created_at, last_used_at, expires_at, ip,
    user_agent, is_for_management)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

/// Stores a new session.
pub(super) async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    session: &Session,
) -> Result<(), DbError> {
    let args = args![
        tenant,
        session.id,
        session.user,
        session.organization,
        &session.client_id,
        session.tenant_epoch,
        session.user_epoch,
        serde_json::json!(session.amr).to_string(),
        session.authenticated_at,
        session.created_at,
        session.last_used_at,
        session.expires_at,
        session.ip.as_deref(),
        session.user_agent.as_deref(),
        session.is_for_management,
    ];
    tx.execute(INSERT, args).await.map(|_| ())
}

const FIND: &str = "select id, user_id, organization_id, client_id, tenant_epoch, user_epoch,
    amr, authenticated_at, created_at, last_used_at, expires_at, ip, user_agent, revoked_at,
    revoked_reason, is_for_management from sessions where tenant_id = $1 and id = $2";

/// One session, dead or alive.
pub(super) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    id: SessionId,
) -> Result<Option<Session>, DbError> {
    tx.optional::<SessionRow>(FIND, args![tenant, id])
        .await?
        .map(|row| row.into_session(tenant))
        .transpose()
}

const LIST: &str = "select id, user_id, organization_id, client_id, tenant_epoch, user_epoch,
    amr, authenticated_at, created_at, last_used_at, expires_at, ip, user_agent, revoked_at,
    revoked_reason, is_for_management from sessions
    where tenant_id = $1 and tenant_epoch = $2 and revoked_at is null and (expires_at, id) > ($3, $4)
    order by expires_at, id limit $5";

/// The numbers under which a user's sessions that live began.
pub(super) struct Epochs {
    /// The tenant's.
    pub(super) tenant: i64,
    /// The user's.
    pub(super) user: i64,
}

/// Sessions that began under an epoch of the tenant and were not revoked, in the order in which they
/// end, after `after`.
pub(super) async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    epoch: i64,
    after: &Position,
    limit: i64,
) -> Result<Vec<Session>, DbError> {
    let args = args![tenant, epoch, after.expires_at, &after.id, limit];
    let rows = tx.all(LIST, args).await?;
    sessions(tenant, rows)
}

const LIST_OF_USER: &str = "select id, user_id, organization_id, client_id, tenant_epoch,
    user_epoch, amr, authenticated_at, created_at, last_used_at, expires_at, ip, user_agent,
    revoked_at, revoked_reason, is_for_management from sessions
    where tenant_id = $1 and user_id = $2 and tenant_epoch = $3 and user_epoch = $4
    and revoked_at is null and (expires_at, id) > ($5, $6) order by expires_at, id limit $7";

/// The same, only those of one user.
pub(super) async fn list_of_user(
    tx: &mut Tx,
    tenant: TenantId,
    (user, epochs): (UserId, Epochs),
    after: &Position,
    limit: i64,
) -> Result<Vec<Session>, DbError> {
    let args = args![
        tenant,
        user,
        epochs.tenant,
        epochs.user,
        after.expires_at,
        &after.id,
        limit
    ];
    let rows = tx.all(LIST_OF_USER, args).await?;
    sessions(tenant, rows)
}

fn sessions(tenant: TenantId, rows: Vec<SessionRow>) -> Result<Vec<Session>, DbError> {
    rows.into_iter()
        .map(|row| row.into_session(tenant))
        .collect()
}

const TOUCH: &str = "update sessions set last_used_at = $3 where tenant_id = $1 and id = $2
    returning id, user_id, organization_id, client_id, tenant_epoch, user_epoch, amr,
    authenticated_at, created_at, last_used_at, expires_at, ip, user_agent, revoked_at, revoked_reason,
    is_for_management";

/// Notes that the session is in use, and reads it.
pub(super) async fn touch(
    tx: &mut Tx,
    tenant: TenantId,
    id: SessionId,
    now: UnixMillis,
) -> Result<Session, DbError> {
    tx.one::<SessionRow>(TOUCH, args![tenant, id, now])
        .await?
        .into_session(tenant)
}

const REVOKE: &str = "update sessions set revoked_at = $3, revoked_reason = $4
    where tenant_id = $1 and id = $2 and revoked_at is null";

/// Ends a session; `false` when it had ended before.
pub(super) async fn revoke(
    tx: &mut Tx,
    tenant: TenantId,
    id: SessionId,
    reason: RevokedReason,
    now: UnixMillis,
) -> Result<bool, DbError> {
    tx.hold_alone(id).await?;
    Ok(tx
        .execute(REVOKE, args![tenant, id, now, reason.as_str()])
        .await?
        > 0)
}

const CONTINUE: &str = "update sessions set continued_by = $3 where tenant_id = $1 and id = $2";

/// Notes which session the family of an ended one goes on in.
pub(super) async fn continue_family(
    tx: &mut Tx,
    tenant: TenantId,
    ended: SessionId,
    continued_by: SessionId,
) -> Result<(), DbError> {
    tx.execute(CONTINUE, args![tenant, ended, continued_by])
        .await
        .map(|_| ())
}

const LAST_OF_FAMILY: &str = "with recursive family (id, continued_by) as (
        select id, continued_by from sessions where tenant_id = $1 and id = $2
        union all
        select next.id, next.continued_by from family
            join sessions next on next.tenant_id = $1 and next.id = family.continued_by)
    select id from family where continued_by is null";

/// The session that a family goes on in: the given one, unless its user has entered another
/// organization since.
pub(super) async fn last_of_family(
    tx: &mut Tx,
    tenant: TenantId,
    first: SessionId,
) -> Result<SessionId, DbError> {
    let (id,) = tx
        .one::<(String,)>(LAST_OF_FAMILY, args![tenant, first])
        .await?;
    session_id(id)
}

const REVOKE_OTHERS: &str = "update sessions set revoked_at = $4, revoked_reason = $5
    where tenant_id = $1 and user_id = $2 and tenant_epoch = $6 and user_epoch = $7 and id <> $3
    and revoked_at is null and expires_at > $4 returning id";

/// Ends every session of the user that lives but one; answers which.
pub(super) async fn revoke_others(
    tx: &mut Tx,
    tenant: TenantId,
    (user, epochs): (UserId, Epochs),
    kept: SessionId,
    reason: RevokedReason,
    now: UnixMillis,
) -> Result<Vec<SessionId>, DbError> {
    tx.hold_alone(user).await?;
    let args = args![
        tenant,
        user,
        kept,
        now,
        reason.as_str(),
        epochs.tenant,
        epochs.user
    ];
    tx.all::<(String,)>(REVOKE_OTHERS, args)
        .await?
        .into_iter()
        .map(|(id,)| session_id(id))
        .collect()
}

const REVOKED_SINCE: &str = "select id, revoked_at from sessions
    where tenant_id = $1 and revoked_at >= $2 order by revoked_at desc, id desc limit $3";

/// Sessions that were revoked at or after `since`, and when: the latest `limit` of them.
pub(super) async fn revoked_since(
    tx: &mut Tx,
    tenant: TenantId,
    since: UnixMillis,
    limit: i64,
) -> Result<Vec<(SessionId, UnixMillis)>, DbError> {
    tx.all::<(String, i64)>(REVOKED_SINCE, args![tenant, since, limit])
        .await?
        .into_iter()
        .map(|(id, at)| Ok((session_id(id)?, UnixMillis(at))))
        .collect()
}

fn session_id(id: String) -> Result<SessionId, DbError> {
    id.parse().map_err(|_| DbError::Inconsistent {
        table: "sessions",
        column: "id",
        id,
    })
}

const INSERT_REFRESH_TOKEN: &str = "insert into refresh_tokens
    (tenant_id, id, session_id, token_hash, created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6)";

/// Stores a refresh token's hash.
pub(super) async fn insert_refresh_token(
    tx: &mut Tx,
    tenant: TenantId,
    token: &StoredRefreshToken,
    hash: &str,
) -> Result<(), DbError> {
    let args = args![
        tenant,
        token.id,
        token.session,
        hash,
        token.created_at,
        token.expires_at
    ];
    tx.execute(INSERT_REFRESH_TOKEN, args).await.map(|_| ())
}

// INVARIANT: one statement decides who spends a token, so that of many at once one does (S8).
const SPEND: &str = "update refresh_tokens
    set used_at = $4, successor_id = $5, successor_nonce = $6
    where tenant_id = $1 and token_hash = $2 and used_at is null and expires_at > $4
    and exists (select 1 from sessions where sessions.tenant_id = refresh_tokens.tenant_id
        and sessions.id = refresh_tokens.session_id and sessions.client_id = $3
        and sessions.revoked_at is null and sessions.expires_at > $4)
    returning session_id";

/// What the spender of a refresh token leaves behind.
pub(super) struct Spending<'a> {
    /// SHA-256 of the presented token.
    pub(super) hash: &'a str,
    /// Who presents it.
    pub(super) client_id: &'a str,
    /// The row that its successor will have.
    pub(super) successor: RefreshTokenId,
    /// What gives the successor once more.
    pub(super) nonce: &'a [u8; SECRET_BYTES],
}

/// Spends a refresh token; `None` when it was spent before, is unknown, expired, another client's,
/// or its session has ended.
pub(super) async fn spend(
    tx: &mut Tx,
    tenant: TenantId,
    spending: &Spending<'_>,
    now: UnixMillis,
) -> Result<Option<SessionId>, DbError> {
    let args = args![
        tenant,
        spending.hash,
        spending.client_id,
        now,
        spending.successor,
        hex::encode(spending.nonce),
    ];
    tx.optional::<(String,)>(SPEND, args)
        .await?
        .map(|(id,)| session_id(id))
        .transpose()
}

const FORGET_NONCES: &str = "update refresh_tokens set successor_nonce = null
    where tenant_id = $1 and session_id = $2 and successor_nonce is not null and successor_id <> $3";

/// Forgets what would give earlier successors of the family once more.
pub(super) async fn forget_nonces(
    tx: &mut Tx,
    tenant: TenantId,
    session: SessionId,
    kept: RefreshTokenId,
) -> Result<(), DbError> {
    tx.execute(FORGET_NONCES, args![tenant, session, kept])
        .await
        .map(|_| ())
}

#[derive(sqlx::FromRow)]
struct RefreshTokenRow {
    id: String,
    session_id: String,
    created_at: i64,
    expires_at: i64,
    used_at: Option<i64>,
    successor_nonce: Option<String>,
}

const FIND_REFRESH_TOKEN: &str = "select id, session_id, created_at, expires_at, used_at,
    successor_nonce from refresh_tokens where tenant_id = $1 and token_hash = $2";

/// A refresh token's row, by the token's hash.
pub(super) async fn find_refresh_token(
    tx: &mut Tx,
    tenant: TenantId,
    hash: &str,
) -> Result<Option<StoredRefreshToken>, DbError> {
    let Some(row) = tx
        .optional::<RefreshTokenRow>(FIND_REFRESH_TOKEN, args![tenant, hash])
        .await?
    else {
        return Ok(None);
    };
    let broken = |column| DbError::Inconsistent {
        table: "refresh_tokens",
        column,
        id: row.id.clone(),
    };
    let successor_nonce = match &row.successor_nonce {
        None => None,
        Some(text) => {
            let mut nonce = [0_u8; SECRET_BYTES];
            hex::decode_to_slice(text, &mut nonce).map_err(|_| broken("successor_nonce"))?;
            Some(nonce)
        }
    };
    Ok(Some(StoredRefreshToken {
        id: row.id.parse().map_err(|_| broken("id"))?,
        session: row.session_id.parse().map_err(|_| broken("session_id"))?,
        created_at: UnixMillis(row.created_at),
        expires_at: UnixMillis(row.expires_at),
        used_at: row.used_at.map(UnixMillis),
        successor_nonce,
    }))
}

/// 200: sessions that a purge takes at once. Others write between two steps of it.
const SESSIONS_AT_ONCE: i64 = 200;
/// 1,000: refresh tokens likewise; a session may have had thousands.
const TOKENS_AT_ONCE: i64 = 1_000;

const PURGE_TOKENS: &str = "delete from refresh_tokens where (tenant_id, id) in
    (select token.tenant_id, token.id from
        (select tenant_id, id from sessions where expires_at < $1 order by expires_at limit $2) ended
        join refresh_tokens token on token.tenant_id = ended.tenant_id
            and token.session_id = ended.id
        limit $3)";
const PURGE: &str = "delete from sessions where (tenant_id, id) in
    (select tenant_id, id from sessions where expires_at < $1 order by expires_at limit $2)";

/// Drops some of what ended before `before`, the longest ended first: refresh tokens, then their
/// sessions. `false`: nothing is left. For the worker, which serves all tenants.
pub(super) async fn purge_some(tx: &mut Tx, before: UnixMillis) -> Result<bool, DbError> {
    let args = args![before, SESSIONS_AT_ONCE, TOKENS_AT_ONCE];
    if tx.execute(PURGE_TOKENS, args).await? > 0 {
        return Ok(true);
    }
    Ok(tx.execute(PURGE, args![before, SESSIONS_AT_ONCE]).await? > 0)
}
