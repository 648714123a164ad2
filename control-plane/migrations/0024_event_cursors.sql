-- Places in a tenant's log that are kept for its readers.
create table event_cursors (
    tenant_id text not null references tenants (id),
    name text not null,
    epoch text not null,
    seq bigint not null,
    updated_at bigint not null,
    constraint event_cursors_tenant_id_name_key primary key (tenant_id, name)
);
