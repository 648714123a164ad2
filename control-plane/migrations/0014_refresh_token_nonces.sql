-- One or two rows per session: a refresh finds the nonce that it makes useless without looking at
-- every token that the session has spent.
create index refresh_tokens_successor_nonce_idx on refresh_tokens (tenant_id, session_id)
    where successor_nonce is not null;
