-- Rises when every session of the tenant ends; a session lives only under the number it began with.
alter table tenants add column session_epoch bigint not null default 0;
-- when it last rose
alter table tenants add column sessions_ended_at bigint;
update tenants set sessions_ended_at = tokens_issued_before where tokens_issued_before > 0;
alter table tenants drop column tokens_issued_before;
-- the tenant's session_epoch when the session began
alter table sessions add column tenant_epoch bigint not null default 0;
