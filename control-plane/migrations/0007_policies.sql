-- Published policy bundles, as they were uploaded: checked, unsigned.
create table bundles (
    tenant_id text not null references tenants (id),
    id text not null,
    -- SHA-256 of the published content, 64 hexadecimal characters
    revision text not null,
    -- SHA-256 of the archive, 64 hexadecimal characters
    digest text not null,
    size_bytes bigint not null,
    file_count bigint not null,
    entrypoint text not null,
    tests_passed bigint not null,
    -- the archive, base64
    archive text not null,
    published_by text not null,
    created_at bigint not null,
    constraint bundles_tenant_id_id_key primary key (tenant_id, id),
    constraint bundles_tenant_id_revision_key unique (tenant_id, revision)
);

-- What the edge was told to enforce, in order. The highest sequence is active.
create table activations (
    tenant_id text not null references tenants (id),
    id text not null,
    sequence bigint not null,
    revision text not null,
    -- where a roll-back from here leads
    previous_revision text,
    reason text not null,
    -- SHA-256 of the signed artifact, 64 hexadecimal characters
    digest text not null,
    -- the signed artifact, base64; emptied once nobody can need it any more
    artifact text,
    size_bytes bigint not null,
    roles_version bigint not null,
    signed_by_kid text not null,
    activated_by text not null,
    created_at bigint not null,
    expires_at bigint not null,
    constraint activations_tenant_id_id_key primary key (tenant_id, id),
    constraint activations_tenant_id_sequence_key unique (tenant_id, sequence),
    foreign key (tenant_id, revision) references bundles (tenant_id, revision)
);
create index activations_tenant_id_digest on activations (tenant_id, digest);
