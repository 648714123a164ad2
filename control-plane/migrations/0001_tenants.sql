-- Tenants, and the facts that wait for their readers.
create table tenants (
    id text not null,
    slug text not null,
    name text not null,
    audience text not null,
    signing_alg text not null,
    -- Tokens issued before this moment (Unix milliseconds) are refused; 0 refuses none.
    tokens_issued_before bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    constraint tenants_id_key primary key (id),
    constraint tenants_slug_key unique (slug)
);

-- Every state change leaves its event here in the same transaction. Append only.
create table outbox (
    id text not null,
    tenant_id text not null,
    kind text not null,
    actor_kind text not null,
    actor_id text not null,
    subject text not null,
    request_id text,
    created_at bigint not null,
    data text not null,
    constraint outbox_id_key primary key (id),
    constraint outbox_tenant_id_fkey foreign key (tenant_id) references tenants (id)
);
create index outbox_tenant_id_created_at_idx on outbox (tenant_id, created_at);
