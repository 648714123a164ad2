-- One sign-in of one person. Its refresh tokens are one family: they end together.
create table sessions (
    tenant_id text not null,
    id text not null,
    user_id text not null,
    organization_id text,
    client_id text not null,
    -- the user's session_epoch when the session began
    user_epoch bigint not null,
    -- JSON array of authentication method references, RFC 8176
    amr text not null,
    authenticated_at bigint not null,
    created_at bigint not null,
    last_used_at bigint not null,
    -- the absolute end; no refresh moves it
    expires_at bigint not null,
    ip text,
    user_agent text,
    revoked_at bigint,
    revoked_reason text,
    constraint sessions_tenant_id_id_key primary key (tenant_id, id),
    foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
create index sessions_tenant_id_user_id on sessions (tenant_id, user_id, id);
create index sessions_tenant_id_revoked_at on sessions (tenant_id, revoked_at);

-- Every refresh token a session has had, spent ones too, so that a second use is noticed.
create table refresh_tokens (
    tenant_id text not null,
    id text not null,
    session_id text not null,
    -- SHA-256 of the token, 64 hexadecimal characters
    token_hash text not null,
    created_at bigint not null,
    -- the idle end
    expires_at bigint not null,
    used_at bigint,
    -- random; with the spent token itself, and only with it, gives the successor once more
    successor_nonce text,
    successor_id text,
    constraint refresh_tokens_tenant_id_id_key primary key (tenant_id, id),
    constraint refresh_tokens_token_hash_key unique (token_hash),
    foreign key (tenant_id, session_id) references sessions (tenant_id, id) on delete cascade
);
create index refresh_tokens_tenant_id_session_id on refresh_tokens (tenant_id, session_id);

-- Failed attempts in a row, per account and per network address.
create table sign_in_throttles (
    tenant_id text not null references tenants (id),
    kind text not null check (kind in ('account', 'address')),
    -- SHA-256 of the normalised e-mail address or of the network address, 64 hexadecimal characters
    subject_hash text not null,
    failures bigint not null,
    last_attempt_at bigint not null,
    blocked_until bigint not null,
    constraint sign_in_throttles_tenant_id_kind_subject_hash_key
        primary key (tenant_id, kind, subject_hash)
);
create index sign_in_throttles_last_attempt_at on sign_in_throttles (last_attempt_at);
