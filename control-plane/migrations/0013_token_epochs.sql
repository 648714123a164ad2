-- Rises whenever a user's tokens issued so far say too much: tokens carry it, and earlier ones are
-- refused.
alter table users add column token_epoch bigint not null default 0;
-- when it last rose
alter table users add column tokens_outdated_at bigint;
drop index users_tenant_id_sessions_ended_at;
create index users_tenant_id_tokens_outdated_at on users (tenant_id, tokens_outdated_at);
drop table membership_changes;
