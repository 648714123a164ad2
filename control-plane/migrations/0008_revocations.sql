-- What ended before its tokens did. A row is dropped once every token it concerns has expired.
create table revocations (
    tenant_id text not null references tenants (id),
    -- `session` or `subject`
    kind text not null,
    subject text not null,
    -- tokens of the subject issued in or before this moment are refused
    revoked_at bigint not null,
    expires_at bigint not null,
    constraint revocations_tenant_id_kind_subject_key primary key (tenant_id, kind, subject)
);
create index revocations_expires_at on revocations (expires_at);

-- The version under which a tenant's feed was last served.
create table revocation_feeds (
    tenant_id text not null primary key references tenants (id),
    version bigint not null
);
