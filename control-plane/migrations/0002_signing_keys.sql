-- Private keys, enveloped. A key is `next` (published, does not sign yet), `active` (signs),
-- `retiring` (published while its tokens live) or `retired` (withdrawn, private part erased).
create table signing_keys (
    id text not null,
    tenant_id text not null,
    purpose text not null,
    alg text not null,
    kid text not null,
    public_jwk text not null,
    private_sealed text not null,
    state text not null,
    created_at bigint not null,
    -- From here on every cache of the published set contains the key.
    usable_at bigint not null,
    activated_at bigint,
    -- When the last token signed by a retiring key has run out.
    retires_at bigint,
    constraint signing_keys_id_key primary key (id),
    constraint signing_keys_tenant_id_kid_key unique (tenant_id, kid),
    constraint signing_keys_tenant_id_fkey foreign key (tenant_id) references tenants (id)
);
-- One signer and one successor per purpose, whoever races to rotate.
create unique index signing_keys_tenant_id_purpose_key on signing_keys (tenant_id, purpose)
    where state = 'active';
create unique index signing_keys_next_key on signing_keys (tenant_id, purpose, state)
    where state = 'next';
