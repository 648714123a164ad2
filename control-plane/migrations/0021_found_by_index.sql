-- What background work looks for among all tenants, and what a list filters by, is found by an index.

-- When the tenant's active bundle is to be built anew from these roles; null: it has been.
alter table role_sets add column bundle_due_at bigint;
update role_sets set bundle_due_at = changed_at;
create index role_sets_bundle_due_at_idx on role_sets (bundle_due_at)
    where bundle_due_at is not null;
drop index role_sets_changed_at;
alter table role_sets drop column changed_at;

-- When the tenant's active bundle is to be signed anew with this key; null: it has been.
alter table signing_keys add column bundle_due_at bigint;
update signing_keys set bundle_due_at = activated_at where purpose = 'bundle' and state = 'active';
create index signing_keys_bundle_due_at_idx on signing_keys (bundle_due_at)
    where bundle_due_at is not null;

-- The tenant's highest sequence.
alter table activations add column is_active boolean not null default false;
update activations set is_active = true where sequence =
    (select max(sequence) from activations others where others.tenant_id = activations.tenant_id);
create index activations_active_idx on activations (expires_at) where is_active;
create index activations_revision_idx on activations (tenant_id, revision, sequence);

-- Lists of sessions go by the end that no refresh moves: those that have ended are never looked at.
create index sessions_live_idx on sessions (tenant_id, tenant_epoch, expires_at, id)
    where revoked_at is null;
create index sessions_live_of_user_idx on sessions
    (tenant_id, user_id, tenant_epoch, user_epoch, expires_at, id) where revoked_at is null;
create index sessions_revoked_idx on sessions (tenant_id, revoked_at, id)
    where revoked_at is not null;
create index sessions_expires_at_idx on sessions (expires_at);
drop index sessions_tenant_id_user_id;
drop index sessions_tenant_id_revoked_at;

create index users_status_idx on users (tenant_id, status, id);
create index users_tokens_outdated_idx on users (tenant_id, tokens_outdated_at, id)
    where tokens_outdated_at is not null;
drop index users_tenant_id_tokens_outdated_at;

create index member_roles_role_key_idx on member_roles (tenant_id, role_key, organization_id);
drop index member_roles_tenant_id_role_key;
