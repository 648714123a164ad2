-- The version under which a tenant's revocation feed was last served. What the feed says is read
-- from the tables of those who revoke.
create table revocation_feeds (
    tenant_id text not null references tenants (id),
    version bigint not null,
    constraint revocation_feeds_tenant_id_key primary key (tenant_id)
);
