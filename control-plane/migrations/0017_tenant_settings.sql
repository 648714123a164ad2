-- What a tenant's administrators set.
alter table tenants add column version bigint not null default 1;
alter table tenants add column sign_up text not null default 'open'
    check (sign_up in ('open', 'closed'));
-- JSON array of origins whose pages may call the tenant's endpoints
alter table tenants add column allowed_origins text not null default '[]';
-- JSON array of the names under which software asks for tokens
alter table tenants add column client_ids text not null default '["plinto"]';
-- seconds; null: the server's own
alter table tenants add column session_idle_s bigint;
alter table tenants add column session_absolute_s bigint;
