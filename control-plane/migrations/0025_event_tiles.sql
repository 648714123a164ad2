-- The hashes that prove a tenant's log: up to 256 of one level in a tile, as base64. Tiles that are not full
-- give way to fuller ones.
create table event_tiles (
    stream bigint not null,
    level bigint not null,
    number bigint not null,
    hashes text not null,
    constraint event_tiles_stream_level_number_key primary key (stream, level, number)
);

-- What signs a tenant's log.
create table event_log_keys (
    tenant_id text not null references tenants (id),
    -- how signatures call the log; what it is later called elsewhere changes nothing
    name text not null,
    sealed_seed text not null,
    created_at bigint not null,
    constraint event_log_keys_tenant_id_key primary key (tenant_id)
);
