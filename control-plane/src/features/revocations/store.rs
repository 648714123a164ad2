//! SQL for `revocation_feeds`.

use plinto_contract::ids::TenantId;

use crate::{
    args,
    db::{DbError, Tx},
};

const NEXT_VERSION: &str = "insert into revocation_feeds (tenant_id, version) values ($1, 1)
    on conflict (tenant_id) do update set version = revocation_feeds.version + 1
    returning version";

/// Takes the next version of the tenant's feed, and makes whoever else wants one wait for this
/// transaction: what is read after it is at least as new as what any lower version says.
pub(super) async fn next_version(tx: &mut Tx, tenant: TenantId) -> Result<i64, DbError> {
    let (version,) = tx.one::<(i64,)>(NEXT_VERSION, args![tenant]).await?;
    Ok(version)
}
