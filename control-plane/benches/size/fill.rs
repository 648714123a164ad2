//! What an installation has, written by a statement for each table, the same on both engines.

use plinto_contract::{ids::TenantId, time::UnixMillis};
use plinto_platform::{args, db::Tx};

/// How much of everything.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    /// Tenants beside those that are measured.
    tenants: i64,
    /// Users of one tenant.
    users: i64,
    /// Sessions of theirs: a third lives, one was revoked a day ago, one has expired.
    sessions: i64,
    /// Roles of another tenant.
    roles: i64,
    /// Sessions of a third tenant that were revoked a moment ago.
    revoked: i64,
}

/// As little as fills one page of a list, and the feed.
pub(crate) const EMPTY: Size = Size {
    tenants: 1,
    users: 60,
    sessions: 90,
    roles: 60,
    revoked: 16_384,
};
/// What is promised to be as fast.
pub(crate) const FULL: Size = Size {
    tenants: 10_000,
    users: 200_000,
    sessions: 300_000,
    roles: 10_000,
    revoked: 100_000,
};

// Ids have 26 digits after their prefix: 19 zeros and seven that count.
const TENANT: &str = "with recursive numbers (n) as
        (select 1 union all select n + 1 from numbers where n < $1)
    insert into tenants (id, slug, name, audience, signing_alg, created_at, updated_at)
    select 'tenant_0000000000000000000' || (1000000 + n), 'filler-' || n, 'Filler', 'aud', 'ES256',
        $2, $2 from numbers";
const ROLE_SET: &str = "insert into role_sets (tenant_id, version)
    select id, 5 from tenants where slug like 'filler-%'";
const SIGNING_KEY: &str = "insert into signing_keys
        (id, tenant_id, purpose, alg, kid, public_jwk, private_sealed, state, created_at, usable_at,
        activated_at)
    select id || purpose || state, id, purpose, 'ES256', purpose || state, '{}', '', state, $1, $1,
        case state when 'active' then $1 end
    from tenants
        cross join (select 'token' as purpose union all select 'bundle') purposes
        cross join (select 'active' as state union all select 'next') states
    where slug like 'filler-%'";
const BUNDLE: &str = "insert into bundles (tenant_id, id, revision, digest, size_bytes, file_count,
        entrypoint, tests_passed, published_by, created_at)
    select id, 'bundle', 'revision', 'digest', 1, 1, 'app/authz/decision', 0, 'system', $1
    from tenants where slug like 'filler-%'";
const ACTIVATION: &str =
    "insert into activations (tenant_id, id, sequence, revision, reason, digest,
        size_bytes, roles_version, signed_by_kid, activated_by, created_at, expires_at, is_active)
    select id, 'activation', 1, 'revision', 'activated', 'digest', 1, 5, 'bundleactive', 'system',
        $1, $1 + 2592000000, true from tenants where slug like 'filler-%'";
const USER: &str = "with recursive numbers (n) as
        (select 1 union all select n + 1 from numbers where n < $1)
    insert into users (tenant_id, id, email, email_normalized, status, session_epoch, token_epoch,
        created_at, updated_at)
    select $3, 'user_0000000000000000000' || (1000000 + n), 'filler' || n || '@example.com',
        'filler' || n || '@example.com', case n % 100 when 0 then 'disabled' else 'active' end, 0, 0,
        $2, $2 from numbers";
const SESSION: &str = "with recursive numbers (n) as
        (select 1 union all select n + 1 from numbers where n < $1)
    insert into sessions (tenant_id, id, user_id, client_id, user_epoch, amr, authenticated_at,
        created_at, last_used_at, expires_at, revoked_at, revoked_reason)
    select $3, 'sess_0000000000000000000' || (1000000 + n),
        'user_0000000000000000000' || (1000001 + n % $4), 'plinto', 0, '[\"pwd\"]', $2, $2, $2,
        case n % 3 when 2 then $2 - 1000 - n else $2 + 86400000 + n end,
        case n % 3 when 1 then $2 - 86400000 end, case n % 3 when 1 then 'signed_out' end
    from numbers";
const REFRESH_TOKEN: &str = "insert into refresh_tokens
        (tenant_id, id, session_id, token_hash, created_at, expires_at)
    select tenant_id, id, id, id, $1, $1 + 86400000 from sessions where tenant_id = $2";
const ROLE: &str = "with recursive numbers (n) as
        (select 1 union all select n + 1 from numbers where n < $1)
    insert into roles (tenant_id, id, key, name, description, permissions, is_system, version,
        created_at, updated_at)
    select $3, 'role_0000000000000000000' || (1000000 + n), 'role-' || n, 'Filler', '', '[]', false,
        1, $2, $2 from numbers";
const THROTTLE: &str = "with recursive numbers (n) as
        (select 1 union all select n + 1 from numbers where n < $1)
    insert into sign_in_throttles (tenant_id, kind, subject_hash, failures, last_attempt_at,
        blocked_until)
    select $3, 'account', 'filler' || n, 1, $2, $2 from numbers";
const IDEMPOTENCY_KEY: &str = "with recursive numbers (n) as
        (select 1 union all select n + 1 from numbers where n < $1)
    insert into idempotency_keys (tenant_id, scope, key, fingerprint, created_at)
    select $3, 'filler', 'filler' || n, '', $2 from numbers";
const REVOKED: &str = "with recursive numbers (n) as
        (select 1 union all select n + 1 from numbers where n < $1)
    insert into sessions (tenant_id, id, user_id, client_id, user_epoch, amr, authenticated_at,
        created_at, last_used_at, expires_at, revoked_at, revoked_reason)
    select tenant_id, 'sess_0000000000000000000' || (1000000 + n), user_id, client_id, user_epoch,
        amr, authenticated_at, created_at, last_used_at, expires_at, $2 - n, 'signed_out'
    from sessions cross join numbers where tenant_id = $3";

/// Fills a database. The third tenant has one session.
pub(crate) async fn fill(
    tx: &mut Tx,
    now: UnixMillis,
    size: Size,
    [main, with_roles, revoked]: [TenantId; 3],
) -> anyhow::Result<()> {
    tx.execute(TENANT, args![size.tenants, now]).await?;
    tx.execute(ROLE_SET, args![]).await?;
    for sql in [SIGNING_KEY, BUNDLE, ACTIVATION] {
        tx.execute(sql, args![now]).await?;
    }
    tx.execute(USER, args![size.users, now, main]).await?;
    tx.execute(SESSION, args![size.sessions, now, main, size.users - 1])
        .await?;
    tx.execute(REFRESH_TOKEN, args![now, main]).await?;
    tx.execute(ROLE, args![size.roles, now, with_roles]).await?;
    tx.execute(THROTTLE, args![size.users, now, main]).await?;
    tx.execute(IDEMPOTENCY_KEY, args![size.roles, now, main])
        .await?;
    // A millisecond apart.
    tx.execute(REVOKED, args![size.revoked, now, revoked])
        .await?;
    Ok(())
}
