-- What happened, in the order in which it became so. The one writer numbers each event in the
-- transaction that makes it: there is nothing between the change and the log.
create table event_log_epochs (
    -- made anew when the database is restored: a reader's position is good for one epoch
    epoch text not null,
    constraint event_log_epochs_epoch_key primary key (epoch)
);
insert into event_log_epochs (epoch) values (lower(hex(randomblob(8))));

-- One for each tenant.
create table event_streams (
    number integer primary key,
    tenant_id text not null,
    -- the last number given
    head bigint not null default 0,
    -- how many of them the tree has, and what was last signed of it
    sealed bigint not null default 0,
    checkpoint text,
    constraint event_streams_tenant_id_key unique (tenant_id),
    foreign key (tenant_id) references tenants (id)
);
insert into event_streams (tenant_id, head)
select id, (select count(*) from outbox where outbox.tenant_id = tenants.id) from tenants order by id;

-- With row ids: where the primary key holds the rows, searches go along it however few rows they are for.
create table event_log (
    stream bigint not null,
    -- 1, 2, 3 … without a gap
    seq bigint not null,
    id text not null,
    type text not null,
    version bigint not null,
    created_at bigint not null,
    -- success, failure, denied
    result text not null,
    actor_type text not null,
    actor_id text not null,
    session_id text,
    target text not null,
    organization_id text,
    request_id text,
    data text not null,
    -- personal data, which can be erased: the rest holds its digest with the salt
    ip text,
    user_agent text,
    salt text,
    -- that digest itself, once they are erased
    context_digest text,
    constraint event_log_stream_seq_key primary key (stream, seq)
);

insert into event_log (stream, seq, id, type, version, created_at, result, actor_type, actor_id, target,
    request_id, data)
select event_streams.number,
    row_number() over (partition by outbox.tenant_id order by outbox.created_at, outbox.id),
    outbox.id, outbox.kind, 1, outbox.created_at,
    case when outbox.kind in ('sign_in.failed', 'refresh_token.reused') then 'failure' else 'success' end,
    outbox.actor_kind, outbox.actor_id, outbox.subject, outbox.request_id,
    case when outbox.kind in ('session.created', 'session.refreshed', 'refresh_token.reused')
        then replace(replace(outbox.data, '"user":', '"user_id":'), '"organization":', '"organization_id":')
        else outbox.data end
from outbox join event_streams on event_streams.tenant_id = outbox.tenant_id;

drop table outbox;

create index event_streams_unsealed_idx on event_streams (number) where head > sealed;
create index event_log_stream_actor_id_seq_idx on event_log (stream, actor_id, seq);
create index event_log_stream_target_seq_idx on event_log (stream, target, seq);
create index event_log_stream_type_seq_idx on event_log (stream, type, seq);
create index event_log_stream_created_at_idx on event_log (stream, created_at);

create trigger tenants_have_an_event_stream after insert on tenants begin
    insert into event_streams (tenant_id) values (new.id);
end;

-- What is written here is in the log at once.
create view outbox as
select event_streams.tenant_id, event_log.id, event_log.type, event_log.version, event_log.created_at,
    event_log.result, event_log.actor_type, event_log.actor_id, event_log.session_id, event_log.target,
    event_log.organization_id, event_log.request_id, event_log.data, event_log.ip,
    event_log.user_agent, event_log.salt
from event_log join event_streams on event_streams.number = event_log.stream
where false;

create trigger outbox_is_numbered_at_once instead of insert on outbox begin
    insert into event_streams (tenant_id) select new.tenant_id
    where not exists (select 1 from event_streams where tenant_id = new.tenant_id);
    update event_streams set head = head + 1 where tenant_id = new.tenant_id;
    insert into event_log (stream, seq, id, type, version, created_at, result, actor_type, actor_id,
        session_id, target, organization_id, request_id, data, ip, user_agent, salt)
    select number, head, new.id, new.type, new.version, new.created_at, new.result, new.actor_type,
        new.actor_id, new.session_id, new.target, new.organization_id, new.request_id, new.data,
        new.ip, new.user_agent, new.salt
    from event_streams where tenant_id = new.tenant_id;
end;
