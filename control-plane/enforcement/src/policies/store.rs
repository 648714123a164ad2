//! SQL for `bundles`, `bundle_archives`, `activations` and `artifacts`.

use base64ct::{Base64, Encoding};
use plinto_contract::{ids::TenantId, time::UnixMillis};
use plinto_platform::{
    args,
    db::{DbError, Tx},
};

use super::model::{Activation, Bundle, Reason};

#[derive(sqlx::FromRow)]
struct BundleRow {
    id: String,
    revision: String,
    digest: String,
    size_bytes: i64,
    file_count: i64,
    entrypoint: String,
    tests_passed: i64,
    checked_by: String,
    published_by: String,
    created_at: i64,
    is_active: bool,
}

impl BundleRow {
    fn into_bundle(self) -> Result<Bundle, DbError> {
        Ok(Bundle {
            id: self
                .id
                .parse()
                .map_err(|_| inconsistent("bundles", "id", &self.id))?,
            revision: self.revision,
            digest: self.digest,
            size_bytes: self.size_bytes,
            file_count: self.file_count,
            entrypoint: self.entrypoint,
            tests_passed: self.tests_passed,
            checked_by: self.checked_by,
            published_by: self.published_by,
            created_at: UnixMillis(self.created_at),
            is_active: self.is_active,
        })
    }
}

#[derive(sqlx::FromRow)]
struct ActivationRow {
    id: String,
    sequence: i64,
    revision: String,
    previous_revision: Option<String>,
    reason: String,
    digest: String,
    size_bytes: i64,
    roles_version: i64,
    signed_by_kid: String,
    activated_by: String,
    created_at: i64,
    expires_at: i64,
}

impl ActivationRow {
    fn into_activation(self) -> Result<Activation, DbError> {
        let broken = |column| inconsistent("activations", column, &self.id);
        Ok(Activation {
            id: self.id.parse().map_err(|_| broken("id"))?,
            reason: Reason::parse(&self.reason).ok_or_else(|| broken("reason"))?,
            sequence: self.sequence,
            revision: self.revision,
            previous_revision: self.previous_revision,
            digest: self.digest,
            size_bytes: self.size_bytes,
            roles_version: self.roles_version,
            signed_by_kid: self.signed_by_kid,
            activated_by: self.activated_by,
            created_at: UnixMillis(self.created_at),
            expires_at: UnixMillis(self.expires_at),
        })
    }
}

fn inconsistent(table: &'static str, column: &'static str, id: &str) -> DbError {
    DbError::Inconsistent {
        table,
        column,
        id: id.to_owned(),
    }
}

const INSERT: &str = "insert into bundles
    (tenant_id, id, revision, digest, size_bytes, file_count, entrypoint, tests_passed,
     checked_by, published_by, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    on conflict (tenant_id, revision) do nothing";
const INSERT_ARCHIVE: &str = "insert into bundle_archives (tenant_id, revision, content)
    values ($1, $2, $3)";

/// Stores a bundle and its archive; `false` when the tenant has the revision already.
pub(super) async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    bundle: &Bundle,
    archive: &[u8],
) -> Result<bool, DbError> {
    let args = args![
        tenant,
        bundle.id,
        &bundle.revision,
        &bundle.digest,
        bundle.size_bytes,
        bundle.file_count,
        &bundle.entrypoint,
        bundle.tests_passed,
        &bundle.checked_by,
        &bundle.published_by,
        bundle.created_at,
    ];
    if tx.execute(INSERT, args).await? == 0 {
        return Ok(false);
    }
    let content = Base64::encode_string(archive);
    tx.execute(INSERT_ARCHIVE, args![tenant, &bundle.revision, content])
        .await?;
    Ok(true)
}

const FIND: &str = "select id, revision, digest, size_bytes, file_count, entrypoint, tests_passed,
    checked_by, published_by, created_at, coalesce(revision = (select latest.revision from activations
    as latest where latest.tenant_id = $1 order by latest.sequence desc limit 1), false) as is_active
    from bundles where tenant_id = $1 and revision = $2";

/// One bundle by its revision.
pub(super) async fn find(
    tx: &mut Tx,
    tenant: TenantId,
    revision: &str,
) -> Result<Option<Bundle>, DbError> {
    tx.optional::<BundleRow>(FIND, args![tenant, revision])
        .await?
        .map(BundleRow::into_bundle)
        .transpose()
}

const LIST: &str = "select id, revision, digest, size_bytes, file_count, entrypoint, tests_passed,
    checked_by, published_by, created_at, coalesce(revision = (select latest.revision from activations
    as latest where latest.tenant_id = $1 order by latest.sequence desc limit 1), false) as is_active
    from bundles where tenant_id = $1 and id < $2 order by id desc limit $3";

/// After every id, in every collation.
const NEWEST: &str = "z";

/// Bundles, the newest first, before `before` (empty: from the newest).
pub(super) async fn list(
    tx: &mut Tx,
    tenant: TenantId,
    before: &str,
    limit: i64,
) -> Result<Vec<Bundle>, DbError> {
    let before = if before.is_empty() { NEWEST } else { before };
    tx.all::<BundleRow>(LIST, args![tenant, before, limit])
        .await?
        .into_iter()
        .map(BundleRow::into_bundle)
        .collect()
}

const MARK_CHECKED: &str =
    "update bundles set checked_by = $1 where tenant_id = $2 and revision = $3";

/// Notes the engine that a bundle was checked with anew.
pub(super) async fn mark_checked(
    tx: &mut Tx,
    tenant: TenantId,
    revision: &str,
    checked_by: &str,
) -> Result<(), DbError> {
    tx.execute(MARK_CHECKED, args![checked_by, tenant, revision])
        .await
        .map(|_| ())
}

