-- Answers to POSTs that carried an Idempotency-Key, kept for 24 hours, sealed.
create table idempotency_keys (
    tenant_id text not null,
    -- Caller, method and path; then the caller's key.
    scope text not null,
    key text not null,
    fingerprint text not null,
    -- Null while the first request is still running.
    response_sealed text,
    created_at bigint not null,
    constraint idempotency_keys_tenant_id_scope_key_key primary key (tenant_id, scope, key),
    constraint idempotency_keys_tenant_id_fkey foreign key (tenant_id) references tenants (id)
);
create index idempotency_keys_created_at_idx on idempotency_keys (created_at);
