//! SQL over `signing_keys`.

use plinto_contract::{
    ids::{SigningKeyId, TenantId},
    time::UnixMillis,
};
use plinto_jose::Jwk;
use plinto_platform::{
    args,
    db::{DbError, Tx, readable},
};

use super::model::{Purpose, SigningKeyRecord, State};

const INSERT: &str = "insert into signing_keys
    (id, tenant_id, purpose, alg, kid, public_jwk, private_sealed, state, created_at, usable_at,
    activated_at, retires_at, withdrawn_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

const PUBLISHED: &str =
    "select id, tenant_id, purpose, alg, kid, public_jwk, private_sealed, state,
    created_at, usable_at, activated_at, retires_at, withdrawn_at from signing_keys
    where tenant_id = $1 and purpose = $2 and state in ('active', 'next', 'retiring') order by id";

const ALL: &str = "select id, tenant_id, purpose, alg, kid, public_jwk, private_sealed, state,
    created_at, usable_at, activated_at, retires_at, withdrawn_at from signing_keys
    where tenant_id = $1 order by id desc";

const IN_STATE: &str = "select id, tenant_id, purpose, alg, kid, public_jwk, private_sealed, state,
    created_at, usable_at, activated_at, retires_at, withdrawn_at from signing_keys
    where tenant_id = $1 and purpose = $2 and state = $3";

const RETIRE_ACTIVE: &str = "update signing_keys set state = 'retiring', retires_at = $3,
    bundle_due_at = null where tenant_id = $1 and purpose = $2 and state = 'active'";

const ACTIVATE: &str = "update signing_keys set state = 'active', activated_at = $3,
    bundle_due_at = case when purpose = 'bundle' then $3 end
    where tenant_id = $1 and id = $2 and state = 'next'";

const DUE: &str = "select id, tenant_id, purpose, alg, kid, public_jwk, private_sealed, state,
    created_at, usable_at, activated_at, retires_at, withdrawn_at from signing_keys
    where state = 'retiring' and retires_at <= $1
    union all
    select id, tenant_id, purpose, alg, kid, public_jwk, private_sealed, state,
    created_at, usable_at, activated_at, retires_at, withdrawn_at from signing_keys
    where state = 'active' and activated_at <= $2";

const FIND: &str = "select id, tenant_id, purpose, alg, kid, public_jwk, private_sealed, state,
    created_at, usable_at, activated_at, retires_at, withdrawn_at from signing_keys
    where tenant_id = $1 and id = $2";

const WITHDRAW: &str = "update signing_keys set state = 'withdrawn', private_sealed = '',
    withdrawn_at = $4, bundle_due_at = null where tenant_id = $1 and id = $2 and state = $3";

const WITHDRAWN_SINCE: &str = "select kid from signing_keys
    where tenant_id = $1 and state = 'withdrawn' and withdrawn_at >= $2 order by kid";

const RETIRE_DUE: &str = "update signing_keys set state = 'retired', private_sealed = ''
    where tenant_id = $1 and state = 'retiring' and retires_at <= $2
    returning id, tenant_id, purpose, alg, kid, public_jwk, private_sealed, state, created_at,
    usable_at, activated_at, retires_at, withdrawn_at";

#[derive(sqlx::FromRow)]
struct SigningKeyRow {
    id: String,
    tenant_id: String,
    purpose: String,
    alg: String,
    kid: String,
    public_jwk: String,
    private_sealed: String,
    state: String,
    created_at: i64,
    usable_at: i64,
    activated_at: Option<i64>,
    retires_at: Option<i64>,
    withdrawn_at: Option<i64>,
}

/// A key with its sealed private part.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) record: SigningKeyRecord,
    pub(super) private_sealed: String,
}

