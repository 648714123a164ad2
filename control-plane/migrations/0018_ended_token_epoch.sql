-- The token epoch that began when all sessions of the user last ended: tokens with an earlier one are
-- of sessions that ended, those between it and token_epoch are outdated.
alter table users add column ended_token_epoch bigint not null default 0;
