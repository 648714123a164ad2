//! SQL for `sign_in_throttles`.

use plinto_contract::{ids::TenantId, time::UnixMillis};
use plinto_platform::{
    args,
    db::{DbError, Tx},
};

use super::model::Subject;

// INVARIANT: one statement counts and decides, so that attempts at once each get their own count.
const COUNT: &str = "insert into sign_in_throttles
    (tenant_id, kind, subject_hash, failures, last_attempt_at, blocked_until)
    values ($1, $2, $3, 1, $4, $4)
    on conflict (tenant_id, kind, subject_hash) do update set
        failures = case when sign_in_throttles.last_attempt_at < $5 then 1
            else sign_in_throttles.failures + 1 end,
        last_attempt_at = $4
    where sign_in_throttles.last_attempt_at < $5
        or (sign_in_throttles.blocked_until <= $4 and sign_in_throttles.failures < $6)
    returning failures";

/// Counts an attempt as failed until it turns out otherwise; `None` when none is allowed now.
pub(super) async fn count(
    tx: &mut Tx,
    tenant: TenantId,
    subject: &Subject,
    now: UnixMillis,
) -> Result<Option<i64>, DbError> {
    let kind = subject.kind;
    let args = args![
        tenant,
        kind.as_str(),
        &subject.hash,
        now,
        kind.forgotten_before(now),
        kind.most()
    ];
    let failures = tx.optional::<(i64,)>(COUNT, args).await?;
    Ok(failures.map(|(failures,)| failures))
}

const BLOCK: &str = "update sign_in_throttles set blocked_until = $4
    where tenant_id = $1 and kind = $2 and subject_hash = $3";

/// Allows the next attempt at `until`.
pub(super) async fn block(
    tx: &mut Tx,
    tenant: TenantId,
    subject: &Subject,
    until: UnixMillis,
) -> Result<(), DbError> {
    tx.execute(
        BLOCK,
        args![tenant, subject.kind.as_str(), &subject.hash, until],
    )
    .await
    .map(|_| ())
}

const BLOCKED_UNTIL: &str = "select failures, blocked_until from sign_in_throttles
    where tenant_id = $1 and kind = $2 and subject_hash = $3";

/// When the next attempt is allowed; the end of time when the count is full.
pub(super) async fn blocked_until(
    tx: &mut Tx,
    tenant: TenantId,
    subject: &Subject,
) -> Result<UnixMillis, DbError> {
    let found = tx
        .optional::<(i64, i64)>(
            BLOCKED_UNTIL,
            args![tenant, subject.kind.as_str(), &subject.hash],
        )
        .await?;
    Ok(match found {
        Some((failures, _)) if failures >= subject.kind.most() => UnixMillis(i64::MAX),
        Some((_, until)) => UnixMillis(until),
        None => UnixMillis(0),
    })
}

const CLEAR: &str = "delete from sign_in_throttles
    where tenant_id = $1 and kind = $2 and subject_hash = $3";

/// Forgets all failures.
pub(super) async fn clear(
    tx: &mut Tx,
    tenant: TenantId,
    subject: &Subject,
) -> Result<bool, DbError> {
    Ok(tx
        .execute(CLEAR, args![tenant, subject.kind.as_str(), &subject.hash])
        .await?
        > 0)
}

const FORGET_LAST: &str = "delete from sign_in_throttles
    where tenant_id = $1 and kind = $2 and subject_hash = $3 and failures <= 1";

// A block that a later failure has set stays.
const REFUND: &str = "update sign_in_throttles set failures = failures - 1,
    blocked_until = case when blocked_until = $4 then last_attempt_at else blocked_until end
    where tenant_id = $1 and kind = $2 and subject_hash = $3";

/// Takes one count back. `until`: when it would have allowed the next attempt.
pub(super) async fn refund(
    tx: &mut Tx,
    tenant: TenantId,
    subject: &Subject,
    until: UnixMillis,
) -> Result<(), DbError> {
    let (kind, hash) = (subject.kind.as_str(), &subject.hash);
    if tx.execute(FORGET_LAST, args![tenant, kind, hash]).await? > 0 {
        return Ok(());
    }
    tx.execute(REFUND, args![tenant, kind, hash, until])
        .await
        .map(|_| ())
}

/// 1,000: counts that a purge takes at once. Others write between two steps of it.
const AT_ONCE: i64 = 1_000;

const PURGE: &str = "delete from sign_in_throttles where (tenant_id, kind, subject_hash) in
    (select tenant_id, kind, subject_hash from sign_in_throttles
        where last_attempt_at < $1 order by last_attempt_at limit $2)";

/// Forgets some of the counts that nothing was added to since `before`. `false`: none is left.
/// For the worker, which serves all tenants.
pub(super) async fn purge_some(tx: &mut Tx, before: UnixMillis) -> Result<bool, DbError> {
    Ok(tx.execute(PURGE, args![before, AT_ONCE]).await? > 0)
}
