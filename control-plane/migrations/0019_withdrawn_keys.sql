-- A key is `withdrawn` from this moment on: it was ended before its time, and what it signed is refused.
alter table signing_keys add column withdrawn_at bigint;
-- Rises with every change of the tenant's keys, so that no process goes by keys of before.
alter table tenants add column keys_version bigint not null default 0;