const ARCHIVE: &str = "select content from bundle_archives where tenant_id = $1 and revision = $2";

/// A bundle's archive as it was uploaded.
pub(super) async fn archive(
    tx: &mut Tx,
    tenant: TenantId,
    revision: &str,
) -> Result<Option<Vec<u8>>, DbError> {
    let content = tx
        .optional::<(String,)>(ARCHIVE, args![tenant, revision])
        .await?;
    decode(content, "bundle_archives", revision)
}

const INSERT_ACTIVATION: &str = "insert into activations
    (tenant_id, id, sequence, revision, previous_revision, reason, digest, size_bytes,
     roles_version, signed_by_kid, activated_by, created_at, expires_at, is_active)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, true)";
const SUPERSEDE: &str =
    "update activations set is_active = false where tenant_id = $1 and sequence = $2";
const INSERT_ARTIFACT: &str = "insert into artifacts (tenant_id, digest, sequence, content)
    values ($1, $2, $3, $4)";

/// Makes an activation and stores its artifact.
/// Errors: `Conflict` on `activations_tenant_id_sequence_key` when another one was faster.
pub(super) async fn activate(
    tx: &mut Tx,
    tenant: TenantId,
    activation: &Activation,
    artifact: &[u8],
) -> Result<(), DbError> {
    let args = args![
        tenant,
        activation.id,
        activation.sequence,
        &activation.revision,
        activation.previous_revision.as_deref(),
        activation.reason.as_str(),
        &activation.digest,
        activation.size_bytes,
        activation.roles_version,
        &activation.signed_by_kid,
        &activation.activated_by,
        activation.created_at,
        activation.expires_at,
    ];
    tx.execute(INSERT_ACTIVATION, args).await?;
    let previous = activation.sequence.saturating_sub(1);
    tx.execute(SUPERSEDE, args![tenant, previous]).await?;
    let content = Base64::encode_string(artifact);
    let args = args![tenant, &activation.digest, activation.sequence, content];
    tx.execute(INSERT_ARTIFACT, args).await.map(|_| ())
}

const PRUNE: &str = "delete from artifacts where tenant_id = $1 and sequence <= $2";

/// Drops the artifacts of a sequence and all before it.
pub(super) async fn prune(tx: &mut Tx, tenant: TenantId, sequence: i64) -> Result<(), DbError> {
    tx.execute(PRUNE, args![tenant, sequence]).await.map(|_| ())
}

const ACTIVE: &str = "select id, sequence, revision, previous_revision, reason, digest, size_bytes,
    roles_version, signed_by_kid, activated_by, created_at, expires_at from activations
    where tenant_id = $1 order by sequence desc limit 1";

/// The activation in force.
pub(super) async fn active(tx: &mut Tx, tenant: TenantId) -> Result<Option<Activation>, DbError> {
    tx.optional::<ActivationRow>(ACTIVE, args![tenant])
        .await?
        .map(ActivationRow::into_activation)
        .transpose()
}

const LATEST_OF: &str = "select id, sequence, revision, previous_revision, reason, digest,
    size_bytes, roles_version, signed_by_kid, activated_by, created_at, expires_at
    from activations where tenant_id = $1 and revision = $2 order by sequence desc limit 1";

/// The latest activation of a revision.
pub(super) async fn latest_of(
    tx: &mut Tx,
    tenant: TenantId,
    revision: &str,
) -> Result<Option<Activation>, DbError> {
    tx.optional::<ActivationRow>(LATEST_OF, args![tenant, revision])
        .await?
        .map(ActivationRow::into_activation)
        .transpose()
}

const HISTORY: &str =
    "select id, sequence, revision, previous_revision, reason, digest, size_bytes,
    roles_version, signed_by_kid, activated_by, created_at, expires_at from activations
    where tenant_id = $1 and sequence < $2 order by sequence desc limit $3";

/// Activations, the newest first, before the sequence `before` (0: from the newest).
pub(super) async fn history(
    tx: &mut Tx,
    tenant: TenantId,
    before: i64,
    limit: i64,
) -> Result<Vec<Activation>, DbError> {
    let before = if before == 0 { i64::MAX } else { before };
    tx.all::<ActivationRow>(HISTORY, args![tenant, before, limit])
        .await?
        .into_iter()
        .map(ActivationRow::into_activation)
        .collect()
}

const ARTIFACT: &str = "select content from artifacts where tenant_id = $1 and digest = $2";

/// A signed artifact.
pub(super) async fn artifact(
    tx: &mut Tx,
    tenant: TenantId,
    digest: &str,
) -> Result<Option<Vec<u8>>, DbError> {
    let content = tx
        .optional::<(String,)>(ARTIFACT, args![tenant, digest])
        .await?;
    decode(content, "artifacts", digest)
}

const EXPIRING: &str = "select tenant_id from activations
    where is_active and expires_at <= $1 order by expires_at";

/// Every tenant whose active artifact expires until `until`. For the worker, which serves all tenants.
pub(super) async fn expiring(tx: &mut Tx, until: UnixMillis) -> Result<Vec<TenantId>, DbError> {
    tx.tenants("activations", EXPIRING, args![until]).await
}

fn decode(
    content: Option<(String,)>,
    table: &'static str,
    id: &str,
) -> Result<Option<Vec<u8>>, DbError> {
    content
        .map(|(content,)| {
            Base64::decode_vec(&content).map_err(|_| inconsistent(table, "content", id))
        })
        .transpose()
}
