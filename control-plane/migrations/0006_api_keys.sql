-- Machines' credentials. The secret itself is never here.
create table api_keys (
    tenant_id text not null references tenants (id),
    id text not null,
    name text not null,
    -- SHA-256 of the whole secret, 64 hexadecimal characters
    secret_hash text not null,
    last_four text not null,
    -- JSON array of permission names, sorted
    permissions text not null,
    created_by text not null,
    created_at bigint not null,
    expires_at bigint,
    last_used_at bigint,
    revoked_at bigint,
    constraint api_keys_tenant_id_id_key primary key (tenant_id, id),
    constraint api_keys_secret_hash_key unique (secret_hash)
);