impl SigningKeyRow {
    fn read(self) -> Result<Stored, DbError> {
        let wrong = |column| DbError::Inconsistent {
            table: "signing_keys",
            column,
            id: self.id.clone(),
        };
        Ok(Stored {
            record: SigningKeyRecord {
                id: self.id.parse().map_err(|_| wrong("id"))?,
                tenant: self.tenant_id.parse().map_err(|_| wrong("tenant_id"))?,
                purpose: self.purpose.parse().map_err(|()| wrong("purpose"))?,
                algorithm: self.alg.parse().map_err(|_| wrong("alg"))?,
                public: Jwk::parse(&self.public_jwk).map_err(|_| wrong("public_jwk"))?,
                state: self.state.parse().map_err(|()| wrong("state"))?,
                kid: self.kid,
                created_at: UnixMillis(self.created_at),
                usable_at: UnixMillis(self.usable_at),
                activated_at: self.activated_at.map(UnixMillis),
                retires_at: self.retires_at.map(UnixMillis),
                withdrawn_at: self.withdrawn_at.map(UnixMillis),
            },
            private_sealed: self.private_sealed,
        })
    }
}

pub(super) async fn insert(tx: &mut Tx, tenant: TenantId, key: &Stored) -> Result<(), DbError> {
    let record = &key.record;
    let args = args![
        record.id,
        tenant,
        record.purpose.as_str(),
        record.algorithm.as_str(),
        &record.kid,
        record.public.to_value().to_string(),
        &key.private_sealed,
        record.state.as_str(),
        record.created_at,
        record.usable_at,
        record.activated_at,
        record.retires_at,
        record.withdrawn_at,
    ];
    tx.execute(INSERT, args).await?;
    Ok(())
}

/// What verifiers see.
pub(super) async fn published(
    tx: &mut Tx,
    tenant: TenantId,
    purpose: Purpose,
) -> Result<Vec<SigningKeyRecord>, DbError> {
    let rows: Vec<SigningKeyRow> = tx.all(PUBLISHED, args![tenant, purpose.as_str()]).await?;
    rows.into_iter()
        .map(|row| row.read().map(|key| key.record))
        .collect()
}

/// The newest first.
pub(super) async fn all(tx: &mut Tx, tenant: TenantId) -> Result<Vec<SigningKeyRecord>, DbError> {
    let rows: Vec<SigningKeyRow> = tx.all(ALL, args![tenant]).await?;
    rows.into_iter()
        .map(|row| row.read().map(|key| key.record))
        .collect()
}

/// The active or the next key.
pub(super) async fn in_state(
    tx: &mut Tx,
    tenant: TenantId,
    purpose: Purpose,
    state: State,
) -> Result<Option<Stored>, DbError> {
    tx.optional::<SigningKeyRow>(IN_STATE, args![tenant, purpose.as_str(), state.as_str()])
        .await?
        .map(SigningKeyRow::read)
        .transpose()
}

/// Lets `next` sign instead of the active key. False when somebody else has done it.
pub(super) async fn succeed(
    tx: &mut Tx,
    tenant: TenantId,
    next: &SigningKeyRecord,
    now: UnixMillis,
    retires_at: UnixMillis,
) -> Result<bool, DbError> {
    tx.execute(
        RETIRE_ACTIVE,
        args![tenant, next.purpose.as_str(), retires_at],
    )
    .await?;
    Ok(tx.execute(ACTIVATE, args![tenant, next.id, now]).await? == 1)
}

/// One key.
pub(super) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    id: SigningKeyId,
) -> Result<Option<SigningKeyRecord>, DbError> {
    tx.optional::<SigningKeyRow>(FIND, args![tenant, id])
        .await?
        .map(|row| row.read().map(|key| key.record))
        .transpose()
}

/// Ends a key before its time and erases its private part. False when it is no longer in the state that
/// it was seen in.
pub(super) async fn withdraw(
    tx: &mut Tx,
    tenant: TenantId,
    seen: &SigningKeyRecord,
    now: UnixMillis,
) -> Result<bool, DbError> {
    let args = args![tenant, seen.id, seen.state.as_str(), now];
    // Every token of the tenant is judged anew.
    tx.hold_alone(tenant).await?;
    Ok(tx.execute(WITHDRAW, args).await? == 1)
}

