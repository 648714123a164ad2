-- What whoever has a role may do with the management API: JSON array of permissions, sorted.
alter table roles add column management_permissions text not null default '[]';

create index member_roles_tenant_id_user_id on member_roles
    (tenant_id, user_id, organization_id, role_key);

-- People who may use the management API on the whole tenant, by their roles.
create table administrators (
    tenant_id text not null references tenants (id),
    user_id text not null,
    -- the tenant whose user it is: another one for operators of several tenants
    home_tenant_id text not null,
    version bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    constraint administrators_tenant_id_user_id_key primary key (tenant_id, user_id),
    foreign key (home_tenant_id, user_id) references users (tenant_id, id)
);
create index administrators_home_tenant_id_user_id on administrators (home_tenant_id, user_id);

create table administrator_roles (
    tenant_id text not null,
    user_id text not null,
    role_key text not null,
    constraint administrator_roles_tenant_id_user_id_role_key_key
        primary key (tenant_id, user_id, role_key),
    foreign key (tenant_id, user_id)
        references administrators (tenant_id, user_id) on delete cascade,
    foreign key (tenant_id, role_key) references roles (tenant_id, key)
);
create index administrator_roles_tenant_id_role_key on administrator_roles (tenant_id, role_key);

-- Whether the session's access tokens are for the management API instead of the tenant's own.
alter table sessions add column is_for_management boolean not null default false;
