-- Roles of a tenant and the permissions they carry.
create table roles (
    tenant_id text not null references tenants (id),
    id text not null,
    key text not null,
    name text not null,
    description text not null,
    -- JSON array of `resource:action`, sorted
    permissions text not null,
    is_system boolean not null,
    version bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    constraint roles_tenant_id_id_key primary key (tenant_id, id),
    constraint roles_tenant_id_key_key unique (tenant_id, key)
);

-- One row per tenant that rises with every change to its roles: what policy data is built from.
create table role_sets (
    tenant_id text not null references tenants (id),
    version bigint not null,
    changed_at bigint not null,
    constraint role_sets_tenant_id_key primary key (tenant_id)
);
create index role_sets_changed_at on role_sets (changed_at);

create table organizations (
    tenant_id text not null references tenants (id),
    id text not null,
    slug text not null,
    name text not null,
    version bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    -- touched by every change of membership, so that two of them queue behind each other
    members_changed_at bigint not null,
    constraint organizations_tenant_id_id_key primary key (tenant_id, id),
    constraint organizations_tenant_id_slug_key unique (tenant_id, slug)
);

create table members (
    tenant_id text not null,
    id text not null,
    organization_id text not null,
    user_id text not null,
    created_at bigint not null,
    updated_at bigint not null,
    constraint members_tenant_id_organization_id_user_id_key
        primary key (tenant_id, organization_id, user_id),
    constraint members_tenant_id_id_key unique (tenant_id, id),
    foreign key (tenant_id, organization_id)
        references organizations (tenant_id, id) on delete cascade
);
create index members_tenant_id_user_id on members (tenant_id, user_id);

create table member_roles (
    tenant_id text not null,
    organization_id text not null,
    user_id text not null,
    role_key text not null,
    constraint member_roles_tenant_id_organization_id_user_id_role_key_key
        primary key (tenant_id, organization_id, user_id, role_key),
    foreign key (tenant_id, organization_id, user_id)
        references members (tenant_id, organization_id, user_id) on delete cascade,
    foreign key (tenant_id, role_key) references roles (tenant_id, key)
);
create index member_roles_tenant_id_role_key on member_roles (tenant_id, role_key);

-- Users whose roles somewhere changed, or who left: tokens issued until then say too much.
create table membership_changes (
    tenant_id text not null references tenants (id),
    user_id text not null,
    changed_at bigint not null,
    constraint membership_changes_tenant_id_user_id_key primary key (tenant_id, user_id)
);
create index membership_changes_tenant_id_changed_at on membership_changes (tenant_id, changed_at);
