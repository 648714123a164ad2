-- People.
create table users (
    tenant_id text not null references tenants (id),
    id text not null,
    -- as its owner writes it, NFC
    email text not null,
    -- what is compared: lower case, the domain in ASCII
    email_normalized text not null,
    name text,
    status text not null check (status in ('active', 'disabled')),
    -- rises when every session of the user ends; a session lives only under the number it began with
    session_epoch bigint not null,
    -- when it last rose
    sessions_ended_at bigint,
    created_at bigint not null,
    updated_at bigint not null,
    disabled_at bigint,
    constraint users_tenant_id_id_key primary key (tenant_id, id),
    constraint users_tenant_id_email_normalized_key unique (tenant_id, email_normalized)
);
create index users_tenant_id_sessions_ended_at on users (tenant_id, sessions_ended_at);

-- A user's password, as a PHC string.
create table passwords (
    tenant_id text not null,
    user_id text not null,
    hash text not null,
    created_at bigint not null,
    changed_at bigint not null,
    last_used_at bigint,
    constraint passwords_tenant_id_user_id_key primary key (tenant_id, user_id),
    foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