/// Lets `next` sign where no key does. False when somebody else has done it.
pub(super) async fn activate(
    tx: &mut Tx,
    tenant: TenantId,
    next: SigningKeyId,
    now: UnixMillis,
) -> Result<bool, DbError> {
    Ok(tx.execute(ACTIVATE, args![tenant, next, now]).await? == 1)
}

/// Ids by which verifiers know the keys that were withdrawn at or after `since`.
pub(super) async fn withdrawn_since(
    tx: &mut Tx,
    tenant: TenantId,
    since: UnixMillis,
) -> Result<Vec<String>, DbError> {
    let rows: Vec<(String,)> = tx.all(WITHDRAWN_SINCE, args![tenant, since]).await?;
    Ok(rows.into_iter().map(|(kid,)| kid).collect())
}

/// Takes the keys whose signatures have run out from the published set.
pub(super) async fn retire_due(
    tx: &mut Tx,
    tenant: TenantId,
    now: UnixMillis,
) -> Result<Vec<SigningKeyRecord>, DbError> {
    let rows: Vec<SigningKeyRow> = tx.all(RETIRE_DUE, args![tenant, now]).await?;
    rows.into_iter()
        .map(|row| row.read().map(|key| key.record))
        .collect()
}

/// The keys of all tenants for which something is due: retiring ones that may be withdrawn, and
/// active ones that have signed since before `signing_since`.
pub(super) async fn due(
    tx: &mut Tx,
    now: UnixMillis,
    signing_since: UnixMillis,
) -> Result<Vec<SigningKeyRecord>, DbError> {
    let rows: Vec<SigningKeyRow> = tx.all(DUE, args![now, signing_since]).await?;
    let records = rows.into_iter().map(|row| row.read().map(|key| key.record));
    Ok(readable(records))
}

const ANY_SEALED: &str = "select tenant_id, id, private_sealed from signing_keys
    where state = 'active' limit 1";

/// A key of any tenant's as it is sealed, with whose and which it is. For the start of the server.
pub(super) async fn any_sealed(tx: &mut Tx) -> Result<Option<(TenantId, String, String)>, DbError> {
    let found: Option<(String, String, String)> = tx.optional(ANY_SEALED, args![]).await?;
    found
        .map(|(tenant, id, sealed)| {
            let tenant = tenant.parse().map_err(|_| DbError::Inconsistent {
                table: "signing_keys",
                column: "tenant_id",
                id: tenant,
            })?;
            Ok((tenant, id, sealed))
        })
        .transpose()
}

const BUNDLES_DUE: &str =
    "select tenant_id from signing_keys where bundle_due_at <= $1 order by bundle_due_at";

/// Every tenant whose active bundle is due for its key. For the worker, which serves all tenants.
pub(super) async fn bundles_due(tx: &mut Tx, now: UnixMillis) -> Result<Vec<TenantId>, DbError> {
    tx.tenants("signing_keys", BUNDLES_DUE, args![now]).await
}

const BUNDLE_SIGNED: &str = "update signing_keys
    set bundle_due_at = case when kid = $2 then null else coalesce(bundle_due_at, $3) end
    where tenant_id = $1 and purpose = 'bundle' and state = 'active'
    and (kid <> $2 or bundle_due_at is not null)";

/// Notes that the active bundle, if there is one, is signed with this key. When another signs by now,
/// the next bundle is due.
pub(super) async fn bundle_signed(
    tx: &mut Tx,
    tenant: TenantId,
    kid: &str,
    now: UnixMillis,
) -> Result<(), DbError> {
    tx.execute(BUNDLE_SIGNED, args![tenant, kid, now])
        .await
        .map(|_| ())
}

const PUT_OFF_BUNDLE: &str = "update signing_keys set bundle_due_at = $2
    where tenant_id = $1 and bundle_due_at is not null";

/// Lets a bundle that is due be due later.
pub(super) async fn put_off_bundle(
    tx: &mut Tx,
    tenant: TenantId,
    until: UnixMillis,
) -> Result<(), DbError> {
    tx.execute(PUT_OFF_BUNDLE, args![tenant, until])
        .await
        .map(|_| ())
}
