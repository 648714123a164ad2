-- Published policy bundles: checked, unsigned.
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
    published_by text not null,
    created_at bigint not null,
    constraint bundles_tenant_id_id_key primary key (tenant_id, id),
    constraint bundles_tenant_id_revision_key unique (tenant_id, revision)
);

-- Their archives, as they were uploaded.
create table bundle_archives (
    tenant_id text not null,
    revision text not null,
    -- base64
    content text not null,
    constraint bundle_archives_tenant_id_revision_key primary key (tenant_id, revision),
    foreign key (tenant_id, revision) references bundles (tenant_id, revision)
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

-- Signed bundles as the edge fetches them. Those nobody can need any more are dropped.
create table artifacts (
    tenant_id text not null references tenants (id),
    digest text not null,
    sequence bigint not null,
    -- base64
    content text not null,
    constraint artifacts_tenant_id_digest_key primary key (tenant_id, digest)
);
create index artifacts_tenant_id_sequence on artifacts (tenant_id, sequence);
